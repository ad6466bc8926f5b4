import { createPatch } from 'diff';
import type { Display, WriteText } from './display.ts';
import type { RunEvent } from './events.ts';
import type { FileDiff } from '../core/module.ts';
import type { UnitState } from '../core/states.ts';
import { formatDuration, plural } from '../util/text.ts';
import {
  countHosts,
  failureLines,
  isFailure,
  Summary,
  worstState,
  type StepSummary,
  type UnitEnd,
} from './summary.ts';
import { undoLabel } from './undo.ts';

export interface Palette {
  bold: (text: string) => string;
  dim: (text: string) => string;
  red: (text: string) => string;
  green: (text: string) => string;
  yellow: (text: string) => string;
  cyan: (text: string) => string;
}

export interface TextOptions {
  palette: Palette;
  /** Show the differences of changed files. */
  diff: boolean;
  /** Show the undo of each change, as `runner plan` does. */
  undo: boolean;
  verbose: boolean;
}

/** Words for the reasons that the engine gives for a rollback. */
const rollbackReasons: Record<string, string | undefined> = {
  failed: 'after a failure',
  interrupted: 'after an interrupt',
  crash: 'after a crash',
  request: 'on request',
};

/** In check mode, nothing has changed yet. */
function plannedState(state: UnitState): string {
  return state === 'changed' ? 'would change' : state;
}

/** Modules that only select other steps. */
const includes = new Set(['include_tasks', 'include_role', 'block']);

/** Prints one line per finished step, for logs, pipes and small terminals. */
export function plainDisplay(text: TextWriter, write: WriteText): Display {
  const steps = new Summary();
  return {
    show(event) {
      const summary = steps.see(event);
      const lines =
        event.type === 'step-end' && summary
          ? text.stepLines(summary, event.durationMs)
          : text.lines(event);
      if (lines.length > 0) write(`${lines.join('\n')}\n`);
    },
    finish: () => Promise.resolve(),
  };
}

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Lines that remain on the screen. The live display draws the rest itself. */
export class TextWriter {
  readonly #options: TextOptions;
  #isCheck = false;
  #undone: EventOf<'undo-end'>[] = [];

  constructor(options: TextOptions) {
    this.#options = options;
  }

  lines(event: RunEvent): string[] {
    switch (event.type) {
      case 'run-start':
        return this.#startLines(event);
      case 'play-start':
        return this.#playLines(event);
      case 'unit-retry':
        return this.#retryLines(event);
      case 'message':
        return [this.#message(event)];
      case 'commit':
        return [this.#commitLine(event)];
      case 'rollback-start':
        return this.#rollbackLines(event);
      case 'undo-end':
        this.#undone.push(event);
        return [];
      case 'undo-step-end':
        return this.#undoLines();
      case 'fingerprint':
        return this.#fingerprintLines(event);
      case 'document':
        return ['', event.text];
      case 'run-end':
        return this.#endLines(event);
      case 'step-start':
      case 'step-end':
      case 'unit-end':
      case 'output':
        return [];
    }
  }

  #startLines({ run, playbook, check, hosts, changes }: EventOf<'run-start'>): string[] {
    const { dim } = this.#options.palette;
    this.#isCheck = check;
    const what = check ? 'Plan' : `Run ${run}`;
    return [
      dim(`${what}: ${playbook}, ${plural(hosts.length, 'host')}`),
      ...changes.map((change) => dim(`  ${change}`)),
    ];
  }

  #playLines({ play, hosts, batch, batches, left }: EventOf<'play-start'>): string[] {
    const { bold, yellow } = this.#options.palette;
    const part = batches > 1 ? ` (batch ${String(batch)} of ${String(batches)})` : '';
    const who = hosts.length <= 5 ? hosts.join(', ') : plural(hosts.length, 'host');
    const head = `${bold(play)}${part}: ${who}`;
    if (left === undefined) return ['', head];
    return ['', head, yellow(`  not run on ${left.join(', ')}: failed earlier and rolled back`)];
  }

