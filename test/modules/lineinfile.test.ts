import { describe, expect, it } from 'vitest';
import { lineinfile } from '../../src/modules/lineinfile.ts';
import { validateValue } from '../../src/util/schema.ts';
import { found, path, restored } from '../helpers/file-facts.ts';
import { absent, fakeHost, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

const removed = { module: 'restore_path', args: { path, state: 'absent' } };

testModule(lineinfile, {
  settled: [
    { title: 'the line exists', args: { path, line: 'a=1' }, facts: found('a=1\nb=2\n') },
    {
      title: 'a line to remove does not exist',
      args: { path, regexp: '^z', state: 'absent' },
      facts: found('a=1\n'),
    },
    {
      title: 'the file of a line to remove does not exist',
      args: { path, line: 'a', state: 'absent' },
      facts: missing,
    },
  ],
  changes: [
    {
      title: 'appends the line',
      args: { path, line: 'c' },
      facts: found('a\n'),
      actions: [`write ${path}`],
      restore: [restored('a\n')],
    },
    {
      title: 'replaces the line that matches',
      args: { path, regexp: '^a=', line: 'a=2' },
      facts: found('a=1\n'),
      actions: [`write ${path}`],
    },
    {
      title: 'creates the file',
      args: { path, line: 'a', create: true },
      facts: missing,
      actions: [`write ${path}`],
      restore: [removed],
    },
    {
      title: 'removes all lines that match',
      args: { path, regexp: '^a', state: 'absent' },
      facts: found('a\nb\na\n'),
      actions: [`write ${path}`],
    },
  ],
  refused: [
    { title: 'a missing file', args: { path, line: 'a' }, facts: missing, code: 'TASK_FAILED' },
    {
      title: 'an invalid regular expression',
      args: { path, regexp: '(', line: 'a' },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
  ],
});

describe('lineinfile with search_string and backrefs', () => {
  const edited = async (text: string, args: object): Promise<string> => {
    const { actions } = await lineinfile.plan({ path, ...args }, fakeHost({ facts: found(text) }));
    const [action] = actions;
    return action?.kind === 'write' ? action.content : text;
  };

  it('finds literal text, in the last or the first line', async () => {
    const text = 'a.b=1\naxb=2\na.b=3\n';
    expect(await edited(text, { search_string: 'a.b', line: 'x' })).toBe('a.b=1\naxb=2\nx\n');
    expect(await edited(text, { search_string: 'a.b', line: 'x', firstmatch: true })).toBe(
      'x\naxb=2\na.b=3\n',
    );
    expect(await edited(text, { search_string: 'a.b', state: 'absent' })).toBe('axb=2\n');
    expect(await edited(text, { search_string: 'none', line: 'new' })).toBe(`${text}new\n`);
  });

  it('inserts matched groups, and does not change a file without a match', async () => {
    const args = { regexp: '^(\\w+) = (?<value>.*)$', line: '\\1: \\g<value>', backrefs: true };
    expect(await edited('# x\nport = 80\n', args)).toBe('# x\nport: 80\n');
    expect(await edited('nothing\n', args)).toBe('nothing\n');
    await expect(edited('a = 1\n', { ...args, line: '\\3' })).rejects.toThrow('does not have');
    await expect(edited('a\n', { line: 'x', backrefs: true })).rejects.toThrow('needs "regexp"');
  });

  it('refuses "regexp" and "search_string" together', () => {
    const both = { path, regexp: 'a', search_string: 'a', line: 'x' };
    expect(validateValue(lineinfile.args, both)).not.toEqual([]);
  });
});
