import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** Counts of a run for scripts/test.mjs. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Prints the packages that skipped tests need, and writes the counts to the file TEST_COUNTS. With
 * RECORD_DURATIONS it writes the duration of each file, which decides the order of the next run.
 */
export default class SummaryReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts: Counts = { passed: 0, failed: errors.length, skipped: 0 };
    const notes = new Map<string, number>();
    for (const module of modules) {
      // A file that cannot be loaded has no tests to count.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed++;
        else if (state === 'failed') counts.failed++;
        else {
          counts.skipped++;
          const note =
            /\[(needs [^\]]+)\]/.exec(test.fullName)?.[1] ?? `no reason given: ${test.fullName}`;
          notes.set(note, (notes.get(note) ?? 0) + 1);
        }
      }
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    // A filter by title also skips tests, without missing packages.
    const filtered = process.env['TEST_TITLE'] !== undefined;
    for (const [note, count] of filtered ? [] : notes)
      process.stdout.write(`Skipped ${String(count)}: ${note}\n`);
    const path = process.env['TEST_COUNTS'];
    if (path !== undefined) writeFileSync(path, JSON.stringify(counts));
    if (process.env['RECORD_DURATIONS'] !== undefined) this.#record(modules);
  }

  #record(modules: readonly TestModule[]): void {
    const root = this.#vitest?.config.root ?? process.cwd();
    const file = new URL('../durations.json', import.meta.url);
    const known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    const rows = new Map(Object.entries(known));
    for (const module of modules) {
      const seconds = Math.round(module.diagnostic().duration / 1000);
      rows.set(relative(root, module.moduleId), seconds);
    }
    const long = [...rows].filter(
      ([path, seconds]) => seconds >= 2 && existsSync(join(root, path)),
    );
    const sorted = long.sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
  }
}
