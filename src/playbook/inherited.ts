import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { Become, BlockNode, Node, RoleContext, TaskNode } from '../language/document.ts';
import type { SourceRef } from '../core/source.ts';
import { slug } from '../util/text.ts';
import type { Changes } from './overlay.ts';
import { reportSecrets } from './secrets.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import type { YamlReading } from '../yaml/yaml.ts';

/** What a node takes over from the play, role and blocks around it. */
export interface Inherited {
  path: string;
  when: string[];
  tags: string[];
  vars: JsonObject[];
  become: Become;
  environment: JsonObject;
  delegateTo: string | undefined;
  delegateFacts: boolean;
  allowFailedDelegate: boolean;
  runOnce: boolean;
  oncePerPlay: boolean;
  /** Arguments by module, for tasks that do not give them. */
  moduleDefaults: Record<string, JsonObject>;
  ignoreErrors: boolean;
  noLog: boolean;
  ignoreUnreachable: boolean;
  anyErrorsFatal: boolean;
  showDiff: boolean;
  simulate: boolean;
  throttle: number | undefined;
  notify: string[];
  role: RoleContext | undefined;
  /** Folder that relative includes are looked up in. */
  folder: string;
  /** Loop variables of the includes and blocks around. */
  loopValues: JsonObject;
  /** Files that are being included, outermost first. */
  chain: readonly string[];
}

export interface LoadContext extends YamlReading {
  modules: ModuleRegistry;
  /** Paths of the files that were read. */
  used: Set<string>;
  /** Step ids given so far. */
  ids: Set<string>;
  /** What overlays want changed. */
  changes: Changes;
  /** The id by which a step is known before the run: one inside a loop as that of "each" item. */
  previewId(id: string): string;
  /** Handlers of roles, gathered while the tasks are read. */
  handlers: TaskNode[];
  /** Fingerprint tasks of roles. */
  fingerprint: TaskNode[];
  /** Roles that were read because another one of the play depends on them, with all they were given. */
  dependencies: Set<string>;
  /** Roles whose dependencies are being read, outermost first. */
  roleChain: readonly string[];
  /** What is read is repeated, or read only when the run gets there. */
  dynamic: boolean;
  /** The tasks of a list; here, since whatever holds tasks is read by what reads tasks. */
  loadNodes(list: JsonValue[], inherited: Inherited, context: LoadContext, at: SourceRef): Node[];
  /** The whole path of a role's folder. */
  findRole(name: string): string | undefined;
  /** Names of all roles. */
  roleNames(): string[];
  loadRole(reader: MapReader, inherited: Inherited, context: LoadContext): BlockNode | undefined;
}

const noBecome: Become = { enabled: false, user: 'root', method: 'sudo' };

export function topLevel(folder: string, path: string): Inherited {
  return {
    path,
    when: [],
    tags: [],
    vars: [],
    become: noBecome,
    environment: {},
    delegateTo: undefined,
    delegateFacts: false,
    allowFailedDelegate: false,
    runOnce: false,
    oncePerPlay: false,
    moduleDefaults: {},
    ignoreErrors: false,
    noLog: false,
    ignoreUnreachable: false,
    anyErrorsFatal: false,
    showDiff: true,
    simulate: false,
    throttle: undefined,
    notify: [],
    role: undefined,
    folder,
    loopValues: {},
    chain: [],
  };
}

