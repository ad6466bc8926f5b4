import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { builtinModules } from '../../src/modules/index.ts';
import { mkeModules } from '../../src/mke/modules.ts';
import type { JsonSchema, Module } from '../../src/core/module.ts';
import { packageRoot } from '../../src/util/package.ts';
import { validateValue } from '../../src/util/schema.ts';

const all: Module[] = [...builtinModules, ...mkeModules];
const root = packageRoot();

function filesExporting(folder: string): string[] {
  return readdirSync(join(root, 'src', folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) =>
      // `package` is a word that no constant may have.
      new RegExp(`export const ${name}: Module|export \\{ \\w+ as ${name} \\}`).test(
        readFileSync(join(root, 'src', folder, `${name}.ts`), 'utf8'),
      ),
    );
}

describe('the registry', () => {
  it('has exactly the modules on disk', () => {
    const onDisk = [...filesExporting('modules'), ...filesExporting('mke')];
    expect(all.map(({ name }) => name).sort()).toEqual(onDisk.sort());
  });

  it('has every module under its own name once', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
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
  it('has a schema that is valid itself', () => {
    const ajv = new Ajv();
    expect(ajv.validateSchema(module.schema), ajv.errorsText()).toBe(true);
  });

  it('has a summary of one sentence', () => {
    expect(module.summary).toMatch(/^[A-Z].*\.$/);
  });

  it('has a schema that compiles and refuses what it does not know', () => {
    const problems = validateValue(module.schema, { no_such_argument_anywhere: 1 });
    if (name !== 'set_fact') expect(problems).not.toEqual([]);
  });

  it('describes every argument', () => {
    for (const [path, node] of objects(module.schema)) {
      const properties = node['properties'] as Record<string, { description?: string }>;
      for (const [key, { description }] of Object.entries(properties)) {
        expect(description, `${path}.${key}`).toMatch(/^.{4,}\.$/);
      }
      // Names that a module cannot know, such as those of variables, are described as a whole.
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

  it('answers the question of undo', () => {
    const answered =
      module.readOnly === true ||
      module.restore !== undefined ||
      module.undoFor !== undefined ||
      module.internal === true;
    expect(answered).toBe(true);
  });
});
