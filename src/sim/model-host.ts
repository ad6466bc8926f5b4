import { createHash } from 'node:crypto';
import type { Action, FetchAction, WriteAction } from '../core/action.ts';
import type { CommandOutput, ReadCommand } from '../core/fact.ts';
import type { HostPath } from '../core/host-path.ts';
import type { HostLock, LockRequest, UnitRecord } from '../core/host.ts';
import { fileContent, fileState, treeSum } from '../facts/file.ts';
import { FileTree, stateText, treeText, type TreeNode } from './file-tree.ts';

export interface Service {
  active: boolean;
  enabled: boolean;
  /** The configuration that the service read when it was started. */
  loaded: string;
}

type Lock = Omit<HostLock, 'silentSeconds'> & { heardAt: number };

/** Input of a program besides its arguments. */
export interface Call {
  env: Readonly<Record<string, string>>;
  stdin: string;
}

/** The programs of a model host. */
export interface Skills {
  /** @throws UnknownProgram; any other error is the error message of a failing program */
  run(host: ModelHost, argv: readonly string[], call: Call): CommandOutput;
  /** The output of a read-only script; undefined if the script is unknown. */
  answer(host: ModelHost, script: string): CommandOutput | undefined;
  /** Writes a file of the host to the controller. */
  bring?: (path: string, content: Buffer) => void;
}

export const answer = (code: number, stdout = '', stderr = ''): CommandOutput => ({
  code,
  stdout,
  stderr,
});
/** State of a host. The values of its maps are immutable. */
export interface HostState {
  tree: ReadonlyMap<string, TreeNode>;
  services: ReadonlyMap<string, Service>;
  lock: Lock | undefined;
  units: ReadonlyMap<string, UnitRecord>;
  copies: ReadonlyMap<string, ReadonlyMap<string, TreeNode>>;
}

const scripts = {
  state: fileState.command('/').script,
  tree: treeSum.command('/').script,
  content: fileContent.command('/').script,
};

/** A host as data. Its requests have the same meaning as in `transport/runtime.sh`. */
export class ModelHost {
  readonly name: string;
  readonly tree = new FileTree();
  readonly services = new Map<string, Service>();
  lock: Lock | undefined;
  /** Records of the host about the changes of each run. */
  readonly #units = new Map<string, UnitRecord>();
  /** Copies of paths from before a change, by run, path and number of the unit. */
  readonly #copies = new Map<string, ReadonlyMap<string, TreeNode>>();
  readonly #skills: Skills;

  constructor(name: string, skills: Skills) {
    this.name = name;
    this.#skills = skills;
  }

  /** Everything that a rollback must restore. */
  lines(): string[] {
    const services = [...this.services].map(
      ([name, { active, enabled, loaded }]) =>
        `service ${name} ${active ? `active ${JSON.stringify(loaded)}` : 'inactive'} ${enabled ? 'enabled' : 'disabled'}`,
    );
    return [...this.tree.lines(), ...services.sort()];
  }

