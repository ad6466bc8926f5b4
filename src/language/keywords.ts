import type { SourceObject, Text } from '../core/value.ts';
import {
  argumentsByModule,
  asyncSeconds,
  batches,
  isWord,
  loop,
  once,
  oncePerPlay,
  share,
  simulated,
  undoTriggers,
} from './own-types.ts';
import type { Derived } from './fields.ts';
import { structure } from './structure.ts';
import {
  group,
  keyword,
  keywordsOf,
  optionalGroup,
  type Fields,
  type Keyword,
  type Place,
  type Table,
} from './table.ts';
import {
  as,
  conditions,
  flag,
  limit,
  map,
  number,
  oneOf,
  rendered,
  text,
  texts,
  variables,
  wholeNumber,
} from './types.ts';
import { hostOrders, strategies, type Become, type Login } from './words.ts';

/*
 * The keywords of the language, one row each, by the field of the loaded playbook. Reading,
 * inheritance, defaults, editor schemas and the reference are loops over these tables (fields.ts,
 * schema.ts).
 */

/** Places of the keywords that everything inside inherits. */
const shared: readonly Place[] = [
  'play',
  'role entry',
  'block',
  'task',
  'include',
  'commit point',
  'meta',
];
const task: readonly Place[] = ['task'];
const looped: readonly Place[] = ['block', 'task', 'include'];

const added = <T>(outer: readonly T[], own: readonly T[]): T[] => [...outer, ...own];
const union = <T>(outer: readonly T[], own: readonly T[]): T[] => [...new Set([...outer, ...own])];
const over = (outer: SourceObject, own: SourceObject): SourceObject => ({ ...outer, ...own });

/** Fields that a task can inherit from its play, roles and blocks. */
export const sharedKeywords = {
  become: group<Become<Text>>({
    enabled: keyword({
      yaml: 'become',
      on: ['playbook', 'overlay', ...shared],
      type: flag,
      inherit: 'own',
      fallback: false,
      doc: 'Run as another user (privilege escalation). Default: false.',
    }),
    user: keyword({
      yaml: 'become_user',
      on: shared,
      type: rendered,
      inherit: 'own',
      fallback: 'root',
      doc: 'User to run as. Default: root.',
    }),
    method: keyword({
      yaml: 'become_method',
      on: shared,
      type: oneOf('sudo', 'su', 'doas'),
      inherit: 'own',
      fallback: 'sudo',
      doc: 'Program for privilege escalation. Default: sudo.',
    }),
    login: optionalGroup<Login<Text>>({
      transport: keyword({
        yaml: 'connection',
        on: shared,
        type: oneOf('ssh', 'openssh', 'local'),
        inherit: 'own',
        doc: 'Connection for hosts whose inventory does not set one. With local, tasks run on the controller. Default: ssh.',
      }),
      user: keyword({
        yaml: 'remote_user',
        on: shared,
        type: rendered,
        inherit: 'own',
        doc: 'Login user for hosts whose inventory does not set one. Default: --user, then ssh_config, then the local user.',
      }),
      port: keyword({
        on: shared,
        type: limit,
        inherit: 'own',
        doc: 'SSH port for hosts whose inventory does not set one. Default: 22.',
      }),
    }),
  }),
  /** Outermost first. */
  vars: keyword<SourceObject[]>({
    on: shared,
    type: as(variables, (own) => [own]),
    inherit: added,
    fallback: [],
    alsoFor: ['include', 'meta'],
    doc: 'Variables for this play, role, block or task and everything inside it.',
  }),
  when: keyword({
    on: shared,
    type: conditions,
    inherit: added,
    fallback: [],
    alsoFor: ['include', 'meta'],
    doc: 'Conditions, all of which must hold on the host. Conditions of enclosing blocks, roles and plays apply too.',
  }),
  tags: keyword({
    on: shared,
    type: texts,
    inherit: union,
    fallback: [],
    alsoFor: ['include', 'meta'],
    doc: 'Names for --tags and --skip-tags. Everything inside inherits them.',
  }),
  environment: keyword({
    on: shared,
    type: map,
    inherit: over,
    fallback: {},
    doc: 'Environment variables for commands.',
  }),
  delegateTo: keyword({
    on: shared,
    type: rendered,
    inherit: 'own',
    doc: 'Run on this host instead of the current host.',
  }),
  delegateFacts: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'Assign facts that the task sets to the host it is delegated to. Default: false.',
  }),
  allowFailedDelegate: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'Allow delegation to a host that failed earlier in the run. By default, such a task fails.',
  }),
  /** Runs on the first host of each batch, for all hosts. */
  runOnce: keyword({
    on: shared,
    type: once,
    inherit: 'own',
    fallback: false,
    alsoFor: ['include'],
    doc: 'Run on one host for all hosts. true: on the first host of each batch; play: on the first host of the play. Default: false.',
  }),
  /** With `run_once: play`, only the first batch runs the step. */
  oncePerPlay: keyword({
    yaml: 'run_once',
    on: shared,
    type: oncePerPlay,
    inherit: 'own',
    fallback: false,
    alsoFor: ['include'],
  }),
  ignoreErrors: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'Record a failure and continue with the next step on that host. Default: false.',
  }),
  noLog: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    alsoFor: ['include'],
    doc: 'Do not show or record arguments and results. Default: false.',
  }),
  ignoreUnreachable: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'If a host is unreachable, continue with the next step on that host. Default: false.',
  }),
  anyErrorsFatal: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'Treat a failure on one host as a failure on all hosts of the step. Default: false.',
  }),
  showDiff: keyword({
    yaml: 'diff',
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: true,
    doc: 'With --diff, show changes to files. Default: true.',
  }),
  simulate: keyword({
    yaml: 'check_mode',
    on: shared,
    type: simulated,
    inherit: 'own',
    fallback: false,
    doc: 'Always run in check mode, even when the run does not. Must be true.',
  }),
  /** With 0 or undefined, only the forks of the run limit it. */
  throttle: keyword({
    on: shared,
    type: wholeNumber(0, 'a number of hosts, or 0 for no limit'),
    inherit: 'own',
    doc: 'Maximum number of hosts at a time, also during undo. 0 means no limit besides --forks.',
  }),
  notify: keyword({
    on: shared,
    type: texts,
    inherit: added,
    fallback: [],
    doc: 'Handlers to run if the task changed something, by name or by a topic they listen to.',
  }),
};

