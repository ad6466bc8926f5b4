import type { JsonSchema } from '../core/module.ts';
import { hostOrders, metaActions, strategies } from './document.ts';

/** Where a keyword may stand. */
export const places = [
  'playbook',
  'overlay',
  'change',
  'play',
  'role entry',
  'block',
  'task',
  'include',
  'loop_control',
  'commit point',
  'meta',
  'rollback',
  'input',
  'role meta',
] as const;
export type Place = (typeof places)[number];

export interface Keyword {
  name: string;
  on: readonly Place[];
  schema: JsonSchema;
  /** One sentence or two, as the reference and editors show it. */
  description: string;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const map = { type: 'object' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const limit = { anyOf: [{ type: 'number', minimum: 0 }, text] } as const;
const texts = { anyOf: [text, { type: 'array', items: text }] } as const;
const condition = {
  anyOf: [text, flag, { type: 'array', items: { anyOf: [text, flag] } }],
} as const;
const tasks = { $ref: '#/definitions/tasks' } as const;
const plays = { $ref: '#/definitions/plays' } as const;
const oneOf = (...values: readonly (string | boolean)[]) => ({ enum: values });

const shared: readonly Place[] = [
  'play',
  'role entry',
  'block',
  'task',
  'include',
  'commit point',
  'meta',
];
const steps: readonly Place[] = ['block', 'task', 'include', 'role entry'];

function keyword(
  name: string,
  on: readonly Place[],
  schema: JsonSchema,
  description: string,
): Keyword {
  return { name, on, schema, description };
}

/** Every keyword of the language: what editors complete, the reference shows, and a test compares with what is read. */
export const keywords: readonly Keyword[] = [
  keyword(
    'name',
    ['playbook', 'overlay', 'play', 'role entry', 'block', 'task', 'include', 'meta'],
    text,
    'What displays, journal and ids call it.',
  ),
  keyword(
    'description',
    ['playbook', 'overlay', 'input', 'role meta'],
    text,
    'What it is for, in a sentence.',
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
  keyword(
    'time_limit',
    ['playbook', 'overlay'],
    limit,
    'Seconds after which no step begins and the run counts as failed, up to the first point of no return.',
  ),
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
    'become',
    ['playbook', 'overlay', ...shared],
    flag,
    'Run with the rights of another user.',
  ),
  keyword('become_user', shared, text, 'Which user. Default: root.'),
  keyword('become_method', shared, oneOf('sudo', 'su', 'doas'), 'By which program. Default: sudo.'),
  keyword(
    'remote_user',
    shared,
    text,
    'Who logs in on hosts whose inventory does not say it. Default: --user, ssh_config, then who runs it.',
  ),
  keyword('port', shared, limit, 'Port of hosts whose inventory does not say it. Default: 22.'),
  keyword(
    'connection',
    shared,
    oneOf('ssh', 'openssh', 'local'),
    'How hosts are reached whose inventory does not say it; local: not at all, what is done is done on the controller. Default: ssh.',
  ),
  keyword(
    'hosts',
    ['play'],
    texts,
    'Pattern of hosts and groups: a:b, a:&b, a:!b, web*, ~regex, a[0:2].',
  ),
  keyword('import_playbook', ['play'], text, 'The plays of another file in place of this one.'),
  keyword('allow_empty', ['play'], flag, 'No host to match is fine. Default: an error.'),
  keyword(
    'gather_facts',
    ['play'],
    flag,
    'Ask hosts for facts first. Default: where the play mentions ansible_facts.',
  ),
  keyword('vars', shared, map, 'Variables for what is inside.'),
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
  keyword(
    'serial',
    ['play'],
    { anyOf: [count, text, { type: 'array', items: { anyOf: [count, text] } }] },
    'Hosts a batch: a count, a percentage, or a list of these whose last one repeats.',
  ),
  keyword(
    'commit',
    ['play'],
    oneOf('batch', 'end'),
    'A commit point after each batch, or at the end: what is behind it is not taken back by itself.',
  ),
  keyword(
    'max_failures',
    ['play'],
    { anyOf: [count, text] },
    'Hosts of a batch that may fail, a count or a percentage, but never all of it; they are taken back alone. Default: 0.',
  ),
  keyword('order', ['play'], oneOf(...hostOrders), 'Order of the hosts. Default: inventory.'),
  keyword(
    'strategy',
    ['play'],
    oneOf(...strategies),
    'linear: step by step on all hosts. free: each host as fast as it can. Default: linear.',
  ),
  keyword(
    'when',
    shared,
    condition,
    'Conditions, all of which must hold on a host; added to those around.',
  ),
  keyword(
    'tags',
    shared,
    texts,
    'Names for --tags and --skip-tags; inherited by everything inside.',
  ),
  keyword('environment', shared, map, 'Environment variables of commands.'),
  keyword('delegate_to', shared, text, 'Host on which it is done, for this one.'),
  keyword(
    'delegate_facts',
    shared,
    flag,
    'Facts that it sets are those of the host it is delegated to.',
  ),
  keyword(
    'allow_failed_delegate',
    shared,
    flag,
    'It may be delegated to a host that has failed in this run; otherwise that is a failure.',
  ),
  keyword(
    'run_once',
    shared,
    oneOf(true, false, 'play'),
    'On the first host of each batch, or of the play, for all of them.',
  ),
  keyword(
    'module_defaults',
    shared,
    { type: 'object', additionalProperties: map },
    'Arguments by module, for tasks that do not give them.',
  ),
  keyword(
    'ignore_errors',
    shared,
    flag,
    'A failure is recorded, and the host continues with the next step.',
  ),
  keyword('ignore_unreachable', shared, flag, 'An unreachable host continues with the next step.'),
  keyword(
    'any_errors_fatal',
    shared,
    flag,
    'A failure on one host is one on all hosts of the step.',
  ),
  keyword('no_log', shared, flag, 'Arguments and results are neither shown nor recorded.'),
  keyword('diff', shared, flag, 'Whether changes of files are shown with --diff. Default: true.'),
  keyword('check_mode', shared, oneOf(true), 'Only simulated, in a real run, too.'),
  keyword('throttle', shared, count, 'Hosts at a time, in the undo, too; 0 for no limit.'),
  keyword(
    'notify',
    shared,
    texts,
    'Handlers, or topics they listen to, that are due when it changed something.',
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
  keyword('loop', ['block', 'task', 'include'], {}, 'A list; done once for each of its items.'),
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
  keyword('loop_var', ['loop_control'], text, 'Variable of the item. Default: item.'),
  keyword('index_var', ['loop_control'], text, 'Variable of its position, from 0.'),
  keyword('label', ['loop_control'], text, 'What is shown of an item.'),
  keyword('pause', ['loop_control'], { type: 'number', minimum: 0 }, 'Seconds between two items.'),
  keyword(
    'parallel',
    ['loop_control'],
    { type: 'integer', minimum: 1 },
    'Items at a time on one host. Default: 1.',
  ),
  keyword(
    'on_error',
    ['loop_control'],
    oneOf('continue', 'stop'),
    'Whether the items behind one that failed are done. Default: continue.',
  ),
  keyword(
    'break_when',
    ['loop_control'],
    condition,
    'Conditions that end the loop behind an item, with result.',
  ),
  keyword('args', ['task'], map, 'More arguments of the module.'),
  keyword('register', ['task'], text, 'Variable that keeps the result, whatever it is.'),
  keyword('until', ['task'], condition, 'Conditions on result; done again until they hold.'),
  keyword('retries', ['task'], limit, 'How often it is done again. Default: 3 with until, else 0.'),
  keyword('delay', ['task'], limit, 'Seconds between two tries. Default: 5.'),
  keyword(
    'changed_when',
    ['task'],
    condition,
    'Conditions on result that say whether something changed.',
  ),
  keyword('failed_when', ['task'], condition, 'Conditions on result that say whether it failed.'),
  keyword('listen', ['task'], texts, 'Topics of a handler.'),
  keyword('timeout', ['task'], limit, 'Seconds that one try may take. Default: 1800.'),
  keyword(
    'detach',
    ['task'],
    flag,
    'The command keeps running when the connection is lost; the step reconnects to it.',
  ),
  keyword('async', ['task'], limit, 'Detached, with so many seconds of time.'),
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
    'undo_on',
    ['task'],
    { anyOf: [text, { type: 'array', items: oneOf('changed', 'failed', 'unknown') }] },
    'Outcomes after which it is undone, or always. Default: changed, failed, unknown.',
  ),
  keyword('undo_when', ['task'], condition, 'Conditions under which the step is undone.'),
  keyword(
    'undo_error',
    ['task'],
    oneOf('block', 'continue'),
    'Whether a failed undo stops the rollback of the host (block) or not (continue). Default: block.',
  ),
  keyword(
    'probe',
    ['task'],
    map,
    'A task that tells whether the effect is there: code 0 yes, 1 no.',
  ),
  keyword(
    'irreversible',
    ['task', 'commit point'],
    text,
    'Why it cannot be undone: a point of no return.',
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
  keyword(
    'on_failure',
    ['rollback'],
    oneOf('auto', 'ask', 'stop'),
    'What happens when a step fails. Default: auto, all goes back.',
  ),
  keyword('before', ['rollback'], tasks, 'Read-only tasks that keep evidence first.'),
  keyword('after', ['rollback'], tasks, 'Tasks when all is taken back.'),
  keyword(
    'verify',
    ['rollback'],
    tasks,
    'Read-only tasks that must succeed for the rollback to count as verified.',
  ),
  keyword(
    'budget',
    ['rollback'],
    { type: 'number', minimum: 0 },
    'Seconds that hosts which are away are waited for.',
  ),
  keyword(
    'settle',
    ['rollback'],
    { type: 'number', minimum: 0 },
    'Seconds that the old state is given to show itself.',
  ),
  keyword('type', ['input'], {}, 'JSON Schema: string, integer, number, boolean, array or object.'),
  keyword('enum', ['input'], { type: 'array' }, 'JSON Schema: the only values.'),
  keyword('pattern', ['input'], text, 'JSON Schema: regular expression of a text.'),
  keyword('minLength', ['input'], count, 'JSON Schema: shortest text.'),
  keyword('minimum', ['input'], { type: 'number' }, 'JSON Schema: smallest number.'),
  keyword('maximum', ['input'], { type: 'number' }, 'JSON Schema: largest number.'),
  keyword('items', ['input'], map, 'JSON Schema: what a list holds.'),
  keyword('minItems', ['input'], count, 'JSON Schema: shortest list.'),
  keyword('properties', ['input'], map, 'JSON Schema: what a map holds.'),
  keyword('default', ['input'], {}, 'The value when none is given.'),
  keyword('required', ['input'], flag, 'A value must be given.'),
  keyword('secret', ['input'], flag, 'Masked everywhere; never an argument that others can see.'),
  keyword(
    'flag',
    ['input'],
    flag,
    'With false, no flag takes a secret itself, so that it never is in the list of processes: only a file, the environment or a prompt gives it. Default: true.',
  ),
  keyword('env', ['input'], text, 'Environment variable that may give it.'),
  keyword(
    'prompt',
    ['input'],
    text,
    'Question in a terminal when nothing else gave it. For a secret that is not required, it is asked with the flag --ask-NAME only, and twice.',
  ),
  keyword(
    'format',
    ['input'],
    oneOf('path', 'inventory', 'age-recipient'),
    'The text is a path of the controller, or of an inventory, or a public key of age; of a list, each text.',
  ),
  keyword(
    'dependencies',
    ['role meta'],
    { type: 'array', items: { anyOf: [text, map] } },
    'Roles that run before it.',
  ),
];

export function keywordsOn(place: Place): Keyword[] {
  return keywords.filter(({ on }) => on.includes(place));
}
