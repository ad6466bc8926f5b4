import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { excess, findings, lowered, type Finding } from '../../scripts/check-words.ts';
import { proseOf } from '../../scripts/prose.ts';
import { packageRoot } from '../../src/util/package.ts';

const check = (path: string, text: string): string[] =>
  findings(path, proseOf(path, text) ?? '', text).map(
    ({ line, column, phrase }) => `${String(line)}:${String(column)} ${phrase}`,
  );

describe('the check of words', () => {
  it.each([
    ['the run was taken back', 'taken back'],
    ['Take the last change back.', 'Take the last change back'],
    ['4 can be mended', 'mended'],
    ['Start it anew', 'anew'],
    ['Copy the folder', 'folder'],
    ['The handler runs behind it', 'behind'],
    ['A name with a blank', 'blank'],
    ['the host is away', 'is away'],
    ['It is no valid name.', 'is no'],
    ['Run with the rights of another user', 'with the rights of'],
    ['r3 on 1 hosts', '1 hosts'],
    ['verified: all is as before', 'is as before'],
    ['retries what was cut off', 'cut off'],
    ['the program says why it failed', 'says why'],
    ['The value stands in the file', 'stands'],
  ])('finds "%s"', (text, phrase) => {
    expect(check('docs/a.md', `First line\n${text}`)).toEqual([
      `2:${String(text.indexOf(phrase) + 1)} ${phrase}`,
    ]);
  });

  it.each([
    'amend the record',
    'There is no inventory file.',
    'It is no longer needed.',
    'It leaves no process behind.',
    'a host behind a bastion',
    'in place of a stand-in',
    'after a blank line',
    'every one of 11 hosts',
    'unless told otherwise',
    'nobody else can read it',
    'systemd units',
    'It gives up after 5 attempts.',
    'start the run again at all steps',
  ])('accepts "%s"', (text) => {
    expect(check('docs/rollback.md', text)).toEqual([]);
  });
});

describe('the check of words in TypeScript', () => {
  it('reads comments, strings and templates of several words, also over line breaks', () => {
    const text = [
      '/**',
      ' * The run is taken',
      ' *   back now.',
      ' */',
      '// This may',
      '// not start.',
      "it('goes on without a host', () => {});",
      'const text = `the folder of ${name({ key: `mend it, ${other}` })}, anew`;',
    ].join('\n');
    expect(check('src/a.ts', text)).toEqual([
      '2:15 taken back',
      '5:9 may not',
      '7:5 goes on',
      '8:19 folder',
      '8:44 mend',
      '8:68 anew',
    ]);
  });

  it('ignores names, paths, single words and code in backticks', () => {
    const text = [
      "import { folder } from './the folder/a.ts';",
      "const folder: Folder = { folder: 'folder' };",
      '// Sets `folder`.',
      'const pattern = /the folder/;',
      'folder(folder, `${folder}`);',
    ].join('\n');
    expect(check('src/a.ts', text)).toEqual(['1:31 folder']);
  });

  it('separates adjacent strings, lines of a text, and paragraphs of a comment', () => {
    const text = [
      "const texts = ['may', 'not a word', 'it was cut', 'off by one'];",
      "const lines = 'it was cut\\noff by one';",
      '/** It was cut',
      ' *',
      ' * off by one. */',
    ].join('\n');
    expect(check('src/a.ts', text)).toEqual([]);
  });
});

describe('the check of words in other files', () => {
  it('reads comments and values of YAML, not keys', () => {
    const text = [
      '# Take the run',
      '# back.',
      '- name: Start it anew',
      '  folder: /srv # the folder',
      '  vars: { folder: folder, text: "{{folder}} of the folder" }',
      '  shell: |',
      '    # Mend it.',
    ].join('\n');
    expect(check('roles/a/tasks/main.yml', text)).toEqual([
      '1:3 Take the run back',
      '3:18 anew',
      '4:22 folder',
      '5:52 folder',
      '7:7 Mend',
    ]);
  });

  it('reads comments, strings and here-documents of shell', () => {
    const text = [
      'folder=$1 # the folder',
      'echo \'Start it anew\' "in the folder" folder',
      "cat <<'END'",
      "Don't mend it.",
      'END',
      '# Anew.',
    ].join('\n');
    expect(check('src/a.sh', text)).toEqual([
      '1:17 folder',
      '2:16 anew',
      '2:30 folder',
      '4:7 mend',
      '6:3 Anew',
    ]);
    expect(check('src/lab/stand-ins/docker', '# Anew.')).toEqual(['1:3 Anew']);
  });

  it('reads Markdown without code spans, links and output, and code blocks in their language', () => {
    const text = [
      'The [folder](docs/the-folder.md) `folder` is',
      'anew.',
      '',
      '| it was cut | off by one |',
      '',
      '```yaml',
      '- name: the folder # anew',
      '```',
      '',
      '```',
      'anew',
      '```',
    ].join('\n');
    expect(check('README.md', text)).toEqual([
      '1:6 folder',
      '2:1 anew',
      '7:13 folder',
      '7:22 anew',
    ]);
  });

  it('reads no files of other kinds', () => {
    expect(proseOf('schemas/a.json', '"anew"')).toBeUndefined();
  });
});

describe('exceptions of the check of words', () => {
  const found = ['a', 'a', 'b'].map((path): Finding => {
    return { path, line: 1, column: 1, phrase: 'anew', use: 'again' };
  });

  it('report the files with more findings than they may have', () => {
    expect(excess(found, {})).toEqual(found);
    expect(excess(found, { a: 2 })).toEqual(found.slice(2));
    expect(excess(found, { a: 1, b: 2 })).toEqual(found.slice(0, 2));
    expect(excess(found, { a: 2, b: 1 })).toEqual([]);
  });

  it('are lowered to what is needed, never raised or added', () => {
    expect(lowered(found, { a: 5, c: 1 })).toEqual({ a: 2 });
    expect(lowered(found, { a: 1 })).toEqual({ a: 1 });
  });
});

it('the dictionary of the spelling check is sorted, in lower case and without duplicates', () => {
  const words = readFileSync(join(packageRoot(), 'scripts', 'dictionary.txt'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(words).toEqual([...new Set(words.map((word) => word.toLowerCase()))].sort());
});
