import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Problem } from '../core/errors.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { Become, BlockNode, Node, RoleContext, TaskNode } from '../core/playbook.ts';
import type { SourceRef } from '../core/source.ts';
import { slug } from '../util/text.ts';
import type { Changes } from './overlay.ts';
import type { MapReader } from './reader.ts';
import type { SourceMap } from './yaml.ts';

/** What a node takes over from the play, role and blocks around it. */
export interface Inherited {
  path: string;
  when: string[];
  tags: string[];
  vars: JsonObject[];
  become: Become;
  environment: JsonObject;
  delegateTo: string | undefined;
  runOnce: boolean;
  ignoreErrors: boolean;
  noLog: boolean;
  notify: string[];
  role: RoleContext | undefined;
  /** Folder that relative includes are looked up in. */
  folder: string;
  /** Loop variables of the includes and blocks around. */
  loopValues: JsonObject;
  /** Files that are being included, outermost first. */
  chain: readonly string[];
}

export interface LoadContext {
  modules: ModuleRegistry;
  problems: Problem[];
  map: SourceMap;
  files: Set<string>;
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
    runOnce: false,
    ignoreErrors: false,
    noLog: false,
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
  return {
    ...outer,
    when: [...outer.when, ...(reader.conditions('when') ?? [])],
    tags: [...new Set([...outer.tags, ...reader.strings('tags')])],
    vars: vars ? [...outer.vars, vars] : outer.vars,
    become: {
      enabled: become ?? outer.become.enabled,
      user: reader.string('become_user') ?? outer.become.user,
      method: reader.oneOf('become_method', ['sudo', 'su', 'doas']) ?? outer.become.method,
    },
    environment: { ...outer.environment, ...reader.object('environment') },
    delegateTo: reader.string('delegate_to') ?? outer.delegateTo,
    runOnce: reader.boolean('run_once') ?? outer.runOnce,
    ignoreErrors: reader.boolean('ignore_errors') ?? outer.ignoreErrors,
    noLog: reader.boolean('no_log') ?? outer.noLog,
    notify: [...outer.notify, ...reader.strings('notify')],
  };
}

export function stepId(path: string, name: string, ids: Set<string>): string {
  const base = `${path}/${slug(name)}`;
  let id = base;
  for (let ordinal = 2; ids.has(id); ordinal++) id = `${base}~${String(ordinal)}`;
  ids.add(id);
  return id;
}
