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
 * The keywords of the language: a row each, by the field that is made of it. Reading, inheriting, defaults, the schemas
 * for editors and the reference are loops over these tables (fields.ts, schema.ts).
 */

/** Where the keywords stand that take effect on everything inside. */
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

/** Fields of a task that it may have from the play, roles and blocks around it. */
export const sharedKeywords = {
  become: group<Become<Text>>({
    enabled: keyword({
      yaml: 'become',
      on: ['playbook', 'overlay', ...shared],
      type: flag,
      inherit: 'own',
      fallback: false,
      doc: 'Run with the rights of another user.',
    }),
    user: keyword({
      yaml: 'become_user',
      on: shared,
      type: rendered,
      inherit: 'own',
      fallback: 'root',
      doc: 'Which user. Default: root.',
    }),
    method: keyword({
      yaml: 'become_method',
      on: shared,
      type: oneOf('sudo', 'su', 'doas'),
      inherit: 'own',
      fallback: 'sudo',
      doc: 'By which program. Default: sudo.',
    }),
    login: optionalGroup<Login<Text>>({
      transport: keyword({
        yaml: 'connection',
        on: shared,
        type: oneOf('ssh', 'openssh', 'local'),
        inherit: 'own',
        doc: 'How hosts are reached whose inventory does not say it; local: not at all, what is done is done on the controller. Default: ssh.',
      }),
      user: keyword({
        yaml: 'remote_user',
        on: shared,
        type: rendered,
        inherit: 'own',
        doc: 'Who logs in on hosts whose inventory does not say it. Default: --user, ssh_config, then who runs it.',
      }),
      port: keyword({
        on: shared,
        type: limit,
        inherit: 'own',
        doc: 'Port of hosts whose inventory does not say it. Default: 22.',
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
    doc: 'Variables for what is inside.',
  }),
  when: keyword({
    on: shared,
    type: conditions,
    inherit: added,
    fallback: [],
    alsoFor: ['include', 'meta'],
    doc: 'Conditions, all of which must hold on a host; added to those around.',
  }),
  tags: keyword({
    on: shared,
    type: texts,
    inherit: union,
    fallback: [],
    alsoFor: ['include', 'meta'],
    doc: 'Names for --tags and --skip-tags; inherited by everything inside.',
  }),
  environment: keyword({
    on: shared,
    type: map,
    inherit: over,
    fallback: {},
    doc: 'Environment variables of commands.',
  }),
  delegateTo: keyword({
    on: shared,
    type: rendered,
    inherit: 'own',
    doc: 'Host on which it is done, for this one.',
  }),
  delegateFacts: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'Facts that it sets are those of the host it is delegated to.',
  }),
  allowFailedDelegate: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'It may be delegated to a host that has failed in this run; otherwise that is a failure.',
  }),
  /** On the first host of each batch, for all of them. */
  runOnce: keyword({
    on: shared,
    type: once,
    inherit: 'own',
    fallback: false,
    alsoFor: ['include'],
    doc: 'On the first host of each batch, or of the play, for all of them.',
  }),
  /** That, only in the first batch. */
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
    doc: 'A failure is recorded, and the host continues with the next step.',
  }),
  /** Neither arguments nor results are shown or recorded. */
  noLog: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    alsoFor: ['include'],
    doc: 'Arguments and results are neither shown nor recorded.',
  }),
  ignoreUnreachable: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'An unreachable host continues with the next step.',
  }),
  /** A failure on one host is one on all hosts of the step. */
  anyErrorsFatal: keyword({
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: false,
    doc: 'A failure on one host is one on all hosts of the step.',
  }),
  showDiff: keyword({
    yaml: 'diff',
    on: shared,
    type: flag,
    inherit: 'own',
    fallback: true,
    doc: 'Whether changes of files are shown with --diff. Default: true.',
  }),
  /** Only simulated, in a real run too. */
  simulate: keyword({
    yaml: 'check_mode',
    on: shared,
    type: simulated,
    inherit: 'own',
    fallback: false,
    doc: 'Only simulated, in a real run, too.',
  }),
  /** Hosts at a time, 0 or undefined for as many as the run has forks. The undo keeps to it, too. */
  throttle: keyword({
    on: shared,
    type: wholeNumber(0, 'a count of hosts, 0 for no limit'),
    inherit: 'own',
    doc: 'Hosts at a time, in the undo, too; 0 for no limit.',
  }),
  notify: keyword({
    on: shared,
    type: texts,
    inherit: added,
    fallback: [],
    doc: 'Handlers, or topics they listen to, that are due when it changed something.',
  }),
};

/** What is said around tasks for their arguments, and not kept as a field of them. */
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
    doc: 'Arguments by module, for tasks that do not give them.',
  }),
};

