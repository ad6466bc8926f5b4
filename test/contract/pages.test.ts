import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from '../helpers/cli.ts';

const docs = join(packageRoot(), 'docs');
const pages = readdirSync(docs).filter((file) => file.endsWith('.md'));

it.each(pages)('docs/%s begins with its readers', (page) => {
  const [title, first] = readFileSync(join(docs, page), 'utf8').split('\n\n');
  expect(title).toMatch(/^# /);
  expect(first).toMatch(/^For (?:everyone|those|operators|playbook authors)\b/);
});

it.each([
  ['README.md', 150],
  ['docs/architecture.md', 200],
])('%s has at most %i lines', (page, most) => {
  const lines = readFileSync(join(packageRoot(), page), 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(most);
});

describe('the overlay in docs/customise.md', () => {
  let cli: Cli;
  beforeAll(() => {
    cli = new Cli();
  });
  afterAll(() => {
    cli.dispose();
  });

  it('changes steps that exist in the shipped upgrade', async () => {
    const page = readFileSync(join(docs, 'customise.md'), 'utf8');
    const text = /^```yaml\n(# mine\.yml\n[^]*?)^```$/m.exec(page)?.[1] ?? '';
    const { changes } = parse(text) as { changes: Record<string, string>[] };
    const { stdout } = await cli.run(['plan', 'upgrade.yml', '--list-tasks']);
    const ids = new Set(stdout.split('\n').map((line) => line.trim().split(' ')[0]));
    const named = changes.map(
      (one) => one['before'] ?? one['after'] ?? one['replace'] ?? one['disable'],
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
  });
});
