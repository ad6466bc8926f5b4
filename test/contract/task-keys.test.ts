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
      if (keyOf(key) !== 'module' && key !== 'fingerprint') yield* tasksIn(inner);
  } else if (Array.isArray(value)) for (const inner of value) yield* tasksIn(inner);
}

const root = packageRoot();
const files = ['playbooks', 'roles', 'examples', 'src/lab/real'].flatMap((directory) =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(directory, name)),
);

const tasksOf = (file: string) => [
  ...tasksIn(parse(readFileSync(join(root, file), 'utf8'), { logLevel: 'error' })),
];

describe('the keys of tasks in all shipped YAML files', () => {
  it.each(files)('have the fixed order in %s', (file) => {
    for (const task of tasksOf(file)) {
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

/** The verbs that begin the name of a task. Add a verb here if no other one says it. */
const VERBS = new Set([
  ...'Activate Add Allow Back Check Configure Connect Convert Copy Count Create'.split(' '),
  ...'Deactivate Delegate Delete Disable Download Drain Enable Fail Fetch Find Group'.split(' '),
  ...'Handle Ignore Import Initialize Install Join Label Leave Link Load Loop Mount Move Patch'.split(
    ' ',
  ),
  ...'Pause Predict Print Protect Read Record Register Release Reload Remove Replace'.split(' '),
  ...'Report Reset Resolve Restart Restore Resume Revoke Run Save Set Show Start'.split(' '),
  ...'Stop Take Test Uncordon Unpack Unregister Update Upgrade Wait Warn Write'.split(' '),
]);

describe('the tasks of all shipped YAML files', () => {
  it('have names that begin with a listed verb, and with "Wait for" if they wait', () => {
    const names = files.flatMap(tasksOf).map(({ name }) => String(name));
    expect(names.filter((name) => !VERBS.has(name.split(' ')[0] ?? ''))).toEqual([]);
    expect(names.filter((name) => /^Wait (?!for )/.test(name))).toEqual([]);
  });

  it('use "argv" only for a command with a template', () => {
    const lists = files.flatMap(tasksOf).flatMap(({ command }) => {
      const argv = isMap(command) ? command['argv'] : undefined;
      return Array.isArray(argv) ? [argv.join(' ')] : [];
    });
    // "{{.Name}}" and "{{json .Name}}" are Go templates.
    expect(lists.filter((list) => !/\{\{(?!\.|json \.)/.test(list))).toEqual([]);
  });
});
