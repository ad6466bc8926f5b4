import { cpSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  RunnerProcess,
  type ProcessOptions,
  type ProcessResult,
} from '../../src/chaos/runner-process.ts';
import { checkJournal } from '../../src/checker/check-journal.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { packageRoot } from '../../src/util/package.ts';

export type CliResult = ProcessResult;

export type CliOptions = Partial<ProcessOptions>;

const LIMIT_MS = 90_000;

/** A home, state folder and working folder of their own for one test's calls of `runner`. */
export class Cli {
  readonly #process: RunnerProcess;

  constructor(env: Record<string, string> = {}, within: readonly string[] = []) {
    const program = join(packageRoot(), 'bin', 'runner.js');
    this.#process = new RunnerProcess(program, { PATH: process.env['PATH'] ?? '', ...env }, within);
  }

  get dir(): string {
    return this.#process.dir;
  }

  get stateDir(): string {
    return this.#process.stateDir;
  }

  file(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  /** @throws Error when it does not end in time */
  async run(args: string[], options: CliOptions = {}): Promise<CliResult> {
    const result = await this.#process.run(args, { timeoutMs: LIMIT_MS, ...options });
    const { stdout, stderr, timedOut } = result;
    if (!timedOut) return result;
    throw new Error(
      `runner ${args.join(' ')} did not end in time.\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
    );
  }

  /** @throws Error when a journal of these calls breaks a rule of undo; it is kept then */
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
