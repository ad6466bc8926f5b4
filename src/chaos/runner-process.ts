import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../core/events.ts';

export interface ProcessResult {
  /** Null when it was killed. */
  code: number | null;
  events: RunEvent[];
  stderr: string;
  timedOut: boolean;
}

export interface ProcessOptions {
  env?: Record<string, string>;
  onEvent?: (event: RunEvent, child: ChildProcess) => void;
  timeoutMs: number;
}

/** Calls of `runner` with a home and a state folder of their own. */
export class RunnerProcess {
  readonly dir = mkdtempSync(join(tmpdir(), 'runner-test-home-'));
  readonly #program: string;
  readonly #env: Record<string, string>;

  /** @param program the script that is run by this Node */
  constructor(program: string, env: Record<string, string>) {
    this.#program = program;
    this.#env = env;
  }

  run(args: string[], { env = {}, onEvent, timeoutMs }: ProcessOptions): Promise<ProcessResult> {
    const child = spawn(process.execPath, [this.#program, ...args, '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        HOME: this.dir,
        XDG_STATE_HOME: join(this.dir, 'state'),
        ...this.#env,
        ...env,
      },
    });
    const events: RunEvent[] = [];
    let rest = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.startsWith('{"v":1'))) {
        const event = JSON.parse(line) as RunEvent;
        events.push(event);
        onEvent?.(event, child);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-4000);
    });
    return new Promise((resolve, reject) => {
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, timeoutMs);
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, events, stderr, timedOut });
      });
    });
  }

  /** Texts of all journals that these calls wrote, by run. */
  journals(): Map<string, string> {
    const runs = join(this.dir, 'state', 'runner', 'runs');
    let names: string[] = [];
    try {
      names = readdirSync(runs);
    } catch {
      // No run came so far.
    }
    return new Map(names.map((name) => [name, readFileSync(join(runs, name, 'journal'), 'utf8')]));
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The run's last words, for a report. */
export function lastWords({ events, stderr, timedOut, code }: ProcessResult): string {
  if (timedOut) return 'it did not end in time';
  const end = events.findLast((event) => event.type === 'run-end');
  return end?.message ?? (stderr.trim() || `it ended with code ${String(code)}`);
}