/**
 * Inherited like `sharedKeywords`, but merged into the arguments of a task instead of kept as its
 * field.
 */
export const defaultsKeywords = {
  moduleDefaults: keyword({
    on: shared,
    type: argumentsByModule,
    inherit: (outer, own) => ({
      ...outer,
      ...Object.fromEntries(
        Object.entries(own).map(([module, args]) => [module, { ...outer[module], ...args }]),
      ),
    }),
    fallback: {},
    doc: 'Default arguments by module, for tasks that do not set them.',
  }),
};

/** `loop_control` of tasks, blocks and includes. */
export const loopKeywords = {
  loopVar: keyword({
    on: ['loop_control'],
    type: text,
    fallback: 'item',
    doc: 'Variable that holds the current item. Default: item.',
  }),
  label: keyword({
    on: ['loop_control'],
    type: rendered,
    doc: 'Text to show for an item instead of the item itself.',
  }),
};

/** `loop_control` of tasks only. */
export const taskLoopKeywords = {
  indexVar: keyword({
    on: ['loop_control'],
    type: text,
    doc: 'Variable that holds the position of the item, starting at 0.',
  }),
  loopPauseSeconds: keyword({
    yaml: 'pause',
    on: ['loop_control'],
    type: number,
    fallback: 0,
    doc: 'Seconds to wait between two items. Default: 0.',
  }),
  loopParallel: keyword({
    yaml: 'parallel',
    on: ['loop_control'],
    type: wholeNumber(1, 'a number of items, at least 1'),
    fallback: 1,
    doc: 'Number of items to run at a time on one host. Default: 1.',
  }),
  /** After an item failed, no further item starts. */
  loopStops: keyword({
    yaml: 'on_error',
    on: ['loop_control'],
    type: as(oneOf('continue', 'stop'), (word) => word === 'stop'),
    fallback: false,
    doc: 'Whether to continue with the next item after an item failed, or to stop. Default: continue.',
  }),
  breakWhen: keyword({
    on: ['loop_control'],
    type: conditions,
    fallback: [],
    doc: 'Conditions on result. If all hold after an item, the loop ends.',
  }),
};

