import type { Action, HttpRequest, HttpResponse } from './action.ts';
import type { Fact } from './fact.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import type { FolderEntry } from '../util/folder.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Everything a module may know. It has no method that could change a host. */
export interface HostView {
  readonly name: string;
  /** Whether anybody will see how text changes; if not, old contents need not be read. */
  readonly wantsDiff: boolean;
  /** Facts asked for in one turn of the event loop travel in one round trip. */
  fact<P extends string[], T>(fact: Fact<P, T>, ...params: P): Promise<T>;
  /** Bytes of a file on the controller: a role's or playbook's `files/`, or an absolute path. */
  controllerFile(path: string): Promise<Buffer>;
  /** Where such a file is and what it holds, without reading it into memory. */
  controllerFileInfo(path: string): Promise<ControllerFile>;
  /** All that is below a directory of the controller; undefined when the path is that of a file. */
  controllerFolder(path: string): Promise<ControllerFolder | undefined>;
  /** What is in an archive of the controller. */
  controllerArchive(path: string): Promise<ArchiveEntry[]>;
  /** SHA-256 of a file of the controller, undefined when there is none. */
  localChecksum(path: string): Promise<string | undefined>;
  /** The controller's own copy of a small file that was captured, by the path of the host's copy. */
  keptCopy(path: string): Buffer | undefined;
  /** Text of a template of the role or playbook, rendered with the task's variables. */
  renderTemplate(path: string): Promise<string>;
  /** A request that only reads, sent by the controller. */
  request(request: HttpRequest): Promise<HttpResponse>;
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
  /** The actions only read: they run in check mode too, are not journaled, and never count as a change. */
  readOnly?: boolean;
  /** Fields of the registered result that are known before acting. */
  result?: JsonObject;
  diff?: FileDiff[];
  /** Host paths that are copied aside before the first action, for `restore`. */
  capture?: string[];
  /** Seconds the step pauses on the controller. */
  pauseSeconds?: number;
  /** Asked of the operator, once for all hosts of the step; the answer is "user_input" of the result. */
  question?: Question;
  /** Text for the operator, shown when the step is done. */
  document?: { title: string; text: string; inCheckMode?: boolean };
  /** Effects on the run itself: variables of the host, or groups it joins. */
  setFacts?: JsonObject;
  joinGroups?: string[];
  /** Groups that the host leaves before it joins others. */
  leaveGroups?: string[];
  addHosts?: AddedHost[];
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

/** Where a captured path was copied to, by its original path. */
export type CapturePath = (path: string) => string;

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * One thing a task can do. `schema` is validation, argument type, editor completion and documentation in one.
 * Argument names follow Ansible's.
 */
export interface Module<A = JsonObject> {
  name: string;
  summary: string;
  schema: JsonSchema;
  /** Never changes anything, so it needs no undo. */
  readOnly?: boolean;
  /** Argument that a bare string stands for, as in `command: uptime`. */
  shorthand?: string;
  /** Another way to write the arguments, when the playbook is loaded: templates in them are not rendered yet. */
  prepare?(args: JsonObject): JsonObject;
  plan(args: A, host: HostView): Plan | Promise<Plan>;
  /**
   * The calls that bring back what `plan` found, from the same facts (no further round trip). Undefined when this
   * module cannot know; the task must then declare an undo.
   */
  restore?(args: A, host: HostView, captured: CapturePath): Promise<ModuleCall[] | undefined>;
  /** Its undo is due even where it found nothing to do, as if the task said `undo_on: always`. */
  undoesAlways?(args: A): boolean;
  /** Why some arguments leave nothing to undo or cannot be undone, known without a host. */
  undoFor?(args: JsonObject): 'auto' | 'none' | 'uncovered';
  /** Arguments that are left out of the journal: its undo does without them. */
  secretArgs?: readonly string[];
  /** Arguments that are conditions: `plan` gets true for one that holds, its text for one that does not. */
  conditionArgs?: readonly string[];
  /** Arguments with which a handler runs once more when what notified it is taken back. Default: the same. */
  again?(args: A): JsonObject;
  /** What all its calls are about, where neither `path` nor `name` among the arguments says it. */
  subject?: string;
  /** The arguments in check mode, such as a single look in place of a wait: what it waits for may come from a skipped step. */
  inCheck?(args: A): A;
  /** How long it waits for a host that cannot be reached. */
  waitsForHost?(args: A): { seconds: number; pauseSeconds: number; delaySeconds: number };
  /** Refines the result after the actions ran, e.g. to parse an answer; `changed: false` says that nothing changed. */
  finish?(result: JsonObject, args: A): JsonObject;
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