  /** The whole state, for `load` of another host. */
  save(): HostState {
    return {
      tree: this.tree.save(),
      services: new Map(this.services),
      lock: this.lock && { ...this.lock },
      units: new Map(this.#units),
      copies: new Map(this.#copies),
    };
  }

  load({ tree, services, lock, units, copies }: HostState): void {
    this.tree.load(tree);
    this.lock = lock && { ...lock };
    replace(this.services, services);
    replace(this.#units, units);
    replace(this.#copies, copies);
  }

  // Requests of a run.

  takeLock(run: string, { owner, leaseSeconds, replaced }: LockRequest, now: number) {
    const { lock } = this;
    if (lock && lock.run !== run && lock.run !== replaced)
      return { ...lock, silentSeconds: now - lock.heardAt };
    this.lock = { run, owner, since: now, leaseSeconds, heardAt: now };
    return 'held' as const;
  }

  renewLock(run: string, now: number): 'held' | { lostTo: string } {
    if (this.lock?.run !== run) return { lostTo: this.lock?.run ?? '' };
    this.lock.heardAt = now;
    return 'held';
  }

  unlock(run: string): void {
    if (this.lock?.run === run) this.lock = undefined;
  }

  record(run: string, unit: number): UnitRecord {
    return this.#units.get(`${run} ${String(unit)}`) ?? { state: 'never_started' };
  }

  started(run: string, unit: number): void {
    this.#units.set(`${run} ${String(unit)}`, { state: 'running' });
  }

  finished(run: string, unit: number, code: number): void {
    this.#units.set(`${run} ${String(unit)}`, { state: 'finished', code });
  }

  interrupted(run: string, unit: number): void {
    this.#units.set(`${run} ${String(unit)}`, { state: 'interrupted' });
  }

  /** Numbers of the changes that were started. */
  startedUnits(run: string): number[] {
    return [...this.#units.keys()]
      .filter((key) => key.startsWith(`${run} `))
      .map((key) => Number(key.split(' ')[1]));
  }

  /** Copies a path before a change. A repeated unit keeps the copy of its first attempt. */
  capture(run: string, unit: number, path: string): void {
    const key = copyKey(run, { copyOf: path, unit });
    if (!this.#copies.has(key)) this.#copies.set(key, this.tree.copyOf(path));
  }

  smallCopy(run: string, unit: number, path: string): Buffer | undefined {
    const node = this.#copies.get(copyKey(run, { copyOf: path, unit }))?.get('');
    return node?.type === 'file' ? node.content : undefined;
  }

  // Questions.

  read(run: string, { script, paths = [] }: ReadCommand): CommandOutput {
    const [path] = paths;
    if (path !== undefined) {
      const copy = this.#at(run, path);
      const node = copy.get('');
      if (script === scripts.state) return answer(0, stateText(node, nameOf(path)));
      if (script === scripts.tree) return answer(0, treeText(copy));
      if (script === scripts.content) {
        if (!node) return answer(0, 'absent\n');
        if (node.type !== 'file') return answer(1, '', 'not a regular file\n');
        return answer(0, `present\n${wrapped(node.content.toString('base64'))}\n`);
      }
    }
    const said = script === ':' ? answer(0) : this.#skills.answer(this, script);
    if (said) return said;
    throw new UnknownProgram(`The model hosts do not support the query "${script}".`);
  }

  #at(run: string, path: HostPath): ReadonlyMap<string, TreeNode> {
    if (typeof path === 'string') return this.tree.copyOf(path);
    return this.#copies.get(copyKey(run, path)) ?? new Map<string, TreeNode>();
  }

  // Changes.

  act(run: string, action: Action): CommandOutput {
    try {
      return this.#act(run, action);
    } catch (error) {
      if (error instanceof UnknownProgram) throw error;
      return answer(1, '', `${(error as Error).message}\n`);
    }
  }

  #act(run: string, action: Action): CommandOutput {
    const { tree } = this;
    switch (action.kind) {
      case 'write':
        return this.#write(action);
      case 'mkdir':
        tree.makeDirectories(action.path);
        return answer(0);
      case 'remove':
        tree.remove(action.path);
        return answer(0);
      case 'symlink':
        tree.set(action.path, {
          type: 'link',
          mode: '777',
          owner: 'root',
          group: 'root',
          content: Buffer.from(action.target),
        });
        return answer(0);
      case 'chmod':
        tree.chmod(action.path, action.mode, action.recurse);
        return answer(0);
      case 'chown':
        tree.chown(action.path, action, action.recurse);
        return answer(0);
      case 'copy': {
        const from = this.#at(run, action.from);
        if (from.size === 0) return answer(1, '', `${nameOf(action.from)}: No such file\n`);
        if (action.contentOnly)
          tree.publish(action.path, from.get('')?.content ?? Buffer.alloc(0), action);
        else tree.paste(action.path, from);
        return answer(0);
      }
      case 'exec':
        return this.#skills.run(this, action.argv, {
          ...{ env: action.env ?? {}, stdin: action.stdin ?? '' },
        });
      case 'fetch':
        return this.#fetch(action);
      case 'http':
      case 'upload':
      case 'download':
      case 'reboot':
        throw new UnknownProgram(`The model hosts do not support the action "${action.kind}".`);
    }
  }

  #write(action: WriteAction): CommandOutput {
    const { path, validate } = action;
    if (validate !== undefined) {
      const draft = `${path}.draft`;
      this.tree.publish(draft, contentOf(action), action);
      const words = validate.split(' ').map((word) => (word === '%s' ? draft : word));
      const said = this.#skills.run(this, words, { env: {}, stdin: '' });
      this.tree.remove(draft);
      if (said.code !== 0) return said;
    }
    this.tree.publish(path, contentOf(action), action);
    return answer(0);
  }

  #fetch({ path, to, checksum, encrypt }: FetchAction): CommandOutput {
    const { bring } = this.#skills;
    if (!bring || encrypt || checksum === undefined)
      throw new UnknownProgram('The model hosts do not support fetching such a file.');
    const content = this.tree.get(path)?.content ?? Buffer.alloc(0);
    if (createHash('sha256').update(content).digest('hex') !== checksum)
      return answer(1, '', `${path}: the file has changed\n`);
    bring(to, content);
    return answer(0);
  }
}

/**
 * The model does not support a program. This is an error of the test, not a failure of the host.
 */
export class UnknownProgram extends Error {}

function replace<K, V>(map: Map<K, V>, by: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of by) map.set(key, value);
}

/** As base64(1) prints it. */
function wrapped(text: string): string {
  return text.replaceAll(/.{76}(?=.)/g, '$&\n');
}

function contentOf({ content, encoding }: WriteAction): Buffer {
  return Buffer.from(content, encoding ?? 'utf8');
}

function copyKey(run: string, { copyOf, unit }: { copyOf: string; unit: number }): string {
  return `${run} ${String(unit)} ${copyOf}`;
}

function nameOf(path: HostPath): string {
  return typeof path === 'string' ? path : path.copyOf;
}
