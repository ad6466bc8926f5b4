import type { JsonSchema } from '../core/module.ts';
import type { Keyword, Place } from './table.ts';
import * as types from './types.ts';
import { metaActions } from './words.ts';

/*
 * Keywords for the structure of a playbook: containers of tasks, plays, roles, variables and
 * inputs. The files in src/playbook read them; a test compares this list with the keywords they
 * read.
 */

function keyword(
  name: string,
  on: readonly Place[],
  schema: JsonSchema,
  description: string,
): Keyword {
  return { name, on, schema, description };
}

const text = types.text.schema;
const texts = types.texts.schema;
const flag = types.flag.schema;
const map = types.map.schema;
const count = { type: 'integer', minimum: 0 } as const;
const tasks = { $ref: '#/definitions/tasks' } as const;
const plays = { $ref: '#/definitions/plays' } as const;
const oneOf = (...values: readonly string[]) => ({ enum: values });
const steps: readonly Place[] = ['block', 'task', 'include', 'role entry'];

/** JSON Schema of an input. */
export const inputSchema: readonly Keyword[] = [
  keyword('type', ['input'], {}, 'JSON Schema: string, integer, number, boolean, array or object.'),
  keyword('enum', ['input'], { type: 'array' }, 'JSON Schema: list of allowed values.'),
  keyword('pattern', ['input'], text, 'JSON Schema: regular expression that a string must match.'),
  keyword('minLength', ['input'], count, 'JSON Schema: minimum length of a string.'),
  keyword('minimum', ['input'], { type: 'number' }, 'JSON Schema: smallest allowed number.'),
  keyword('maximum', ['input'], { type: 'number' }, 'JSON Schema: largest allowed number.'),
  keyword('items', ['input'], map, 'JSON Schema: schema of the list items.'),
  keyword('minItems', ['input'], count, 'JSON Schema: minimum number of list items.'),
  keyword('properties', ['input'], map, 'JSON Schema: schemas of the map values, by key.'),
];

