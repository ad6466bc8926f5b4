import { describe, expect, it } from 'vitest';
import { replace } from '../../src/modules/replace.ts';
import { testModule } from '../helpers/module-tester.ts';
import { found, missing, path, written } from '../helpers/text-facts.ts';

const write = [`write ${path}`];

testModule(replace, {
  settled: [
    { title: 'nothing matches', args: { path, regexp: 'x', replace: 'y' }, facts: found('a\n') },
    {
      title: 'the text was already replaced',
      args: { path, regexp: '^a=.*', replace: 'a=1' },
      facts: found('a=1\n'),
    },
    {
      title: 'the expression in "after" does not match',
      args: { path, regexp: 'a', replace: 'b', after: '^\\[x\\]' },
      facts: found('a\n'),
    },
  ],
  changes: [
    {
      title: 'replaces all matches',
      args: { path, regexp: 'a' },
      facts: found('a\n'),
      actions: write,
    },
  ],
  refused: [
    { title: 'a missing file', args: { path, regexp: 'a' }, facts: missing(), code: 'TASK_FAILED' },
    {
      title: 'an invalid regular expression',
      args: { path, regexp: '(' },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
  ],
});

describe('replace', () => {
  it('handles groups, line ends, "after", "before", and text that looks like a group', async () => {
    const text = 'a=1\n[x]\na=2\n[y]\na=3\n';
    expect(await written(replace, { path, regexp: '^a=(\\d)$', replace: 'b=\\1\\1' }, text)).toBe(
      'b=11\n[x]\nb=22\n[y]\nb=33\n',
    );
    const part = { path, regexp: 'a', replace: '$& é', after: '^\\[x\\]', before: '^\\[y\\]' };
    expect(await written(replace, part, text)).toBe('a=1\n[x]\n$& é=2\n[y]\na=3\n');
    const named = { path, regexp: '(?<n>\\d)', replace: '<\\g<n>>' };
    expect(await written(replace, named, 'a=1')).toBe('a=<1>');
  });
});
