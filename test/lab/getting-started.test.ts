import { describe, expect, it } from 'vitest';
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
