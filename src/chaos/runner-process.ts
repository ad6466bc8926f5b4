import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../output/events.ts';
import { after } from '../util/time.ts';

export interface ProcessResult {
  /** Null if the process was killed. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** With `--output json`. */
  events: RunEvent[];
  timedOut: boolean;
}

export interface ProcessOptions {
  env?: Record<string, string>;
  /** Called for each event; may kill the process. */
  onEvent?: (event: RunEvent, child: ChildProcess) => void;
  cwd?: string;
  /**
   * Starts the process in its own process group, so that signals can be sent like from a terminal.
   */
  detached?: boolean;
  /** Milliseconds after which the process is killed. */
  timeoutMs: number;
}

/** Runs `runner` with its own home, state directory and working directory. */
export class RunnerProcess {
  readonly dir = mkdtempSync(join(tmpdir(), 'runner-test-'));
  readonly #command: readonly string[];
  readonly #env: Record<string, string>;

  /**
   * @param program the script, run by this version of Node.js
   * @param within a command that runs another one, for example in a namespace
   */
  constructor(program: string, env: Record<string, string>, within: readonly string[] = []) {
    this.#command = [...within, process.execPath, program];
    this.#env = env;
  }

  get stateDir(): string {
    return join(this.dir, 'state', 'runner');
  }

  run(
    args: string[],
    { env = {}, onEvent, cwd = this.dir, detached = false, timeoutMs }: ProcessOptions,
  ): Promise<ProcessResult> {
    const [command = '', ...words] = this.#command;
    const child = spawn(command, [...words, ...args], {
      cwd,
      detached,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { HOME: this.dir, XDG_STATE_HOME: join(this.dir, 'state'), ...this.#env, ...env },
    });
    const events: RunEvent[] = [];
    let stdout = '';
    let stderr = '';
    const read = eventReader((event) => {
      events.push(event);
      onEvent?.(event, child);
    });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      read(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    return new Promise((resolve, reject) => {
      let timedOut = false;
      const cancel = after(timeoutMs, () => {
        timedOut = true;
        child.kill('SIGKILL');
      });
      child.once('error', reject);
      child.once('close', (code) => {
        cancel();
        resolve({ code, stdout, stderr, events, timedOut });
      });
    });
  }

  /** Texts of all journals that the calls wrote, by run. */
  journals(): Map<string, string> {
    const runs = join(this.stateDir, 'runs');
    const names = existsSync(runs) ? readdirSync(runs) : [];
    return new Map(
      names.flatMap((name): [string, string][] => {
        const journal = join(runs, name, 'journal');
        return existsSync(journal) ? [[name, readFileSync(journal, 'utf8')]] : [];
      }),
    );
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Parses chunks of `--output json` into events. */
export function eventReader(onEvent: (event: RunEvent) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{"v":1')) onEvent(JSON.parse(line) as RunEvent);
  };
}

/** How a call ended, for a report. */
export function endOf({ events, stderr, timedOut, code }: ProcessResult): string {
  if (timedOut) return 'it exceeded its time limit';
  const end = events.findLast((event) => event.type === 'run-end');
  return end?.message ?? (stderr.trim() || `exit code ${String(code)}`);
}
