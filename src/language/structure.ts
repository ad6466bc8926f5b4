import type { JsonSchema } from '../core/module.ts';
import type { Keyword, Place } from './table.ts';
import * as types from './types.ts';
import { metaActions } from './words.ts';

/*
 * Keywords that make the structure of a playbook: what holds tasks, plays, roles, variables and inputs. The files of
 * src/playbook read them, each its own; a test compares this list with what they ask for.
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
  keyword('enum', ['input'], { type: 'array' }, 'JSON Schema: the only values.'),
  keyword('pattern', ['input'], text, 'JSON Schema: regular expression of a text.'),
  keyword('minLength', ['input'], count, 'JSON Schema: shortest text.'),
  keyword('minimum', ['input'], { type: 'number' }, 'JSON Schema: smallest number.'),
  keyword('maximum', ['input'], { type: 'number' }, 'JSON Schema: largest number.'),
  keyword('items', ['input'], map, 'JSON Schema: what a list holds.'),
  keyword('minItems', ['input'], count, 'JSON Schema: shortest list.'),
  keyword('properties', ['input'], map, 'JSON Schema: what a map holds.'),
];

export const structure: readonly Keyword[] = [
  keyword(
    'name',
    ['playbook', 'overlay', 'play', 'role entry', 'block', 'task', 'include', 'meta'],
    text,
    'What displays, journal and ids call it.',
  ),
  keyword(
    'inputs',
    ['playbook', 'overlay', 'role meta'],
    map,
    'Typed values that are given from outside, by name. Those of a playbook are flags of "runner play".',
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
    'Read-only tasks whose output must be the same again after a rollback.',
  ),
  keyword('rollback', ['playbook', 'overlay', 'play'], map, 'What happens around a rollback.'),
  keyword('plays', ['playbook', 'change'], plays, 'The plays.'),
  keyword('extends', ['overlay'], text, 'The playbook that this one changes.'),
  keyword(
    'changes',
    ['overlay'],
    { type: 'array', items: map },
    'What is put before, after or in place of steps and plays, or taken out.',
  ),
  keyword(
    'before',
    ['change'],
    text,
    'Id of the step or play before which tasks or plays are put.',
  ),
  keyword('after', ['change'], text, 'Id of the step or play behind which they are put.'),
  keyword('replace', ['change'], text, 'Id of the step or play in whose place they are put.'),
  keyword('disable', ['change'], text, 'Id of the step or play that is taken out.'),
  keyword('reason', ['change'], text, 'Why; shown with each run.'),
  keyword('tasks', ['change'], tasks, 'The tasks that are put there.'),
  keyword(
    'hosts',
    ['play'],
    texts,
    'Pattern of hosts and groups: a:b, a:&b, a:!b, web*, ~regex, a[0:2].',
  ),
  keyword('import_playbook', ['play'], text, 'The plays of another file in place of this one.'),
  keyword(
    'gather_facts',
    ['play'],
    flag,
    'Ask hosts for facts first. Default: where the play mentions ansible_facts.',
  ),
  keyword(
    'vars_files',
    ['play'],
    { type: 'array', items: texts },
    'Files of variables; of a list in the list, the first that is there.',
  ),
  keyword(
    'roles',
    ['play'],
    { type: 'array', items: { anyOf: [text, map] } },
    'Roles, between pre_tasks and tasks.',
  ),
  keyword(
    'pre_tasks',
    ['play'],
    tasks,
    'Tasks before the roles; handlers they notify run before the roles.',
  ),
  keyword('tasks', ['play'], tasks, 'The tasks.'),
  keyword('post_tasks', ['play'], tasks, 'Tasks behind roles, tasks and their handlers.'),
  keyword(
    'handlers',
    ['play'],
    tasks,
    'Tasks that run at the end of a section if a task that changed something notified them.',
  ),
  keyword('role', ['role entry'], text, 'Name of the role.'),
  keyword(
    'tasks_from',
    ['role entry', 'include'],
    text,
    'File in tasks/ of the role. Default: main.',
  ),
  keyword('block', ['block'], tasks, 'Tasks that belong together.'),
  keyword(
    'rescue',
    ['block'],
    tasks,
    'Tasks for the hosts on which one in the block failed; they count as rescued.',
  ),
  keyword('always', ['block'], tasks, 'Tasks that run behind block and rescue in any case.'),
  keyword(
    'include_tasks',
    ['include'],
    text,
    'File of tasks; a template is resolved when the run gets there.',
  ),
  keyword('import_tasks', ['include'], text, 'File of tasks, read when the playbook is.'),
  keyword(
    'include_role',
    ['include'],
    { anyOf: [text, map] },
    'A role; a template is resolved when the run gets there.',
  ),
  keyword('import_role', ['include'], { anyOf: [text, map] }, 'A role, read when the playbook is.'),
  keyword(
    'with_items',
    ['block', 'task', 'include'],
    {},
    'A list as for loop; of the lists in it the items count.',
  ),
  keyword(
    'with_dict',
    ['block', 'task', 'include'],
    {},
    'A map; done once for each of its names, with item.key and item.value.',
  ),
  keyword('loop_control', ['block', 'task', 'include'], map, 'How the loop goes.'),
  keyword('args', ['task'], map, 'More arguments of the module.'),
  keyword('poll', ['task'], count, 'Accepted beside async; 0 is refused.'),
  keyword(
    'undo',
    [...steps],
    { anyOf: [oneOf('auto', 'none'), tasks, map] },
    'How the step is undone: auto, none, {none: REASON}, or a list of tasks.',
  ),
  keyword(
    'capture',
    ['task'],
    tasks,
    'Read-only tasks before it; their registers are captured.NAME in the undo.',
  ),
  keyword(
    'probe',
    ['task'],
    map,
    'A task that tells whether the effect is there: code 0 yes, 1 no.',
  ),
  keyword(
    'commit',
    ['commit point'],
    text,
    'Name of the point that an automatic rollback never goes behind.',
  ),
  keyword('gate', ['commit point'], tasks, 'Tasks that must succeed before the point is passed.'),
  keyword(
    'meta',
    ['meta'],
    oneOf('flush_handlers', 'noop', ...metaActions),
    'What happens to the course of the run.',
  ),
  keyword('before', ['rollback'], tasks, 'Read-only tasks that keep evidence first.'),
  keyword('after', ['rollback'], tasks, 'Tasks when all is taken back.'),
  keyword(
    'verify',
    ['rollback'],
    tasks,
    'Read-only tasks that must succeed for the rollback to count as verified.',
  ),
  keyword('default', ['input'], {}, 'The value when none is given.'),
  keyword(
    'dependencies',
    ['role meta'],
    { type: 'array', items: { anyOf: [text, map] } },
    'Roles that run before it.',
  ),
  ...inputSchema,
];