/** `loop_control` of tasks, and of blocks and includes the first rows. */
export const loopKeywords = {
  loopVar: keyword({
    on: ['loop_control'],
    type: text,
    fallback: 'item',
    doc: 'Variable of the item. Default: item.',
  }),
  label: keyword({ on: ['loop_control'], type: rendered, doc: 'What is shown of an item.' }),
};

export const taskLoopKeywords = {
  /** Variable with the position of an item, counted from 0. */
  indexVar: keyword({ on: ['loop_control'], type: text, doc: 'Variable of its position, from 0.' }),
  /** Seconds between two items. */
  loopPauseSeconds: keyword({
    yaml: 'pause',
    on: ['loop_control'],
    type: number,
    fallback: 0,
    doc: 'Seconds between two items.',
  }),
  /** Items at a time on one host. */
  loopParallel: keyword({
    yaml: 'parallel',
    on: ['loop_control'],
    type: wholeNumber(1, 'a count of items, above 0'),
    fallback: 1,
    doc: 'Items at a time on one host. Default: 1.',
  }),
  /** No further item begins after one that failed. */
  loopStops: keyword({
    yaml: 'on_error',
    on: ['loop_control'],
    type: as(oneOf('continue', 'stop'), (word) => word === 'stop'),
    fallback: false,
    doc: 'Whether the items behind one that failed are done. Default: continue.',
  }),
  /** No further item begins once all of these hold. */
  breakWhen: keyword({
    on: ['loop_control'],
    type: conditions,
    fallback: [],
    doc: 'Conditions that end the loop behind an item, with result.',
  }),
};

