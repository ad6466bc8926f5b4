import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import {
  cyclicImports,
  lowered,
  measure,
  problems,
  type Exceptions,
} from '../../scripts/structure.ts';
import { packageRoot } from '../../src/util/package.ts';

const none: Exceptions = { cycles: [], classes: {}, functions: {} };
const lines = (count: number) => 'x();\n'.repeat(count);

describe('the check of import cycles', () => {
  it('names every import of a cycle, type imports and dynamic imports included', () => {
    const sources = new Map([
      ['src/a/one.ts', "import { two } from '../b/two.ts';"],
      ['src/b/two.ts', "import type { Three } from './three.ts';"],
      ['src/b/three.ts', "const one = await import('../a/one.ts');"],
      ['src/b/four.ts', "export { two } from './two.ts'; import 'node:fs';"],
    ]);
    expect(cyclicImports(sources)).toEqual([
      'src/a/one.ts > src/b/two.ts',
      'src/b/three.ts > src/a/one.ts',
      'src/b/two.ts > src/b/three.ts',
    ]);
    sources.set('src/b/three.ts', '');
    expect(cyclicImports(sources)).toEqual([]);
  });

  it('fails for a new cycle, and for an exception that is no longer needed', () => {
    const edge = 'src/a.ts > src/b.ts';
    expect(problems({ ...none, cycles: [edge] }, none)).toEqual([
      `Import cycle: ${edge}. Move the code that both files need into a third one.`,
    ]);
    expect(problems(none, { ...none, cycles: [edge] })).toEqual([
      `No longer part of a cycle: ${edge}. Run "npm run lint:structure -- --lower".`,
    ]);
    expect(problems({ ...none, cycles: [edge] }, { ...none, cycles: [edge] })).toEqual([]);
  });
});

describe('the check of sizes', () => {
  const found = (text: string) => measure(new Map([['src/a.ts', text]]));

  it('counts the lines of classes above 250 and of functions above 60', () => {
    expect(found(`class A {\n  m() {\n${lines(58)}  }\n}\nfunction f() {\n${lines(58)}}`)).toEqual(
      none,
    );
    expect(found(`class A {\n  m() {\n${lines(59)}  }\n}`).functions).toEqual({
      'src/a.ts A.m': 61,
    });
    expect(found(`const f = () => {\n  g(() => {\n${lines(70)}  });\n};`).functions).toEqual({
      'src/a.ts f': 74,
      'src/a.ts f.callback': 72,
    });
    expect(found(`class A {\n${'  x = 1;\n'.repeat(249)}}`).classes).toEqual({ 'src/a.ts A': 251 });
  });

  it('fails above the recorded size, and below it until the exception is lowered', () => {
    const allowed = { ...none, functions: { 'src/a.ts f': 70, 'src/a.ts g': 80 } };
    const now = { ...none, functions: { 'src/a.ts f': 71, 'src/a.ts g': 79, 'src/a.ts h': 61 } };
    expect(problems(now, allowed)).toEqual([
      expect.stringContaining('src/a.ts f has 71 lines, at most 70'),
      expect.stringContaining('src/a.ts g has 79 lines, not 80'),
      expect.stringContaining('src/a.ts h has 61 lines, at most 60'),
    ]);
    expect(problems(none, allowed)).toHaveLength(2);
    expect(problems(allowed, allowed)).toEqual([]);
  });

  it('--lower reduces sizes and adds no exception', () => {
    const allowed: Exceptions = {
      cycles: ['a > b', 'b > a'],
      classes: { 'src/a.ts A': 300 },
      functions: { 'src/a.ts f': 70, 'src/a.ts g': 80 },
    };
    const now: Exceptions = {
      cycles: ['a > b', 'c > d'],
      classes: {},
      functions: { 'src/a.ts f': 75, 'src/a.ts g': 65, 'src/a.ts h': 90 },
    };
    expect(lowered(now, allowed)).toEqual({
      cycles: ['a > b'],
      classes: {},
      functions: { 'src/a.ts f': 70, 'src/a.ts g': 65 },
    });
  });
});

describe('the import rules', () => {
  const eslint = new ESLint({ cwd: packageRoot() });
  const directories = readdirSync(join(packageRoot(), 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

  /** The messages of the rules for a line in a file. */
  async function messages(path: string, code: string): Promise<string[]> {
    const config = (await eslint.calculateConfigForFile(path)) as Linter.Config;
    const rules = Object.entries(config.rules ?? {}).filter(([name]) =>
      /^no-restricted-(imports|syntax|globals)$/.test(name),
    );
    const parser = tseslint.parser as Linter.Parser;
    const own = {
      files: ['**/*.ts'],
      languageOptions: { parser },
      rules: Object.fromEntries(rules),
    };
    return new Linter().verify(code, [own], { filename: path }).map(({ message }) => message);
  }

  it.each(directories.filter((name) => name !== 'cli'))(
    'src/%s has a row, and must not import cli',
    async (directory) => {
      const said = await messages(`src/${directory}/x.ts`, "import '../cli/main.ts';");
      expect(said).toEqual([expect.stringContaining(`src/${directory} must not import src/cli.`)]);
    },
  );

  it.each([
    ['engine', "import '../modules/copy.ts';", 'src/modules'],
    ['engine', "import type { Line } from '../transport/line.ts';", 'src/transport'],
    ['engine', "import '../output/text.ts';", 'src/output'],
    ['engine', "import '../../engine/../transport/deep/line.ts';", 'src/transport'],
    ['engine', "await import('../modules/copy.ts');", 'dynamically'],
    ['engine', "type Copy = import('../modules/copy.ts').Copy;", 'Use a static import'],
    ['engine', "import { spawn } from 'node:child_process';", 'node:child_process'],
    ['engine', 'Math.random();', 'The same journal'],
    ['transport', 'Math.random();', 'The same journal'],
    ['engine', 'process.nextTick(() => {});', 'process'],
    ['facts', "import { readFile } from 'node:fs/promises';", 'node:fs'],
    ['core', "import '../util/text.ts';", 'src/util'],
    ['inventory', "import '../playbook/load.ts';", 'src/playbook'],
    ['yaml', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['playbook', "import { existsSync } from 'node:fs';", 'node:fs'],
    ['yaml', "import '../playbook/load.ts';", 'src/playbook'],
    ['language', "import '../yaml/yaml.ts';", 'src/yaml'],
    ['playbook', "import '../inventory/load.ts';", 'src/inventory'],
    ['checker', "import '../core/json.ts';", 'src/core'],
    ['modules', "import { Client } from 'ssh2';", 'ssh2'],
  ])('refuse in src/%s: %s', async (directory, code, part) => {
    expect((await messages(`src/${directory}/x.ts`, code)).join('\n')).toContain(part);
  });

  it.each([
    ['engine', "import '../journal/journal.ts'; import './unit.ts'; import './undo/order.ts';"],
    ['core', "import type { A } from '../util/archive.ts';"],
    ['inventory', "import '../yaml/yaml.ts'; import '../yaml/map-reader.ts';"],
    ['modules', "await import('./copy.ts');"],
    ['cli', "import '../engine/run.ts'; await import('../mke/convert.ts');"],
    ['transport', "import { Client } from 'ssh2'; import 'node:net';"],
  ])('allow in src/%s: %s', async (directory, code) => {
    expect(await messages(`src/${directory}/x.ts`, code)).toEqual([]);
  });
});
