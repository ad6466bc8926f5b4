// Reports banned words and phrases (words.ts) in all files, or, without exceptions, in the files and directories given.
// `--lower` removes exceptions that are no longer needed.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { excess, findings, lowered, type Exceptions } from './check-words.ts';
import { proseOf } from './prose.ts';

const root = join(import.meta.dirname, '..');
const list = join(import.meta.dirname, 'words-exceptions.json');
const everything =
  'src test playbooks roles examples docs scripts bench bin .ci README.md CHANGELOG.md eslint.config.js package.json';
/** Files that name what is banned. */
const exempt = ['scripts/words.ts', 'test/contract/words.test.ts'];

const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const starts = named.length > 0 ? named : everything.split(' ').map((path) => join(root, path));
const paths = starts.flatMap((start) =>
  statSync(start).isDirectory()
    ? readdirSync(start, { recursive: true, encoding: 'utf8' })
        .map((path) => join(start, path))
        .filter((path) => statSync(path).isFile())
    : [start],
);
const found = paths
  .map((path) => relative(root, path))
  .filter((path) => !exempt.includes(path) && !path.includes('node_modules'))
  .sort()
  .flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const prose = proseOf(path, text);
    return prose === undefined ? [] : findings(path, prose, text);
  });
let allowed = named.length > 0 ? {} : (JSON.parse(readFileSync(list, 'utf8')) as Exceptions);
if (process.argv.includes('--lower') && named.length === 0) {
  allowed = lowered(found, allowed);
  writeFileSync(list, `${JSON.stringify(allowed, undefined, 2)}\n`);
}
const wrong = excess(found, allowed);
for (const { path, line, column, phrase, use } of wrong)
  process.stderr.write(`${path}:${String(line)}:${String(column)}: "${phrase}": use "${use}"\n`);
if (wrong.length > 0) process.exitCode = 1;
