import type { Action, HttpRequest, HttpResponse } from './action.ts';
import type { CommandOutput, Fact } from './fact.ts';
import type { HostPath } from './host-path.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import type { FolderEntry } from '../util/folder.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Schema of an argument that is a list of conditions, of which `plan` gets true or, for one that does not hold, its text. */
export const conditionsArgument = {
  type: 'array',
  items: { type: ['string', 'boolean'], format: 'condition' },
  minItems: 1,
} as const;

/** What a module may ask a host. It has no method that could change one. */
export interface HostFacts {
  readonly name: string;
  /** Whether anybody will see how text changes; if not, old contents need not be read. */
  readonly wantsDiff: boolean;
  /** Facts asked for in one turn of the event loop travel in one round trip. */
  fact<P extends HostPath[], T>(fact: Fact<P, T>, ...params: P): Promise<T>;
  /** For the arguments of an undo: the copy of a path from before the change. */
  copyOf(path: string): HostCopy;
}

/** What a module may ask the controller. */
export interface Controller {
  /** Bytes of a file: in a role's or playbook's `files/`, or at an absolute path. */
  file(path: string): Promise<Buffer>;
  /** Where such a file is and what it holds, without reading it into memory. */
  fileInfo(path: string): Promise<ControllerFile>;
  /** All that is below a directory; undefined when the path is that of a file. */
  folder(path: string): Promise<ControllerFolder | undefined>;
  /** What is in an archive. */
  archive(path: string): Promise<ArchiveEntry[]>;
  /** SHA-256 of a file, undefined when there is none. */
  checksum(path: string): Promise<string | undefined>;
  /** The controller's own copy of a small file that was captured, by the path of the host's copy. */
  keptCopy(path: HostPath): Buffer | undefined;
  /** Text of a template of the role or playbook, rendered with the task's variables. */
  render(path: string): Promise<string>;
  /** Bytes that nobody can foresee, for names that nothing else has. */
  randomBytes(count: number): Buffer;
  /** A request that only reads. */
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** All that a module sees. */
export interface Sight {
  host: HostFacts;
  controller: Controller;
  /** A wait looks once: in check mode, what it waits for may come from a step that did not run. */
  once: boolean;
}

export interface ControllerFile {
  /** Absolute path. */
  path: string;
  /** Permissions in octal, such as "0644". */
  mode: string;
  /** Bytes. */
  size: number;
  /** SHA-256 in hex. */
  checksum: string;
  /** The path holds it encrypted; size and checksum are those of its content. */
  encrypted?: boolean;
}

export interface ControllerFolder {
  /** Absolute path. */
  path: string;
  entries: FolderEntry[];
}

export interface FileDiff {
  path: string;
  before: string;
  after: string;
}

export interface Plan {
  /** Empty means "ok, unchanged"; nothing else does. */
  actions: Action[];
  /** How the actions are undone, from the facts that they follow from. */
  undo?: PlannedUndo;
  /** What the actions change, where neither `path` nor `name` among the arguments of its undo says it. */
  touches?: string[];
  /** Effects on the run, not on the host. */
  run?: RunEffect[];
  /** Fields of the registered result that are known before acting. */
  result?: JsonObject;
  diff?: FileDiff[];
}

export interface PlannedUndo {
  /** Done in this order. */
  calls: UndoCall[];
  /** Why what was found cannot be restored: the step is refused unless the playbook declares an undo. */
  impossible?: string;
  /** Due even where there was nothing to do, as if the task said `undo_on: always`. */
  always?: true;
  /** What a handler does when what notified it is undone. Default: it is undone by `calls`; without any, the same call. */
  rerun?: ModuleCall;
}

/** Readable by the operator alone; its directory is made where it is missing. */
export interface KeptFile {
  path: string;
  content: string;
  /** Secrets of the run are masked. */
  masked: boolean;
}

export type RunEffect =
  | { kind: 'set-facts'; facts: JsonObject }
  /** Adds to lists that the host already has under these names. */
  | { kind: 'append-facts'; lists: Record<string, JsonValue[]> }
  /** The host leaves groups before it joins others. */
  | { kind: 'join-groups'; groups: string[]; leave?: string[] }
  | { kind: 'add-host'; host: AddedHost }
  /** The step pauses on the controller. */
  | { kind: 'pause'; seconds: number }
  /** Asked of the operator, once for all hosts of the step; the answer is "user_input" of the result. */
  | { kind: 'ask'; question: Question }
  /** Text for the operator. */
  | { kind: 'show'; title: string; text: string; inCheckMode?: boolean }
  /** Keeps a file for the operator on the controller: a part of the output, not a change that is undone. */
  | ({ kind: 'keep' } & KeptFile)
  /** Before the actions: waits for a host that cannot be reached. */
  | { kind: 'await-host'; seconds: number; pauseSeconds: number; delaySeconds: number };

/**
 * In the arguments of an undo: where the copy of a path from before the change is kept. The copy is made because an undo
 * names it. A class, so that no data can be taken for it.
 */
export class HostCopy {
  constructor(path: string) {
    this.path = path;
  }
  readonly path: string;
}

export type UndoValue = JsonValue | HostCopy | UndoValue[] | { [name: string]: UndoValue };

/** A module call of an undo, before the engine has said where its copies are. */
export interface UndoCall {
  module: string;
  args: { [name: string]: UndoValue };
}

export interface Question {
  text: string;
  /** The answer is a secret: it is not shown, and masked wherever it turns up. */
  hidden: boolean;
}

/** A host that a step makes known to the run. */
export interface AddedHost {
  name: string;
  groups: string[];
  vars: JsonObject;
}

/** A module asked for by another: how an automatic undo is written down. */
export interface ModuleCall {
  module: string;
  args: JsonObject;
}

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * What the arguments alone say. `reads`: nothing is changed, so it runs in check mode and is not journaled. `restores`: the
 * plan brings its undo. `passes`: nothing of it stays that could be undone, as with a restart. `changes`: the playbook
 * must declare an undo.
 */
export type Effect = 'reads' | 'restores' | 'passes' | 'changes';

/** What only the answer of the actions tells. */
export interface Conclusion {
  /** Further fields of the result. */
  result?: JsonObject;
  /** Nothing has changed after all. */
  changed?: false;
}

/** One thing a task can do. Argument names follow Ansible's. */
export interface Module<A = never> {
  name: string;
  summary: string;
  /**
   * JSON Schema of the arguments: validation, type, editor completion and documentation in one. Marks that runner reads:
   * `secret: true` keeps an argument out of the journal, `format: 'variable'` is the name of a variable, whose value `plan`
   * gets, and `format: 'condition'` a condition, for which `plan` gets true or, where it does not hold, its text.
   */
  args: JsonSchema;
  /** Argument that a bare string stands for, as in `command: uptime`. */
  shorthand?: string;
  /** Called when the playbook is loaded, too: templates are not rendered then. */
  effect: Effect | ((args: JsonObject) => Effect);
  /** Looks, compares, and says what is to be done and how it is undone. It cannot act. */
  plan(args: A, sight: Sight): Plan | Promise<Plan>;
  conclude?(answer: readonly CommandOutput[], args: A): Conclusion;
}

export function effectOf({ effect }: Module, args: JsonObject): Effect {
  return typeof effect === 'string' ? effect : effect(args);
}

/** Names of the arguments with a mark in the schema, such as `secret: true`. */
export function markedArguments(
  { args }: Pick<Module, 'args'>,
  mark: 'secret' | 'format',
  value: boolean | string,
): string[] {
  const properties = (args['properties'] ?? {}) as Record<string, JsonSchema>;
  return Object.entries(properties)
    .filter(([, schema]) => {
      const items = (schema['items'] ?? {}) as JsonSchema;
      return schema[mark] === value || items[mark] === value;
    })
    .map(([name]) => name);
}

/** Modules by name. */
export interface ModuleRegistry extends ReadonlyMap<string, Module> {
  /** Names that only an automatic undo may call. */
  readonly undoOnly: ReadonlySet<string>;
}

/** @param undo modules that only an automatic undo may call */
export function createRegistry(
  modules: readonly Module[],
  undo: readonly Module[] = [],
): ModuleRegistry {
  const all = new Map([...modules, ...undo].map((module) => [module.name, module]));
  return Object.assign(all, { undoOnly: new Set(undo.map(({ name }) => name)) });
}

/** A registry with the modules of a playbook added. */
export function withModules(registry: ModuleRegistry, added: readonly Module[]): ModuleRegistry {
  const all = new Map([...registry, ...added.map((one) => [one.name, one] as const)]);
  return Object.assign(all, { undoOnly: registry.undoOnly });
}

export function resultLines(text: string): JsonValue[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