  #retryLines({ host, attempt, attempts, message }: EventOf<'unit-retry'>): string[] {
    const { palette, verbose } = this.#options;
    if (!verbose) return [];
    const which = `attempt ${String(attempt)} of ${String(attempts)}`;
    return [palette.dim(`    ${host}: ${which}: ${message}`)];
  }

  #message({ level, text }: EventOf<'message'>): string {
    return level === 'info' ? text : this.#options.palette.yellow(`${level}: ${text}`);
  }

  #commitLine({ name, irreversible }: EventOf<'commit'>): string {
    const what = irreversible ? 'point of no return' : 'commit point';
    return this.#options.palette.cyan(`  ── ${what}: ${name} ──`);
  }

  #rollbackLines({ run, reason, units }: EventOf<'rollback-start'>): string[] {
    const { bold } = this.#options.palette;
    const why = rollbackReasons[reason] ?? `(${reason})`;
    return ['', bold(`Rolling back run ${run} ${why}: ${plural(units, 'change')}`)];
  }

  #fingerprintLines({ name, host, equal, message, diff }: EventOf<'fingerprint'>): string[] {
    const { palette, verbose } = this.#options;
    if (equal) return verbose ? [palette.dim(`  verified ${name} on ${host}`)] : [];
    const why = message === undefined ? '' : `: ${message}`;
    return [
      palette.red(`  DIFFERS  ${name} on ${host}${why}`),
      ...(diff ? this.#diffLines(diff) : []),
    ];
  }

  /**
   * The line of a finished step with its failures and, depending on the options, its changes and
   * their undo.
   */
  stepLines({ step, ends }: StepSummary, durationMs: number): string[] {
    const { palette } = this.#options;
    const state = worstState(ends);
    // The included steps have their own lines.
    const quiet = includes.has(step.module) && state === 'ok' && !this.#options.verbose;
    if (quiet) return [];
    const color =
      state === 'failed' || state === 'unreachable'
        ? palette.red
        : state === 'changed'
          ? palette.yellow
          : state === 'unknown'
            ? palette.cyan
            : state === 'ok'
              ? palette.green
              : palette.dim;
    const took = durationMs >= 100 ? palette.dim(` ${formatDuration(durationMs)}`) : '';
    const name = step.handler ? `${step.name} (handler)` : step.name;
    const stateName = this.#isCheck ? plannedState : (one: UnitState) => one;
    const label = stateName(state).padEnd(this.#isCheck ? 13 : 8);
    const hosts = palette.dim(countHosts(ends, stateName));
    const lines = [`  ${color(label)} ${name}: ${hosts}${took}`];
    for (const end of ends) lines.push(...this.#unitLines(end));
    return lines;
  }

  #unitLines(end: UnitEnd): string[] {
    const { palette, diff, undo, verbose } = this.#options;
    if (isFailure(end) || end.ignored === true)
      return failureLines(end).map((line) => palette.red(`           ${line}`));
    const lines: string[] = [];
    if (end.state === 'unknown' || (end.step.module === 'debug' && end.message !== undefined)) {
      lines.push(...failureLines(end).map((line) => palette.cyan(`           ${line}`)));
    }
    if (undo && end.state === 'changed') {
      const label = undoLabel(end.undo ?? 'none');
      const undoText = end.undo === 'uncovered' ? palette.red(label) : label;
      const what = (end.actions ?? []).map((action) => action.split('\n')[0] ?? '').join('; ');
      lines.push(palette.dim(`           ${end.host}: ${what || 'change'}  [${undoText}]`));
    } else if (verbose && end.stdout) {
      lines.push(
        ...end.stdout.split('\n').map((line) => palette.dim(`           ${end.host}| ${line}`)),
      );
    }
    if (diff) for (const one of end.diff ?? []) lines.push(...this.#diffLines(one));
    return lines;
  }

  /** One line per result of the undos of a step, with the hosts that share it. */
  #undoLines(): string[] {
    const { palette } = this.#options;
    const groups = new Map<string, { hosts: Set<string>; bad: boolean; message: string }>();
    for (const { step, host, state, message } of this.#undone) {
      const text = `${state.replace('undo-', '').padEnd(8)} ${step.name}`;
      const shown = message === undefined ? '' : `: ${message}`;
      const group = groups.get(text + shown) ?? { hosts: new Set(), bad: false, message: shown };
      group.hosts.add(host);
      group.bad = state === 'undo-failed' || state === 'undo-blocked';
      groups.set(text + shown, group);
    }
    this.#undone = [];
    return [...groups].map(([text, { hosts, bad, message }]) => {
      const names = hosts.size <= 3 ? [...hosts].sort().join(', ') : plural(hosts.size, 'host');
      const line = text.slice(0, text.length - message.length);
      return `  ${bad ? palette.red(line) : palette.green(line)}: ${palette.dim(names)}${message}`;
    });
  }

  #diffLines({ path, before, after }: FileDiff): string[] {
    const { palette } = this.#options;
    const patch = createPatch(path, before, after, '', '', { context: 2, maxEditLength: 2000 });
    if (patch === undefined) return [`      ${path}: too many changes to show`];
    return patch
      .split('\n')
      .slice(2)
      .filter((line) => line !== '')
      .map((line) => {
        const text = `      ${line}`;
        return line.startsWith('+')
          ? palette.green(text)
          : line.startsWith('-')
            ? palette.red(text)
            : palette.dim(text);
      });
  }

  #endLines(event: EventOf<'run-end'>): string[] {
    const { palette } = this.#options;
    const color = event.outcome === 'done' ? palette.green : palette.red;
    const lines = [
      '',
      `${color(event.message)} ${palette.dim(`(${formatDuration(event.durationMs)})`)}`,
    ];
    if (event.next.length > 0) lines.push('Next:');
    for (const command of event.next) lines.push(`  ${command}`);
    return lines;
  }
}
