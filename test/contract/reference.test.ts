import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import {
  publicModules,
  publishedSchemas,
  referencePages,
  keywordExamples,
  undoOf,
} from '../../src/cli/reference.ts';
import type { World } from '../../src/cli/world.ts';
import { editorSchemas } from '../../src/language/schema.ts';
import { keywords, keywordsOn } from '../../src/language/keywords.ts';
import { inputSchema, structure } from '../../src/language/structure.ts';
import { places } from '../../src/language/table.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { controllerHelpers } from '../../src/template/controller-helpers.ts';
import { exampleController, exampleVariables, helperDocs } from '../../src/template/helper-docs.ts';
import { helpers } from '../../src/template/helpers.ts';
import { readText } from '../../src/template/read-text.ts';
import { Scope } from '../../src/template/scope.ts';
import { localFiles } from '../../src/util/local-files.ts';
import { packageRoot } from '../../src/util/package.ts';

const root = packageRoot();
const modules = builtinModules;
const world = { modules } as unknown as World;
const shown = publicModules(world);

const pretty = async (path: string, text: string) =>
  format(text, { ...(await resolveConfig(path)), filepath: path });

describe('the reference in docs/ and schemas/', () => {
  const stale = 'it is stale: npm run reference';

  it('matches the code', async () => {
    const pages = referencePages(world);
    const directory = join(root, 'docs', 'reference');
    const onDisk = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    expect(onDisk.sort(), stale).toEqual(Object.keys(pages).sort());
    for (const [name, text] of Object.entries(pages)) {
      const path = join(directory, name);
      expect(readFileSync(path, 'utf8') === (await pretty(path, text)), `${name}: ${stale}`).toBe(
        true,
      );
    }
  });

  it('has schemas that match the code', () => {
    for (const [name, schema] of Object.entries(publishedSchemas(world))) {
      const path = join(root, 'schemas', name);
      const wanted = `${JSON.stringify(schema, undefined, 2)}\n`;
      expect(readFileSync(path, 'utf8') === wanted, `${name}: ${stale}`).toBe(true);
    }
  });
});

describe('schemas for editors', () => {
  const schemas = editorSchemas(shown);
  const ajv = new Ajv({ strict: false, allErrors: false, formats: { date: true } });
  const validators = new Map(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      ajv.getSchema(name) ?? ajv.addSchema(schema, name).getSchema(name),
    ]),
  );
  const check = (name: string, value: unknown) => {
    const valid = validators.get(name);
    if (!valid) throw new Error(`There is no schema ${name}.`);
    return valid(value) ? [] : (valid.errors ?? []);
  };
  // Editors read the tags of runner as text.
  const read = (file: string): unknown =>
    parse(readFileSync(file, 'utf8'), { logLevel: 'silent' }) as unknown;

  it('accept every shipped playbook, task file and role', () => {
    const files = (directory: string) =>
      readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.yml'))
        .map((name) => join(root, directory, name));
    const all = [...files('playbooks'), ...files('roles'), ...files('examples')];
    for (const file of all) {
      const kind = /\/(tasks|handlers)\//.test(file)
        ? 'tasks.schema.json'
        : file.endsWith('meta/main.yml')
          ? 'role-meta.schema.json'
          : 'playbook.schema.json';
      // The schemas do not contain custom modules.
      if (file.includes('own-module')) continue;
      if (/hosts\.yml$|defaults\/|vars\/|host_vars|group_vars|inventory/.test(file)) continue;
      expect(check(kind, read(file)), file).toEqual([]);
    }
    expect(all.length).toBeGreaterThan(80);
  });

  it('refuse what runner refuses', () => {
    const play = (task: object) => [{ name: 'P', hosts: 'all', tasks: [{ name: 'T', ...task }] }];
    expect(check('playbook.schema.json', play({ ping: null }))).toEqual([]);
    for (const wrong of [{ pong: null }, { copy: { dst: '/x' } }, { ping: null, wen: 'x' }])
      expect(check('playbook.schema.json', play(wrong))).not.toEqual([]);
    expect(check('role-meta.schema.json', { input: {} })).not.toEqual([]);
  });
});

