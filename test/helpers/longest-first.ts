import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const file = new URL('../durations.json', import.meta.url);

/**
 * Starts the longest files first, so that no worker still runs one of them while the others are
 * idle.
 */
export default class LongestFirst extends BaseSequencer {
  override sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    const root = this.ctx.config.root;
    const of = ({ moduleId }: TestSpecification) => seconds[relative(root, moduleId)] ?? 0;
    return Promise.resolve(specifications.toSorted((a, b) => of(b) - of(a)));
  }
}
