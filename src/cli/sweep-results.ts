import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseResult, SweepOptions } from '../chaos/sweep.ts';
import type { Fault } from '../core/fault.ts';
import { fileChecksum } from '../journal/store.ts';

/**
 * Stores the results of a sweep in a file, so that an interrupted sweep can continue. The name of
 * the file depends on the playbook and the options: after a change of these, the sweep starts
 * again.
 */
export class SweepResults {
  readonly #file: string;
  readonly #results = new Map<string, CaseResult>();

  /** @param files the files of the playbook */
  constructor(stateDir: string, options: SweepOptions, files: readonly string[]) {
    const directory = join(stateDir, 'tests');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#file = join(directory, `${nameOf(options, files)}.jsonl`);
    for (const known of readResults(this.#file)) this.#keep(known);
  }

  of(step: string, fault: Fault): CaseResult | undefined {
    return this.#results.get(key(step, fault));
  }

  add(result: CaseResult): void {
    appendFileSync(this.#file, `${JSON.stringify(result)}\n`, { mode: 0o600 });
    this.#keep(result);
  }

  /** Deletes all results. */
  forget(): void {
    rmSync(this.#file, { force: true });
    this.#results.clear();
  }

  #keep(result: CaseResult): void {
    this.#results.set(key(result.step, result.fault), result);
  }
}

function nameOf(
  { playArgs, playground, prepare, ignored }: SweepOptions,
  playbookFiles: readonly string[],
): string {
  const hosts =
    playground.kind === 'hosts'
      ? [...playground.inventory.hosts.values()].map(({ name, vars }) => [name, vars])
      : [playground.managers, playground.workers];
  const files = [...playbookFiles, ...(prepare === undefined ? [] : [prepare])];
  const parts = [playArgs, hosts, files.map(fileChecksum), ignored.map(String)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function key(step: string, fault: Fault): string {
  return `${fault} ${step}`;
}

function readResults(file: string): CaseResult[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as CaseResult];
      } catch {
        // The sweep was killed while it wrote the last line.
        return [];
      }
    });
}