describe('keywords', () => {
  it('of the structure are those that src/playbook reads', () => {
    const directory = join(root, 'src', 'playbook');
    const source = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('\n');
    // Quoted words: a reader reads each of its keywords by name.
    const words = new Set([...source.matchAll(/'([A-Za-z_]+)'/g)].map(([, name = '']) => name));
    const asked = new Set(
      [
        ...source.matchAll(
          /\.(?:string|boolean|number|limit|oneOf|object|variables|reader|list|strings|conditions|value|has)\(\s*'([A-Za-z_]+)'/g,
        ),
      ].map(([, name = '']) => name),
    );
    const listed = new Set(keywords.map(({ name }) => name));
    // A key inside the value of "undo".
    asked.delete('none');
    asked.delete('replace');
    expect([...asked].filter((name) => !listed.has(name))).toEqual([]);
    // JSON Schema of inputs is copied key by key, and the types of these read the words beside theirs.
    const others = new Set([
      ...inputSchema.map(({ name }) => name),
      'poll',
      'with_items',
      'with_dict',
    ]);
    const structural = structure.map(({ name }) => name).filter((name) => !others.has(name));
    expect(structural.filter((name) => !words.has(name))).toEqual([]);
  });

  it('are all used in a shipped file that the tests play', () => {
    const examples = keywordExamples();
    const names = [...new Set(keywords.map(({ name }) => name))];
    expect(names.filter((name) => !examples.has(name))).toEqual([]);
  });

  it('appear once in each place, with a description', () => {
    for (const place of places) {
      const names = keywordsOn(place).map(({ name }) => name);
      expect(new Set(names).size, place).toBe(names.length);
      expect(names.length, place).toBeGreaterThan(0);
    }
    for (const { name, description } of keywords) expect(description, name).toMatch(/^.{8,}\.$/);
  });
});

describe('helpers', () => {
  it('are all described', () => {
    expect(Object.keys(helperDocs).sort()).toEqual(
      [...Object.keys(helpers), ...Object.keys(controllerHelpers)].sort(),
    );
  });

  it.each(Object.entries(helperDocs))(
    '%s gives what its example says',
    (_name, { example, result }) => {
      const scope = new Scope([{ name: 'play', values: exampleVariables }], exampleController);
      expect(scope.render(readText(example))).toEqual(result);
    },
  );
});

describe('the undo', () => {
  it.each([
    ['stat', 'not needed'],
    ['copy', 'automatic'],
    ['command', 'declared with `undo`'],
    ['file', 'automatic'],
    ['k0s', 'automatic, but declared with `undo` for `state` reset'],
    ['uri', 'not needed, but declared with `undo` for `method` POST, PUT, PATCH, DELETE'],
  ])('of module %s is: %s', (name, undo) => {
    const module = modules.get(name);
    expect(module && undoOf(module)).toBe(undo);
  });
});

describe('examples of modules', () => {
  it('exist for every module and use it', () => {
    const directory = join(root, 'examples', 'modules');
    const names = readdirSync(directory).filter((name) => name.endsWith('.yml'));
    expect(names.sort()).toEqual(shown.map(({ name }) => `${name}.yml`).sort());
    for (const { name } of shown) {
      const file = join(directory, `${name}.yml`);
      const options = { modules, files: localFiles, rolePaths: [], playbookPaths: [] };
      const { plays } = loadPlaybook(file, options);
      const used = plays.flatMap(({ sections }) => sections.flatMap(({ nodes }) => nodes));
      expect(
        used.some((node) => node.kind === 'task' && node.module === name),
        name,
      ).toBe(true);
      expect(existsSync(file)).toBe(true);
    }
  });
});
