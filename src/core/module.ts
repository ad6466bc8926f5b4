import type { Action, HttpRequest, HttpResponse } from './action.ts';
import type { CommandOutput, Fact } from './fact.ts';
import type { HostPath } from './host-path.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import type { DirectoryEntry } from '../util/directory.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Schema of a list of conditions. For each condition, `plan` gets true, or the text of a condition that is false. */
export const conditionsArgument = {
  type: 'array',
  items: { type: ['string', 'boolean'], format: 'condition' },
  minItems: 1,
} as const;

/** What a module can read from a host. No method changes the host. */
export interface HostFacts {
  readonly name: string;
  /** Whether the difference of texts is shown. If not, old contents need not be read. */
  readonly wantsDiff: boolean;
  /** Facts requested in the same turn of the event loop share one round trip. */
  fact<P extends HostPath[], T>(fact: Fact<P, T>, ...params: P): Promise<T>;
  /** For the arguments of an undo: the backup copy of a path from before the change. */
  copyOf(path: string): HostCopy;
}

/** What a module can read on the controller. */
export interface Controller {
  /** Bytes of a file in the `files/` of the role or playbook, or at an absolute path. */
  file(path: string): Promise<Buffer>;
  /** Path, size and checksum of such a file, without reading it into memory. */
  fileInfo(path: string): Promise<ControllerFile>;
  /** All entries below a directory; undefined when the path is a file. */
  directory(path: string): Promise<ControllerDirectory | undefined>;
  /** The entries of an archive. */
  archive(path: string): Promise<ArchiveEntry[]>;
  /** SHA-256 of a file; undefined when it does not exist. */
  checksum(path: string): Promise<string | undefined>;
  /** The controller's own copy of a small file that was captured, by the path of the host's copy. */
  keptCopy(path: HostPath): Buffer | undefined;
  /** Text of a template of the role or playbook, rendered with the task's variables. */
  render(path: string): Promise<string>;
  /** Random bytes, for unique names. */
  randomBytes(count: number): Buffer;
  /** A read-only request. */
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** Everything that a module can access. */
export interface Sight {
  host: HostFacts;
  controller: Controller;
  /** Check mode: a wait checks once, because the step that creates the expected state is skipped. */
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
  /** The file at this path is encrypted; size and checksum are those of the plain content. */
  encrypted?: boolean;
}

export interface ControllerDirectory {
  /** Absolute path. */
  path: string;
  entries: DirectoryEntry[];
}

export interface FileDiff {
  path: string;
  before: string;
  after: string;
}

export interface Plan {
  /** Empty if and only if the host is already in the desired state. */
  actions: Action[];
  /** How to undo the actions, from the same facts. */
  undo?: PlannedUndo;
  /** The changed object, if the undo has no argument `path` or `name` that names it. */
  touches?: string[];
  /** Effects on the run, not on the host. */
  run?: RunEffect[];
  /** Fields of the registered result that are known before the actions run. */
  result?: JsonObject;
  diff?: FileDiff[];
}

export interface PlannedUndo {
  /** Done in this order. */
  calls: UndoCall[];
  /** Why the current state cannot be restored. The step is refused unless the playbook declares an undo. */
  impossible?: string;
  /** Runs even if the step changed nothing, like `undo_on: always`. */
  always?: true;
  /** What a handler does when its notifying step is undone. Default: `calls`, or the same call again without any. */
  rerun?: ModuleCall;
}

/** Readable by the operator only. A missing directory is created. */
export interface KeptFile {
  path: string;
  content: string;
  /** Secrets of the run are masked. */
  masked: boolean;
}

export type RunEffect =
  | { kind: 'set-facts'; facts: JsonObject }
  /** Appends to existing lists of the host with these names. */
  | { kind: 'append-facts'; lists: Record<string, JsonValue[]> }
  /** The host leaves groups before it joins others. */
  | { kind: 'join-groups'; groups: string[]; leave?: string[] }
  | { kind: 'add-host'; host: AddedHost }
  /** The step pauses on the controller. */
  | { kind: 'pause'; seconds: number }
  /** A prompt for the operator, once for all hosts of the step. The reply is "user_input" of the result. */
  | { kind: 'ask'; question: Question }
  /** Text for the operator. */
  | { kind: 'show'; title: string; text: string; inCheckMode?: boolean }
  /** Writes a file for the operator on the controller. It is output, not a change that is undone. */
  | ({ kind: 'keep' } & KeptFile)
  /** Waits for an unreachable host before the actions run. */
  | { kind: 'await-host'; seconds: number; pauseSeconds: number; delaySeconds: number };

/**
 * In the arguments of an undo: the backup copy of a path from before the change. A path is backed up only if an undo refers to it. A class, so that data cannot imitate it.
 */
export class HostCopy {
  constructor(path: string) {
    this.path = path;
  }
  readonly path: string;
}

export type UndoValue = JsonValue | HostCopy | UndoValue[] | { [name: string]: UndoValue };

/** A module call of an undo, before the engine has filled in the paths of its backup copies. */
export interface UndoCall {
  module: string;
  args: { [name: string]: UndoValue };
}

export interface Question {
  text: string;
  /** The reply is a secret: it is not echoed, and masked in all output. */
  hidden: boolean;
}

/** A host that a step adds to the run. */
export interface AddedHost {
  name: string;
  groups: string[];
  vars: JsonObject;
}

/** A call of a module, as an automatic undo records it. */
export interface ModuleCall {
  module: string;
  args: JsonObject;
}

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * The effect that follows from the arguments alone. `reads`: changes nothing, so it runs in check mode and is not journaled. `restores`: the plan contains its undo. `passes`: leaves nothing to undo, as with a restart. `changes`: the playbook must declare an undo.
 */
export type Effect = 'reads' | 'restores' | 'passes' | 'changes';

/** What only the results of the actions show. */
export interface Conclusion {
  /** Further fields of the result. */
  result?: JsonObject;
  /** The actions changed nothing. */
  changed?: false;
}

/** A module. Argument names follow those of Ansible. */
export interface Module<A = never> {
  name: string;
  summary: string;
  /**
   * JSON Schema of the arguments, used for validation, types, editor completion and documentation. runner uses these extensions:
   * `secret: true` keeps an argument out of the journal. For `format: 'variable'`, the name of a variable, `plan` gets its value. For `format: 'condition'`, `plan` gets true, or the text of a condition that is false.
   */
  args: JsonSchema;
  /** The argument that a plain string sets, as in `command: uptime`. */
  shorthand?: string;
  /** Also called when the playbook is loaded, with templates that are not rendered. */
  effect: Effect | ((args: JsonObject) => Effect);
  /** Compares the state of the host with the arguments, and returns the actions and their undo. It cannot change anything. */
  plan(args: A, sight: Sight): Plan | Promise<Plan>;
  conclude?(answer: readonly CommandOutput[], args: A): Conclusion;
}

export function effectOf({ effect }: Module, args: JsonObject): Effect {
  return typeof effect === 'string' ? effect : effect(args);
}

/** Names of the arguments with an extension in the schema, such as `secret: true`. */
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
