import { describe, expect, it } from 'vitest';
import { blockinfile } from '../../src/modules/blockinfile.ts';
import { testModule } from '../helpers/module-tester.ts';
import { found, missing, path, written } from '../helpers/text-facts.ts';

const write = [`write ${path}`];

const block = '# BEGIN ANSIBLE MANAGED BLOCK\none\ntwo\n# END ANSIBLE MANAGED BLOCK\n';

testModule(blockinfile, {
  settled: [
    { title: 'the block exists', args: { path, block: 'one\ntwo' }, facts: found(`a\n${block}`) },
    {
      title: 'a block to remove does not exist',
      args: { path, state: 'absent' },
      facts: found('a\n'),
    },
    {
      title: 'the file of a block to remove does not exist',
      args: { path, block: '' },
      facts: missing(),
    },
  ],
  changes: [
    { title: 'adds a block', args: { path, block: 'one' }, facts: found('a\n'), actions: write },
    {
      title: 'creates the file',
      args: { path, block: 'one', create: true, mode: '0600' },
      facts: missing(),
      actions: [`write ${path} mode 0600`],
      restore: [{ module: 'restore_path', args: { path, state: 'absent' } }],
    },
  ],
  refused: [
    { title: 'a missing file', args: { path, block: 'a' }, facts: missing(), code: 'TASK_FAILED' },
    {
      title: 'a block without an end marker',
      args: { path, block: 'a' },
      facts: found('# BEGIN ANSIBLE MANAGED BLOCK\nx\n'),
      code: 'TASK_FAILED',
    },
    {
      title: 'identical markers',
      args: { path, block: 'a', marker_end: 'BEGIN' },
      facts: found(''),
      code: 'TASK_FAILED',
    },
    { title: 'a marker without {mark}', args: { path, marker: '# x' }, code: 'SCHEMA' },
  ],
});

describe('blockinfile', () => {
  it('inserts a block at the given place, replaces it and removes it', async () => {
    const text = 'a\nb\n';
    expect(await written(blockinfile, { path, block: 'one\ntwo' }, text)).toBe(`${text}${block}`);
    expect(await written(blockinfile, { path, block: 'one\ntwo', insertafter: '^a' }, text)).toBe(
      `a\n${block}b\n`,
    );
    expect(await written(blockinfile, { path, block: 'one\ntwo', insertbefore: 'BOF' }, text)).toBe(
      `${block}${text}`,
    );
    const there = `a\n${block}b\n`;
    expect(await written(blockinfile, { path, state: 'absent' }, there)).toBe(text);
    expect(await written(blockinfile, { path, block: 'ü\n' }, there)).toBe(
      'a\n# BEGIN ANSIBLE MANAGED BLOCK\nü\n# END ANSIBLE MANAGED BLOCK\nb\n',
    );
    const own = { path, block: 'x', marker: '<!-- {mark} -->', marker_begin: 'A', marker_end: 'Z' };
    expect(await written(blockinfile, own, '')).toBe('<!-- A -->\nx\n<!-- Z -->\n');
  });
});