/** Fields that a task has for itself alone. */
export const taskKeywords = {
  loop: keyword({
    on: looped,
    type: loop,
    doc: 'A list; done once for each of its items.',
  }),
  register: keyword({
    on: task,
    type: text,
    doc: 'Variable that keeps the result, whatever it is.',
  }),
  until: keyword({
    on: task,
    type: conditions,
    fallback: [],
    doc: 'Conditions on result; done again until they hold.',
  }),
  retries: keyword({
    on: task,
    type: limit,
    fallback: 0,
    doc: 'How often it is done again. Default: 3 with until, else 0.',
  }),
  delaySeconds: keyword({
    yaml: 'delay',
    on: task,
    type: limit,
    fallback: 5,
    doc: 'Seconds between two tries. Default: 5.',
  }),
  changedWhen: keyword({
    on: task,
    type: conditions,
    doc: 'Conditions on result that say whether something changed.',
  }),
  failedWhen: keyword({
    on: task,
    type: conditions,
    doc: 'Conditions on result that say whether it failed.',
  }),
  listen: keyword({ on: task, type: texts, fallback: [], doc: 'Topics of a handler.' }),
  timeoutSeconds: keyword({
    yaml: 'timeout',
    on: task,
    type: limit,
    doc: 'Seconds that one try may take; 0 for no limit. Default: 1800.',
  }),
  /** Goes on without the connection, which is made again. */
  detach: keyword({
    on: task,
    type: flag,
    fallback: false,
    doc: 'The command keeps running when the connection is lost; the step reconnects to it.',
  }),
  irreversible: keyword({
    on: ['task', 'commit point'],
    type: text,
    doc: 'Why it cannot be undone: a point of no return.',
  }),
  undoOn: keyword({
    on: task,
    type: undoTriggers,
    fallback: ['changed', 'failed', 'unknown'],
    doc: 'Outcomes after which it is undone, or always. Default: changed, failed, unknown.',
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

/** What a field of a task is that is not said, where it depends on others. */
export const taskDefaults: Derived<typeof taskKeywords> = {
  retries: ({ until = [] }) => (until.length > 0 ? 3 : 0),
};

/** Words that say several fields together. */
export const taskWords = {
  async: keyword({
    on: task,
    type: asyncSeconds,
    doc: 'Detached, with so many seconds of time.',
  }),
};

export function meantBy({ async }: Partial<Fields<typeof taskWords>>): Partial<TaskFields> {
  return async === undefined ? {} : { detach: true, timeoutSeconds: async };
}

/** Fields of a play. */
export const playKeywords = {
  allowEmpty: keyword({
    on: ['play'],
    type: flag,
    fallback: false,
    doc: 'No host to match is fine. Default: an error.',
  }),
  order: keyword({
    on: ['play'],
    type: oneOf(...hostOrders),
    fallback: 'inventory',
    doc: 'Order of the hosts. Default: inventory.',
  }),
  /** Step by step on all hosts, or each host as fast as it can. */
  strategy: keyword({
    on: ['play'],
    type: oneOf(...strategies),
    fallback: 'linear',
    doc: 'linear: step by step on all hosts. free: each host as fast as it can. Default: linear.',
  }),
  /** Hosts a batch, each a count or a percentage; the last repeats. Empty: all at once. */
  serial: keyword({
    on: ['play'],
    type: batches,
    fallback: [],
    doc: 'Hosts a batch: a count, a percentage, or a list of these whose last one repeats.',
  }),
  /** A commit point after each batch or at the end of the play. */
  commit: keyword({
    on: ['play'],
    type: oneOf('batch', 'end'),
    doc: 'A commit point after each batch, or at the end: what is behind it is not taken back by itself.',
  }),
  /** Hosts of a batch that may fail without failing the run, a count or a percentage of the batch. */
  maxFailures: keyword({
    on: ['play'],
    type: share,
    fallback: 0,
    doc: 'Hosts of a batch that may fail, a count or a percentage, but never all of it; they are taken back alone. Default: 0.',
  }),
};

/** Fields of `rollback` of a playbook or play. */
export const rollbackKeywords = {
  onFailure: keyword({
    on: ['rollback'],
    type: oneOf('auto', 'ask', 'stop'),
    doc: 'What happens when a step fails. Default: auto, all goes back.',
  }),
  /** Seconds that hosts which are away are waited for. */
  budgetSeconds: keyword({
    yaml: 'budget',
    on: ['rollback'],
    type: number,
    doc: 'Seconds that hosts which are away are waited for.',
  }),
  /** Seconds that the old state is given to show itself once all is taken back. */
  settleSeconds: keyword({
    yaml: 'settle',
    on: ['rollback'],
    type: number,
    doc: 'Seconds that the old state is given to show itself.',
  }),
};

/** Fields of an input. */
export const inputKeywords = {
  description: keyword({
    on: ['playbook', 'overlay', 'input', 'role meta'],
    type: text,
    fallback: '',
    doc: 'What it is for, in a sentence.',
  }),
  required: keyword({
    on: ['input'],
    type: flag,
    fallback: false,
    doc: 'A value must be given.',
  }),
  secret: keyword({
    on: ['input'],
    type: flag,
    fallback: false,
    doc: 'Masked everywhere; never an argument that others can see.',
  }),
  /** False: no flag takes the value itself, only a file or a prompt. */
  hasFlag: keyword({
    yaml: 'flag',
    on: ['input'],
    type: flag,
    fallback: true,
    doc: 'With false, no flag takes a secret itself, so that it never is in the list of processes: only a file, the environment or a prompt gives it. Default: true.',
  }),
  /** Environment variable that is read when the flag is absent. */
  env: keyword({ on: ['input'], type: text, doc: 'Environment variable that may give it.' }),
  /** Question asked in a terminal when nothing else gave a value; for a secret that is not required, only with its flag --ask-NAME. */
  prompt: keyword({
    on: ['input'],
    type: text,
    doc: 'Question in a terminal when nothing else gave it. For a secret that is not required, it is asked with the flag --ask-NAME only, and twice.',
  }),
  /** The value is the path of a file on the controller, made absolute. */
  isPath: keyword({
    yaml: 'format',
    on: ['input'],
    type: as(
      oneOf('path', 'inventory', 'age-recipient', 'yaml-file'),
      (word) => word === 'path' || word === 'inventory',
    ),
    fallback: false,
    doc: 'The text is a path of the controller, or of an inventory, or a public key of age; of a list, each text. With yaml-file, the flag names a YAML file whose content is the value.',
  }),
  /** Each text is a public key of age. */
  isRecipient: keyword({
    yaml: 'format',
    on: ['input'],
    type: isWord('age-recipient'),
    fallback: false,
  }),
  /** What gives the value is the path of a YAML file with it. */
  isYamlFile: keyword({
    yaml: 'format',
    on: ['input'],
    type: isWord('yaml-file'),
    fallback: false,
  }),
  /** What to use instead of a removed input. */
  removed: keyword({
    on: ['input'],
    type: text,
    doc: 'Marks a removed input: a sentence that says what to use instead, shown when the input is still given.',
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
  /** Seconds after which no new step begins and the run counts as failed, up to the first point of no return. */
  timeLimitSeconds: keyword({
    yaml: 'time_limit',
    on: ['playbook', 'overlay'],
    type: limit,
    doc: 'Seconds after which no step begins and the run counts as failed, up to the first point of no return.',
  }),
};

const tables: readonly Table[] = [
  playbookKeywords,
  sharedKeywords,
  defaultsKeywords,
  loopKeywords,
  taskLoopKeywords,
  taskKeywords,
  taskWords,
  playKeywords,
  rollbackKeywords,
  inputKeywords,
];

/** Every keyword of the language: what editors complete, the reference shows, and a test compares with what is read. */
export const keywords: readonly Keyword[] = [...structure, ...tables.flatMap(keywordsOf)];

export function keywordsOn(place: Place): Keyword[] {
  return keywords.filter(({ on }) => on.includes(place));
}
