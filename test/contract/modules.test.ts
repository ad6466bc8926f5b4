import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import type { JsonSchema } from '../../src/core/module.ts';
import * as mkeModules from '../../src/mke/modules/index.ts';
import * as modules from '../../src/modules/index.ts';
import * as undoModules from '../../src/modules/undo/index.ts';
import { packageRoot } from '../../src/util/package.ts';
import { validateValue } from '../../src/util/schema.ts';

const all = [...builtinModules.values()];
const root = packageRoot();

const directories: [directory: string, index: Record<string, { name: string }>][] = [
  ['modules', modules],
  ['modules/undo', undoModules],
  ['mke/modules', mkeModules],
];

describe.each(directories)('the index of src/%s', (directory, index) => {
  it('has a line for every file of the directory, sorted by name', () => {
    const onDisk = readdirSync(join(root, 'src', directory), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'index.ts')
      .map(({ name }) => name.replace(/\.ts$/, ''));
    const lines = readFileSync(join(root, 'src', directory, 'index.ts'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('export '));
    expect(lines).toEqual(onDisk.sort().map((name) => `export { ${name} } from './${name}.ts';`));
  });

  it('has every module under its own name', () => {
    for (const [name, module] of Object.entries(index)) expect(module.name).toBe(name);
  });
});

describe('the tests of modules', () => {
  it.each(directories)('have a file for each module in src/%s', (directory, index) => {
    const untested = Object.keys(index).filter(
      (name) => !existsSync(join(root, 'test', directory, `${name}.test.ts`)),
    );
    expect(untested).toEqual([]);
  });
});

describe('the registry', () => {
  it('has the modules of all directories', () => {
    const names = directories.flatMap(([, index]) => Object.keys(index));
    expect([...builtinModules.keys()].sort()).toEqual(names.sort());
  });

  it('does not offer the modules of src/modules/undo to playbooks', () => {
    expect([...builtinModules.undoOnly].sort()).toEqual(Object.keys(undoModules).sort());
  });
});

function* objects(schema: unknown, path = ''): Generator<[string, JsonSchema]> {
  if (typeof schema !== 'object' || schema === null) return;
  const node = schema as JsonSchema;
  if (node['properties']) yield [path, node];
  for (const [key, value] of Object.entries(node)) {
    if (['properties', 'items', 'additionalProperties'].includes(key)) {
      const inner =
        key === 'properties' ? Object.entries(value as object) : [[key, value] as const];
      for (const [name, one] of inner) yield* objects(one, `${path}.${name}`);
    }
  }
}

describe.each(all.map((module) => [module.name, module] as const))('module %s', (name, module) => {
  it('has a valid schema', () => {
    const ajv = new Ajv();
    expect(ajv.validateSchema(module.args), ajv.errorsText()).toBe(true);
  });

  it('has a summary of one sentence', () => {
    expect(module.summary).toMatch(/^[A-Z].*\.$/);
  });

  it('has a schema that compiles and refuses unknown arguments', () => {
    const problems = validateValue(module.args, { no_such_argument_anywhere: 1 });
    if (name !== 'set_fact') expect(problems).not.toEqual([]);
  });

  it('describes every argument', () => {
    for (const [path, node] of objects(module.args)) {
      const properties = node['properties'] as Record<string, { description?: string }>;
      for (const [key, { description }] of Object.entries(properties)) {
        expect(description, `${path}.${key}`).toMatch(/^.{4,}\.$/);
      }
      // Arbitrary names, such as those of variables, have one common description.
      const others = node['additionalProperties'] as { description?: string } | false;
      if (others !== false) expect(others.description, path).toMatch(/^.{4,}\.$/);
    }
  });

  it('has a test', () => {
    const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.test.ts'),
    );
    const tested = tests.some((file) =>
      new RegExp(`(testModule\\(${name}|${name}\\.plan)`).test(
        readFileSync(join(root, 'test', file), 'utf8'),
      ),
    );
    expect(tested).toBe(true);
  });

  it('has at most seven members', () => {
    const members = ['args', 'conclude', 'effect', 'name', 'plan', 'shorthand', 'summary'];
    expect(members).toEqual(expect.arrayContaining(Object.keys(module)));
  });
});
