import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  RunnerProcess,
  type ProcessOptions,
  type ProcessResult,
} from '../../src/chaos/runner-process.ts';
import { checkJournal } from '../../src/checker/check-journal.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { packageRoot } from '../../src/util/package.ts';
import { callRunner, isCalling } from './in-process.ts';

export type CliResult = ProcessResult;

export interface CliOptions {
  env?: Record<string, string>;
  /** Default: the directory of the test. */
  cwd?: string;
  /** Called for each event of `--output json`. */
  onEvent?: (event: RunEvent) => void;
  timeoutMs?: number;
}

export type SpawnOptions = Partial<ProcessOptions>;

const LIMIT_MS = 240_000;

/** Calls of `runner` in one test, with their own home, state directory and working directory. */
export class Cli {
  readonly #process: RunnerProcess;
  readonly #env: Record<string, string>;
  readonly #within: readonly string[];

  /** @param within a command that runs another one, for example in a namespace */
  constructor(env: Record<string, string> = {}, within: readonly string[] = []) {
    const program = join(packageRoot(), 'bin', 'runner.js');
    this.#env = { PATH: process.env['PATH'] ?? '', ...env };
    this.#within = within;
    this.#process = new RunnerProcess(program, this.#env, within);
  }

  get dir(): string {
    return this.#process.dir;
  }

  get stateDir(): string {
    return this.#process.stateDir;
  }

  /** Writes a file below the working directory, and the directories of its path. Returns its full path. */
  file(name: string, text: string): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /**
   * Calls the command line in this process, or in a new one if necessary: in a namespace, and
   * during another call.
   * @throws Error when it exceeds the time limit
   */
  async run(args: string[], options: CliOptions = {}): Promise<CliResult> {
    if (this.#within.length > 0 || isCalling()) return this.spawn(args, options);
    const { env, cwd = this.dir, timeoutMs = LIMIT_MS, onEvent } = options;
    const home = { HOME: this.dir, XDG_STATE_HOME: join(this.dir, 'state') };
    const call = { env: { ...home, ...this.#env, ...env }, cwd, timeoutMs, onEvent };
    return inTime(args, await callRunner(args, call));
  }

  /**
   * Runs the program, for tests of signals, kills and exit codes.
   *
   * @throws Error when it exceeds the time limit
   */
  async spawn(args: string[], options: SpawnOptions = {}): Promise<CliResult> {
    return inTime(args, await this.#process.run(args, { timeoutMs: LIMIT_MS, ...options }));
  }

  /** @throws Error when a journal of these calls breaks a rule of undo; that journal is kept */
  dispose(): void {
    const problems = [...this.#process.journals()].flatMap(([run, text]) =>
      checkJournal(text).map((problem) => `${run}: ${problem}`),
    );
    if (problems.length > 0) {
      const kept = join(tmpdir(), `runner-bad-journals-${String(process.pid)}`);
      cpSync(this.stateDir, kept, { recursive: true });
      throw new Error(`Journals in ${kept} break the rules of undo:\n${problems.join('\n')}`);
    }
    this.#process.dispose();
  }
}

function inTime(args: readonly string[], result: CliResult): CliResult {
  const { stdout, stderr, timedOut } = result;
  if (!timedOut) return result;
  throw new Error(
    `runner ${args.join(' ')} did not end in time.\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
  );
}

/** Hosts on which units of a step ended in a state, by task name. */
export function hostsIn(events: readonly RunEvent[], task: string, state: string): string[] {
  return events.flatMap((event) =>
    event.type === 'unit-end' && event.step.name === task && event.state === state
      ? [event.host]
      : [],
  );
}

/** Names of the steps, in the order in which they started. */
export function stepNames(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'step-start' ? [event.step.name] : []));
}

/** Id of the run that the events belong to. */
export function runOf(events: readonly RunEvent[]): string {
  return events.find((event) => event.type === 'run-start')?.run ?? '';
}