/** Fields of a task that are not inherited. */
export const taskKeywords = {
  loop: keyword({
    on: looped,
    type: loop,
    doc: 'List. Runs once for each item.',
  }),
  register: keyword({
    on: task,
    type: text,
    doc: 'Variable that stores the result, also of a failed or skipped task.',
  }),
  until: keyword({
    on: task,
    type: conditions,
    fallback: [],
    doc: 'Conditions on result. The task is repeated until all of them hold.',
  }),
  retries: keyword({
    on: task,
    type: limit,
    fallback: 0,
    doc: 'Maximum number of retries. Default: 3 with until, otherwise 0.',
  }),
  delaySeconds: keyword({
    yaml: 'delay',
    on: task,
    type: limit,
    fallback: 5,
    doc: 'Seconds to wait between two attempts. Default: 5.',
  }),
  changedWhen: keyword({
    on: task,
    type: conditions,
    doc: 'Conditions on result. The task counts as changed if all of them hold, and only then.',
  }),
  failedWhen: keyword({
    on: task,
    type: conditions,
    doc: 'Conditions on result. The task counts as failed if all of them hold, and only then.',
  }),
  listen: keyword({
    on: task,
    type: texts,
    fallback: [],
    doc: 'Topics of a handler; notify can name them instead of the handler.',
  }),
  timeoutSeconds: keyword({
    yaml: 'timeout',
    on: task,
    type: limit,
    doc: 'Maximum duration of one attempt in seconds. 0 means no limit. Default: 1800.',
  }),
  detach: keyword({
    on: task,
    type: flag,
    fallback: false,
    doc: 'Keep the command running when the connection is lost; the step reconnects to it. Default: false.',
  }),
  irreversible: keyword({
    on: ['task', 'commit point'],
    type: text,
    doc: 'Reason why this cannot be undone. Makes it a point of no return.',
  }),
  undoOn: keyword({
    on: task,
    type: undoTriggers,
    fallback: ['changed', 'failed', 'unknown'],
    doc: 'Outcomes after which the step is undone, or always. Default: changed, failed, unknown.',
  }),
  undoWhen: keyword({
    on: task,
    type: conditions,
    fallback: [],
    doc: 'Conditions under which the step is undone.',
  }),
  undoError: keyword({
    on: task,
    type: oneOf('block', 'continue'),
    fallback: 'block',
    doc: 'Whether a failed undo stops the rollback of the host (block) or not (continue). Default: block.',
  }),
};

type TaskFields = Fields<typeof taskKeywords>;

/** Defaults of task fields that depend on other fields. */
export const taskDefaults: Derived<typeof taskKeywords> = {
  retries: ({ until = [] }) => (until.length > 0 ? 3 : 0),
};

/** Keywords that set several fields together. */
export const taskShorthands = {
  async: keyword({
    on: task,
    type: asyncSeconds,
    doc: 'Same as detach: true with this timeout in seconds.',
  }),
};

export function shorthandFields({
  async,
}: Partial<Fields<typeof taskShorthands>>): Partial<TaskFields> {
  return async === undefined ? {} : { detach: true, timeoutSeconds: async };
}

/** Fields of a play. */
export const playKeywords = {
  allowEmpty: keyword({
    on: ['play'],
    type: flag,
    fallback: false,
    doc: 'Skip the play if its pattern matches no host. By default, that is an error.',
  }),
  order: keyword({
    on: ['play'],
    type: oneOf(...hostOrders),
    fallback: 'inventory',
    doc: 'Order of the hosts. Default: inventory.',
  }),
  strategy: keyword({
    on: ['play'],
    type: oneOf(...strategies),
    fallback: 'linear',
    doc: 'linear: run each step on all hosts before the next step starts. free: let each host run as fast as it can. Default: linear.',
  }),
  /** Empty: one batch with all hosts. */
  serial: keyword({
    on: ['play'],
    type: batches,
    fallback: [],
    doc: 'Batch size: a number of hosts, a percentage, or a list of these. The last entry of a list repeats. Default: all hosts.',
  }),
  commit: keyword({
    on: ['play'],
    type: oneOf('batch', 'end'),
    doc: 'Set a commit point after each batch (batch) or at the end of the play (end). An automatic rollback does not undo steps before it.',
  }),
  maxFailures: keyword({
    on: ['play'],
    type: share,
    fallback: 0,
    doc: 'Number or percentage of hosts of a batch that can fail without failing the run, but never the whole batch. Only the failed hosts are rolled back. Default: 0.',
  }),
};