/** Keywords that plays, roles, blocks and tasks share; each takes effect on everything inside. */
export function inherit(reader: MapReader, outer: Inherited): Inherited {
  const become = reader.boolean('become');
  const vars = reader.object('vars');
  if (vars) reportSecrets(vars, reader.problems, reader.map);
  return {
    ...outer,
    when: [...outer.when, ...(reader.conditions('when') ?? [])],
    tags: [...new Set([...outer.tags, ...reader.strings('tags')])],
    vars: vars ? [...outer.vars, vars] : outer.vars,
    become: {
      enabled: become ?? outer.become.enabled,
      user: reader.string('become_user') ?? outer.become.user,
      method: reader.oneOf('become_method', ['sudo', 'su', 'doas']) ?? outer.become.method,
      ...login(reader, outer),
    },
    environment: { ...outer.environment, ...reader.object('environment') },
    delegateTo: reader.string('delegate_to') ?? outer.delegateTo,
    delegateFacts: reader.boolean('delegate_facts') ?? outer.delegateFacts,
    allowFailedDelegate: reader.boolean('allow_failed_delegate') ?? outer.allowFailedDelegate,
    ...runOnce(reader, outer),
    moduleDefaults: moduleDefaults(reader, outer),
    ignoreErrors: reader.boolean('ignore_errors') ?? outer.ignoreErrors,
    noLog: reader.boolean('no_log') ?? outer.noLog,
    ignoreUnreachable: reader.boolean('ignore_unreachable') ?? outer.ignoreUnreachable,
    anyErrorsFatal: reader.boolean('any_errors_fatal') ?? outer.anyErrorsFatal,
    showDiff: reader.boolean('diff') ?? outer.showDiff,
    simulate: checkMode(reader) ?? outer.simulate,
    throttle: throttle(reader) ?? outer.throttle,
    notify: [...outer.notify, ...reader.strings('notify')],
  };
}

function login(reader: MapReader, { become }: Inherited): Pick<Become, 'login'> {
  const transport = reader.oneOf('connection', ['ssh', 'openssh', 'local']);
  const user = reader.string('remote_user');
  const port = reader.limit('port');
  const own = {
    ...(transport === undefined ? {} : { transport }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  };
  const all = { ...become.login, ...own };
  return Object.keys(all).length === 0 ? {} : { login: all };
}

/** Whether a step is only simulated in a real run. What is done in a simulated run is for steps that only read. */
function checkMode(reader: MapReader): boolean | undefined {
  const wanted = reader.boolean('check_mode');
  if (wanted === false) {
    reader.problem(
      'check_mode',
      '"check_mode: false" would change hosts while everything else is simulated.',
      'A command that only looks runs in check mode with "read_only: true".',
    );
  }
  return wanted;
}

/** `run_once: true` is once in each batch, `run_once: play` once in all of them. */
function runOnce(reader: MapReader, outer: Inherited): Pick<Inherited, 'runOnce' | 'oncePerPlay'> {
  const { runOnce: once, oncePerPlay } = outer;
  if (!reader.has('run_once')) return { runOnce: once, oncePerPlay };
  if (reader.source['run_once'] === 'play') return { runOnce: true, oncePerPlay: true };
  return { runOnce: reader.boolean('run_once') ?? once, oncePerPlay: false };
}

/** What stands further inside goes over what stands outside, argument by argument. */
function moduleDefaults(reader: MapReader, outer: Inherited): Inherited['moduleDefaults'] {
  const defaults = { ...outer.moduleDefaults };
  for (const [module, args] of Object.entries(reader.object('module_defaults') ?? {})) {
    if (isJsonObject(args)) defaults[module] = { ...defaults[module], ...args };
    else reader.problem('module_defaults', `"module_defaults" of "${module}" must be a map.`);
  }
  return defaults;
}

/** Hosts at a time; 0 is no limit of its own. */
function throttle(reader: MapReader): number | undefined {
  const wanted = reader.number('throttle');
  if (wanted === undefined || (Number.isInteger(wanted) && wanted >= 0)) return wanted;
  reader.problem('throttle', '"throttle" must be a count of hosts, 0 for no limit.');
  return undefined;
}

export function stepId(path: string, name: string, ids: Set<string>): string {
  const base = `${path}/${slug(name)}`;
  let id = base;
  for (let ordinal = 2; ids.has(id); ordinal++) id = `${base}~${String(ordinal)}`;
  ids.add(id);
  return id;
}