export const structure: readonly Keyword[] = [
  keyword(
    'name',
    ['playbook', 'overlay', 'play', 'role entry', 'block', 'task', 'include', 'meta'],
    text,
    'Name in output, journal and ids.',
  ),
  keyword(
    'inputs',
    ['playbook', 'overlay', 'role meta'],
    map,
    'Typed input values, by name. Inputs of a playbook become flags of "runner play".',
  ),
  keyword(
    'inputs',
    ['role entry', 'include'],
    map,
    'Values for the inputs that the role declares.',
  ),
  keyword(
    'fingerprint',
    ['playbook', 'overlay', 'role meta'],
    tasks,
    'Read-only tasks whose output must be the same after a rollback as before the run.',
  ),
  keyword(
    'rollback',
    ['playbook', 'overlay', 'play'],
    map,
    'Settings and additional tasks for a rollback.',
  ),
  keyword('plays', ['playbook', 'change'], plays, 'List of plays.'),
  keyword('extends', ['overlay'], text, 'Playbook that this overlay changes.'),
  keyword(
    'changes',
    ['overlay'],
    { type: 'array', items: map },
    'Steps and plays to insert, replace or disable.',
  ),
  keyword(
    'before',
    ['change'],
    text,
    'Id of a step or play. Inserts the tasks or plays before it.',
  ),
  keyword('after', ['change'], text, 'Id of a step or play. Inserts the tasks or plays after it.'),
  keyword(
    'replace',
    ['change'],
    text,
    'Id of a step or play. Replaces it with the tasks or plays.',
  ),
  keyword('disable', ['change'], text, 'Id of a step or play to disable.'),
  keyword('reason', ['change'], text, 'Reason for the change. Shown with each run.'),
  keyword('tasks', ['change'], tasks, 'Tasks to insert.'),
  keyword(
    'hosts',
    ['play'],
    texts,
    'Pattern of hosts and groups: a:b, a:&b, a:!b, web*, ~regex, a[0:2].',
  ),
  keyword('import_playbook', ['play'], text, 'Playbook file whose plays are inserted here.'),
  keyword(
    'gather_facts',
    ['play'],
    flag,
    'Gather facts first. Default: true if the play uses ansible_facts.',
  ),
  keyword(
    'vars_files',
    ['play'],
    { type: 'array', items: texts },
    'Variable files. If an entry is a list of files, the first that exists is used.',
  ),
  keyword(
    'roles',
    ['play'],
    { type: 'array', items: { anyOf: [text, map] } },
    'Roles to run after pre_tasks and before tasks.',
  ),
  keyword(
    'pre_tasks',
    ['play'],
    tasks,
    'Tasks to run before the roles. Handlers that they notify also run before the roles.',
  ),
  keyword('tasks', ['play'], tasks, 'List of tasks.'),
  keyword(
    'post_tasks',
    ['play'],
    tasks,
    'Tasks to run after roles, tasks and the handlers that these notified.',
  ),
  keyword(
    'handlers',
    ['play'],
    tasks,
    'Tasks that run once, at the end of pre_tasks, tasks or post_tasks, if a changed task notified them.',
  ),
  keyword('role', ['role entry'], text, 'Name of the role.'),
  keyword(
    'tasks_from',
    ['role entry', 'include'],
    text,
    'Task file in tasks/ of the role. Default: main.',
  ),
  keyword('block', ['block'], tasks, 'Tasks of the block.'),
  keyword(
    'rescue',
    ['block'],
    tasks,
    'Tasks to run on hosts on which a task of the block failed. If they succeed, the host counts as rescued.',
  ),
  keyword('always', ['block'], tasks, 'Tasks to run after block and rescue in any case.'),
  keyword(
    'include_tasks',
    ['include'],
    text,
    'Task file. A path with a template is resolved during the run.',
  ),
  keyword('import_tasks', ['include'], text, 'Task file, read when the playbook is loaded.'),
  keyword(
    'include_role',
    ['include'],
    { anyOf: [text, map] },
    'Role. A name with a template is resolved during the run.',
  ),
  keyword(
    'import_role',
    ['include'],
    { anyOf: [text, map] },
    'Role, read when the playbook is loaded.',
  ),
  keyword(
    'with_items',
    ['block', 'task', 'include'],
    {},
    'Like loop, but lists inside the list are flattened by one level.',
  ),
  keyword(
    'with_dict',
    ['block', 'task', 'include'],
    {},
    'Map. Runs once for each entry, with item.key and item.value.',
  ),
  keyword('loop_control', ['block', 'task', 'include'], map, 'Settings of the loop.'),
  keyword('args', ['task'], map, 'Additional module arguments.'),
  keyword('poll', ['task'], count, 'Accepted together with async. 0 is an error.'),
  keyword(
    'undo',
    [...steps],
    { anyOf: [oneOf('auto', 'none'), tasks, map] },
    'How to undo the step: auto, none, {none: REASON}, or a list of tasks.',
  ),
  keyword(
    'capture',
    ['task'],
    tasks,
    'Read-only tasks to run before the step. The undo reads their registered results as captured.NAME.',
  ),
  keyword(
    'probe',
    ['task'],
    map,
    'Task that checks whether the step took effect: exit code 0 means yes, 1 means no.',
  ),
  keyword(
    'commit',
    ['commit point'],
    text,
    'Name of a commit point. An automatic rollback does not undo steps before it.',
  ),
  keyword(
    'gate',
    ['commit point'],
    tasks,
    'Tasks that must succeed before the run passes the commit point.',
  ),
  keyword(
    'meta',
    ['meta'],
    oneOf('flush_handlers', 'noop', ...metaActions),
    'Action that affects the execution of the play, as in Ansible.',
  ),
  keyword(
    'before',
    ['rollback'],
    tasks,
    'Read-only tasks to run before the rollback, to collect evidence.',
  ),
  keyword('after', ['rollback'], tasks, 'Tasks to run after everything is undone.'),
  keyword(
    'verify',
    ['rollback'],
    tasks,
    'Read-only tasks that must succeed for the rollback to count as verified.',
  ),
  keyword('default', ['input'], {}, 'Value to use if none is given.'),
  keyword(
    'dependencies',
    ['role meta'],
    { type: 'array', items: { anyOf: [text, map] } },
    'Roles to run before this role.',
  ),
  ...inputSchema,
];