/** Fields of `rollback` of a playbook or play. */
export const rollbackKeywords = {
  onFailure: keyword({
    on: ['rollback'],
    type: oneOf('auto', 'ask', 'stop'),
    doc: 'What to do when a step fails. auto: roll back; ask: prompt; stop: leave all changes in place. Default: auto.',
  }),
  budgetSeconds: keyword({
    yaml: 'budget',
    on: ['rollback'],
    type: number,
    doc: 'How many seconds a rollback waits for unreachable hosts. Default: 300.',
  }),
  settleSeconds: keyword({
    yaml: 'settle',
    on: ['rollback'],
    type: number,
    doc: 'How many seconds fingerprints have after a rollback to match again. Default: 0.',
  }),
};

/** Fields of an input. */
export const inputKeywords = {
  description: keyword({
    on: ['playbook', 'overlay', 'input', 'role meta'],
    type: text,
    fallback: '',
    doc: 'Purpose, in one sentence.',
  }),
  required: keyword({
    on: ['input'],
    type: flag,
    fallback: false,
    doc: 'Fail before the run if no value is given. Default: false.',
  }),
  secret: keyword({
    on: ['input'],
    type: flag,
    fallback: false,
    doc: 'Mask the value in output and journal. Adds the flag --NAME-file, which reads the value from a file. Default: false.',
  }),
  /** False: no flag takes the value itself. */
  hasFlag: keyword({
    yaml: 'flag',
    on: ['input'],
    type: flag,
    fallback: true,
    doc: 'With false, a secret cannot be given as the flag --NAME, which process lists would show. Use --NAME-file, the environment or a prompt. Default: true.',
  }),
  env: keyword({
    on: ['input'],
    type: text,
    doc: 'Environment variable to read the value from if no flag gives it.',
  }),
  prompt: keyword({
    on: ['input'],
    type: text,
    doc: 'Question to ask in a terminal if nothing else gives a value. For a secret that is not required, runner asks only with --ask-NAME, and asks twice.',
  }),
  /** The value is a path on the controller, made absolute. */
  isPath: keyword({
    yaml: 'format',
    on: ['input'],
    type: as(
      oneOf('path', 'inventory', 'age-recipient', 'yaml-file'),
      (word) => word === 'path' || word === 'inventory',
    ),
    fallback: false,
    doc: 'path: a path on the controller; inventory: the path of an inventory; age-recipient: an age public key. In a list, this applies to each item. yaml-file: the flag names a YAML file that contains the value.',
  }),
  /** The value, or each item of a list, is an age public key. */
  isRecipient: keyword({
    yaml: 'format',
    on: ['input'],
    type: isWord('age-recipient'),
    fallback: false,
  }),
  /**
   * The flag, environment variable or prompt gives the path of a YAML file that contains the value.
   */
  isYamlFile: keyword({
    yaml: 'format',
    on: ['input'],
    type: isWord('yaml-file'),
    fallback: false,
  }),
  removed: keyword({
    on: ['input'],
    type: text,
    doc: 'Mark the input as removed. The sentence names the replacement and is shown if the input is still given.',
  }),
  /** The value is the path of an inventory. */
  isInventory: keyword({
    yaml: 'format',
    on: ['input'],
    type: isWord('inventory'),
    fallback: false,
  }),
};

/** Fields of a whole playbook. */
export const playbookKeywords = {
  timeLimitSeconds: keyword({
    yaml: 'time_limit',
    on: ['playbook', 'overlay'],
    type: limit,
    doc: 'Seconds after which no new step starts and the run fails. Has no effect after the first point of no return.',
  }),
};

const tables: readonly Table[] = [
  playbookKeywords,
  sharedKeywords,
  defaultsKeywords,
  loopKeywords,
  taskLoopKeywords,
  taskKeywords,
  taskShorthands,
  playKeywords,
  rollbackKeywords,
  inputKeywords,
];

/**
 * Every keyword of the language, for editor schemas and the reference. A test compares it with what
 * is read.
 */
export const keywords: readonly Keyword[] = [...structure, ...tables.flatMap(keywordsOf)];

export function keywordsOn(place: Place): Keyword[] {
  return keywords.filter(({ on }) => on.includes(place));
}
