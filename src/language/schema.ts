import { isObject } from '../core/json.ts';
import type { JsonSchema, Module } from '../core/module.ts';
import { keywordsOn } from './keywords.ts';
import type { Place } from './table.ts';

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/**
 * JSON Schemas for completion and documentation in editors (`# yaml-language-server: $schema=…`),
 * made from the tables of keywords and modules. They accept more than `runner validate` where a
 * value can be a template.
 * @returns the schemas by file name
 */
export function editorSchemas(modules: readonly Module[]): Record<string, JsonSchema> {
  const definitions = {
    tasks: { type: 'array', items: { $ref: '#/definitions/step' } },
    plays: { type: 'array', items: { $ref: '#/definitions/play' } },
    play: object('play'),
    input: object('input'),
    step: {
      type: 'object',
      anyOf: [
        { ...object('block'), required: ['block'] },
        ...['include_tasks', 'import_tasks', 'include_role', 'import_role'].map((key) => ({
          ...object('include', 'role entry'),
          required: [key],
        })),
        { ...object('commit point'), required: ['commit'] },
        { ...object('meta'), required: ['meta'] },
        task(modules),
      ],
    },
  };
  const inputs = { type: 'object', additionalProperties: { $ref: '#/definitions/input' } };
  const playbook = {
    ...object('playbook', 'overlay'),
    properties: { ...properties('playbook', 'overlay'), inputs },
  };
  const role = {
    ...object('role meta'),
    properties: { ...properties('role meta'), inputs },
  };
  return {
    'playbook.schema.json': {
      $schema: DRAFT,
      title: 'runner playbook',
      definitions,
      anyOf: [{ $ref: '#/definitions/plays' }, playbook],
    },
    'tasks.schema.json': {
      $schema: DRAFT,
      title: 'runner task file: a list of tasks or handlers',
      $ref: 'playbook.schema.json#/definitions/tasks',
    },
    'role-meta.schema.json': {
      $schema: DRAFT,
      title: 'meta/main.yml of a runner role',
      definitions: {
        input: definitions.input,
        tasks: { $ref: 'playbook.schema.json#/definitions/tasks' },
      },
      ...role,
    },
  };
}

function properties(...on: Place[]): Record<string, JsonSchema> {
  return Object.fromEntries(
    on
      .flatMap(keywordsOn)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, schema, description }) => [name, { description, ...schema }]),
  );
}

function object(...on: Place[]): JsonSchema {
  return { type: 'object', properties: properties(...on), additionalProperties: false };
}

/** Schema of a task: keywords and one module. */
function task(modules: readonly Module[]): JsonSchema {
  const calls = Object.fromEntries(
    modules.map(({ name, summary, args: schema, shorthand }) => {
      const args = withTemplates(schema);
      const short = shorthand === undefined ? [] : [{ type: ['string', 'array', 'number'] }];
      const none = { type: 'null' };
      return [name, { description: summary, anyOf: [args, ...short, none] }];
    }),
  );
  return {
    type: 'object',
    properties: { ...properties('task'), ...calls },
    additionalProperties: false,
  };
}

/**
 * Accepts a template in place of any argument. Only runner itself checks which arguments can be
 * combined.
 */
function withTemplates(schema: JsonSchema): JsonSchema {
  const own = isObject(schema['properties']) ? schema['properties'] : {};
  const given = Object.entries(own).map(([name, value]) => {
    const { description, items, ...form } = isObject(value) ? value : {};
    // The playbook names a variable; the module receives its value.
    if (form['format'] === 'variable') form['type'] = 'string';
    const template = { type: 'string', pattern: '\\{\\{' };
    const list = items === undefined ? {} : { items: objectsWithTemplates(items) };
    return [name, { description, anyOf: [{ ...form, ...list }, template] }];
  });
  return {
    type: 'object',
    properties: Object.fromEntries(given) as JsonSchema,
    additionalProperties: schema['additionalProperties'] ?? false,
  };
}

/** Accepts templates as values of objects in a list, too. */
function objectsWithTemplates(items: unknown): unknown {
  if (!isObject(items) || !isObject(items['properties'])) return items;
  return { ...items, ...withTemplates(items) };
}
