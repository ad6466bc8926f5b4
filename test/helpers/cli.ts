import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkJournal } from '../../src/checker/check-journal.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { packageRoot } from '../../src/util/package.ts';

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** With `--output json`. */
  events: RunEvent[];
}

export interface CliOptions {
  env?: Record<string, string>;
  /** Sees each event as it comes, and may kill the process. */
  onEvent?: (event: RunEvent, child: ChildProcess) => void;
  cwd?: string;
  /** In a process group of its own, to which signals can be sent as a terminal does. */
  detached?: boolean;
  /** Milliseconds after which the process is killed and the test fails. */
  limitMs?: number;
}

const LIMIT_MS = 90_000;

/** A home, state folder and working folder of their own for one test's calls of `runner`. */
export class Cli {
  readonly dir = mkdtempSync(join(tmpdir(), 'runner-cli-'));
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.#env = env;
  }

  get stateDir(): string {
    return join(this.dir, 'state', 'runner');
  }

  file(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  run(
    args: string[],
    { env = {}, onEvent, cwd, detached = false, limitMs = LIMIT_MS }: CliOptions = {},
  ): Promise<CliResult> {
    const child = spawn(process.execPath, [join(packageRoot(), 'bin', 'runner.js'), ...args], {
      cwd: cwd ?? this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.dir,
        XDG_STATE_HOME: join(this.dir, 'state'),
        ...this.#env,
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    let line = '';
    const events: RunEvent[] = [];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      line += chunk;
      const lines = line.split('\n');
      line = lines.pop() ?? '';
      for (const one of lines.filter((text) => text.startsWith('{"v":1'))) {
        const event = JSON.parse(one) as RunEvent;
        events.push(event);
        onEvent?.(event, child);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(
          new Error(
            `runner ${args.join(' ')} did not end in time.\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
          ),
        );
      }, limitMs);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout, stderr, events });
      });
    });
  }

  /** What all journals of this command line break of the rules of undo. */
  journalProblems(): string[] {
    const runs = join(this.stateDir, 'runs');
    if (!existsSync(runs)) return [];
    return readdirSync(runs).flatMap((run) => {
      const journal = join(runs, run, 'journal');
      if (!existsSync(journal)) return [];
      return checkJournal(readFileSync(journal, 'utf8')).map((problem) => `${run}: ${problem}`);
    });
  }

  /** @throws Error when a journal breaks a rule */
  dispose(): void {
    const problems = this.journalProblems();
    if (problems.length > 0) {
      cpSync(this.stateDir, join(tmpdir(), `runner-bad-journals-${String(process.pid)}`), {
        recursive: true,
      });
      throw new Error(`Journals break the rules of undo:\n${problems.join('\n')}`);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Hosts on which units of a step ended in a state, by task name. */
export function hostsIn(events: readonly RunEvent[], task: string, state: string): string[] {
  return events.flatMap((event) =>
    event.type === 'unit-end' && event.step.name === task && event.state === state
      ? [event.host]
      : [],
  );
}

/** Names of the steps in the order they began. */
export function stepNames(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'step-start' ? [event.step.name] : []));
}
