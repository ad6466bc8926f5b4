// Checks src/ for import cycles, long classes and long functions; `--lower` removes exceptions that are no longer needed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lowered, measure, problems, type Exceptions } from './structure.ts';

const root = join(import.meta.dirname, '..');
const list = join(import.meta.dirname, 'structure-exceptions.json');

const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => join('src', path))
  .sort();
const found = measure(new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])));
let allowed = JSON.parse(readFileSync(list, 'utf8')) as Exceptions;
if (process.argv.includes('--lower')) {
  allowed = lowered(found, allowed);
  writeFileSync(list, `${JSON.stringify(allowed, undefined, 2)}\n`);
}
const said = problems(found, allowed);
for (const problem of said) process.stderr.write(`${problem}\n`);
process.exitCode = said.length > 0 ? 1 : 0;
