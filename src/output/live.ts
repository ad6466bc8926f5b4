import { Listr, type ListrRenderer } from 'listr2';
import type { StepInfo } from '../core/states.ts';
import { formatDuration } from '../util/text.ts';
import type { Display, WriteText } from './display.ts';
import type { RunEvent } from './events.ts';
import type { TextWriter } from './plain.ts';
import { Summary } from './summary.ts';

const FRAME_MS = 100;
const ERASE_DOWN = '\u001b[0J';

export interface Screen {
  write: WriteText;
  rows: () => number;
  columns: () => number;
  /** Ends the display after an internal error. */
  fail: (error: unknown) => void;
}

interface HostTask {
  host: string;
  done: boolean;
  output: string;
  finish: () => void;
}

interface LiveStep {
  info: StepInfo;
  began: number;
  hosts: Map<string, HostTask>;
  running: Promise<unknown>;
}

/**
 * Live display based on listr2 with a custom renderer. Each step is a list whose tasks are its
 * hosts. The renderer draws ten times per second, shows only running hosts, never exceeds the
 * window, and leaves one line per finished step. (The default renderer of listr2 redraws everything
 * on each event.)
 */
export class LiveDisplay implements Display {
  readonly #text: TextWriter;
  readonly #screen: Screen;
  readonly #frame: Frame;
  readonly #steps = new Summary();
  #live: LiveStep | undefined;

  constructor(text: TextWriter, screen: Screen) {
    this.#text = text;
    this.#screen = screen;
    this.#frame = new Frame(screen);
  }

  show(event: RunEvent): void {
    const summary = this.#steps.see(event);
    if (event.type === 'step-start') this.#live = this.#start(event.step, event.hosts);
    else if (event.type === 'output') this.#showOutput(event.host, event.text);
    else if (event.type === 'unit-end') {
      // With a loop, a host ends once per item, so its task ends with the step.
      if (event.item === undefined) this.#endHost(event.host);
    } else if (event.type === 'step-end') {
      this.#endStep();
      if (summary) this.#frame.print(this.#text.stepLines(summary, event.durationMs));
    } else this.#frame.print(this.#text.lines(event));
  }

  hold(): () => void {
    return this.#frame.hold();
  }

  async finish(): Promise<void> {
    if (this.#live) await ended(this.#live);
    this.#frame.clear();
  }

  #start(info: StepInfo, hosts: readonly string[]): LiveStep {
    const step: LiveStep = {
      info,
      began: Date.now(),
      hosts: new Map(),
      running: Promise.resolve(),
    };
    const tasks = hosts.map((host) => {
      const task: HostTask = { host, done: false, output: '', finish: () => undefined };
      step.hosts.set(host, task);
      const over = new Promise<void>((resolve) => {
        task.finish = resolve;
      });
      return { title: host, task: () => over };
    });
    const list = new Listr(tasks, {
      concurrent: true,
      registerSignalListeners: false,
      renderer: rendererFor(step, this.#frame),
    });
    step.running = list.run().catch(this.#screen.fail);
    return step;
  }

  #showOutput(host: string, text: string): void {
    const task = this.#live?.hosts.get(host);
    if (task) task.output = text.trimEnd().split('\n').at(-1) ?? '';
  }

  #endHost(host: string): void {
    const task = this.#live?.hosts.get(host);
    if (task) task.done = true;
  }

  #endStep(): void {
    for (const task of this.#live?.hosts.values() ?? []) {
      task.done = true;
      task.finish();
    }
    this.#live = undefined;
    this.#frame.clear();
  }
}

/** Ends the list of a step that has no "step-end" event because the run ended during the step. */
async function ended({ hosts, running }: LiveStep): Promise<void> {
  for (const task of hosts.values()) task.finish();
  await running;
}

/** The part of the screen that is redrawn. */
class Frame {
  readonly #screen: Screen;
  #height = 0;
  /** Lines printed while a prompt uses the screen. Undefined when none does. */
  #later: string[] | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  fail(error: unknown): void {
    this.#screen.fail(error);
  }

  get rows(): number {
    return Math.max(5, this.#screen.rows());
  }

  hold(): () => void {
    this.clear();
    this.#later = [];
    return () => {
      const later = this.#later ?? [];
      this.#later = undefined;
      this.print(later);
    };
  }

  draw(lines: string[]): void {
    if (this.#later) return;
    const width = Math.max(20, this.#screen.columns() - 1);
    const cut = lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
    this.#screen.write(`${this.#up()}${cut.join('\n')}\n`);
    this.#height = lines.length;
  }

  clear(): void {
    if (this.#height > 0) this.#screen.write(this.#up());
    this.#height = 0;
  }

  print(lines: string[]): void {
    if (lines.length === 0) return;
    if (this.#later) {
      this.#later.push(...lines);
      return;
    }
    this.clear();
    this.#screen.write(`${lines.join('\n')}\n`);
  }

  #up(): string {
    return this.#height > 0 ? `\u001b[${String(this.#height)}A${ERASE_DOWN}` : '';
  }
}

/** listr2 creates the renderer itself and passes only tasks and options. */
function rendererFor(step: LiveStep, frame: Frame): typeof ListrRenderer {
  return class extends HostsRenderer {
    constructor(tasks: readonly unknown[]) {
      super(tasks, step, frame);
    }
  };
}

class HostsRenderer implements ListrRenderer {
  static nonTTY = true;
  static rendererOptions: Record<PropertyKey, never>;
  static rendererTaskOptions: Record<PropertyKey, never>;
  readonly #tasks: readonly unknown[];
  readonly #step: LiveStep;
  readonly #frame: Frame;
  #timer: NodeJS.Timeout | undefined;

  constructor(tasks: readonly unknown[], step: LiveStep, frame: Frame) {
    this.#tasks = tasks;
    this.#step = step;
    this.#frame = frame;
  }

  render(): void {
    // A step that ends within the first frame is never drawn, which avoids flicker.
    this.#timer = setInterval(() => {
      try {
        this.#draw();
      } catch (error) {
        this.#frame.fail(error);
      }
    }, FRAME_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #draw(): void {
    const { info, began, hosts } = this.#step;
    const running = [...hosts.values()].filter(({ done }) => !done);
    if (running.length === 0) return;
    const shown = running.slice(0, this.#frame.rows - 4);
    const finished = this.#tasks.length - running.length;
    const lines = [
      `  ⋯ ${info.name}  ${String(finished)}/${String(this.#tasks.length)}  ${formatDuration(Date.now() - began)}`,
      ...shown.map(({ host, output }) => `      ${host}${output === '' ? '' : `  ${output}`}`),
    ];
    if (shown.length < running.length)
      lines.push(`      … and ${String(running.length - shown.length)} more`);
    this.#frame.draw(lines);
  }
}
