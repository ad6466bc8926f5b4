import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { followPage } from '../helpers/tried-page.ts';

describe.each([
  ['docs/getting-started.md', undefined, 6],
  ['README.md', 'A first playbook', 2],
  ['docs/recover.md', 'Try it in the lab', 3],
])('the commands of %s', (page, heading, least) => {
  it('print what the page shows', async () => {
    const shown = await followPage(page, heading);
    expect(shown.length).toBeGreaterThanOrEqual(least);
    for (const { command, expected, actual } of shown) expect(actual, command).toBe(expected);
  });
});

it('a lab is not started inside another one', async () => {
  const lab = join(packageRoot(), 'scripts', 'lab.mjs');
  const nested = promisify(execFile)(process.execPath, [lab, 'true'], {
    env: { PATH: process.env['PATH'] ?? '', RUNNER_LAB_OPEN: '1' },
  });
  await expect(nested).rejects.toMatchObject({
    code: 1,
    stderr: 'A lab is already open in this shell. Leave it with: exit\n',
  });
});
