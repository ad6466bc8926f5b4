import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { builtinModules } from '../../src/cli/builtin-modules.ts';
import { keywordsOn } from '../../src/language/keywords.ts';
import { packageRoot } from '../../src/util/package.ts';

/** The order of the keys of a task, one group per line. `module` stands for the key of the module. */
const ORDER = [
  ...['name', 'when', 'tags'],
  ...['run_once', 'delegate_to', 'delegate_facts', 'allow_failed_delegate'],
  ...['connection', 'remote_user', 'port', 'become', 'become_user', 'become_method', 'environment'],
  ...['no_log', 'diff', 'check_mode', 'throttle', 'vars', 'module_defaults', 'any_errors_fatal'],
  ...['loop', 'with_items', 'with_dict', 'loop_control', 'listen'],
  ...['module', 'tasks_from', 'inputs', 'args', 'timeout', 'detach', 'async', 'poll'],
  ...['register', 'until', 'retries', 'delay', 'changed_when', 'failed_when'],
  ...['ignore_errors', 'ignore_unreachable', 'notify', 'irreversible'],
  ...['capture', 'probe', 'undo_on', 'undo_when', 'undo_error', 'undo'],
  ...['block', 'rescue', 'always'],
];

const INCLUDES = ['include_tasks', 'import_tasks', 'include_role', 'import_role'];

function keyOf(key: string): string {
  return builtinModules.has(key) || INCLUDES.includes(key) ? 'module' : key;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps with a name and a module, an include or a block, at any depth but not in arguments. */
function* tasksIn(value: unknown): Generator<Record<string, unknown>> {
  if (isMap(value)) {
    const keys = Object.keys(value).map(keyOf);
    if ('name' in value && (keys.includes('module') || 'block' in value)) yield value;
    for (const [key, inner] of Object.entries(value))
      if (keyOf(key) !== 'module') yield* tasksIn(inner);
  } else if (Array.isArray(value)) for (const inner of value) yield* tasksIn(inner);
}

const root = packageRoot();
const files = ['playbooks', 'roles', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(folder, name)),
);

describe('the keys of tasks in playbooks, roles and examples', () => {
  it.each(files)('have the fixed order in %s', (file) => {
    const document: unknown = parse(readFileSync(join(root, file), 'utf8'), { logLevel: 'error' });
    for (const task of tasksIn(document)) {
      const keys = Object.keys(task);
      const sorted = keys.toSorted((a, b) => ORDER.indexOf(keyOf(a)) - ORDER.indexOf(keyOf(b)));
      expect(keys, String(task['name'])).toEqual(sorted);
    }
  });

  it('have a place in the order for each keyword', () => {
    const known = [...keywordsOn('task'), ...keywordsOn('block')].map(({ name }) => name);
    expect(known.filter((name) => !ORDER.includes(name))).toEqual([]);
  });
});
