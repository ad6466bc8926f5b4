import type { Action, WriteAction } from '../core/action.ts';
import type { CommandOutput, ReadCommand } from '../core/fact.ts';
import type { HostPath } from '../core/host-path.ts';
import type { HostLock, LockRequest, UnitRecord } from '../core/host.ts';
import { fileContent, fileState, realPath, treeSum } from '../facts/file.ts';
import { unitStatus } from '../facts/systemd.ts';
import { FileTree, stateText, treeText, type TreeNode } from './file-tree.ts';

export interface Service {
  active: boolean;
  enabled: boolean;
  /** Its configuration, as it was when the service was started. */
  loaded: string;
}

type Lock = Omit<HostLock, 'silentSeconds'> & { heardAt: number };

const answer = (code: number, stdout = '', stderr = ''): CommandOutput => ({
  code,
  stdout,
  stderr,
});
const scripts = {
  state: fileState.command('/').script,
  tree: treeSum.command('/').script,
  content: fileContent.command('/').script,
};

/** A host as data. What it is asked and told has the meaning that `transport/runtime.sh` gives it. */
export class ModelHost {
  readonly name: string;
  readonly tree = new FileTree();
  readonly services = new Map<string, Service>();
  lock: Lock | undefined;
  /** What the host has on record of the changes of each run. */
  readonly #units = new Map<string, UnitRecord>();
  /** Copies of paths from before a change, by run, path and number of the unit. */
  readonly #copies = new Map<string, ReadonlyMap<string, TreeNode>>();
  readonly #calls = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** All that must be as before when a run is rolled back. */
  lines(): string[] {
    const services = [...this.services].map(
      ([name, { active, enabled, loaded }]) =>
        `service ${name} ${active ? `active ${JSON.stringify(loaded)}` : 'inactive'} ${enabled ? 'enabled' : 'disabled'}`,
    );
    return [...this.tree.lines(), ...services.sort()];
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

  /** Numbers of the changes that were begun. */
  startedUnits(run: string): number[] {
    return [...this.#units.keys()]
      .filter((key) => key.startsWith(`${run} `))
      .map((key) => Number(key.split(' ')[1]));
  }

  /** A unit that is tried again finds the copy of its first try. */
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
        return answer(0, `present\n${node.content.toString('base64')}\n`);
      }
    }
    if (script === ':') return answer(0);
    for (const [name, service] of this.services) {
      if (script === unitStatus.command(name).script) return answer(0, statusText(service));
    }
    const link = [...this.tree.copyOf('')].find(
      ([name, { type }]) => type === 'link' && script === realPath.command(name).script,
    );
    if (link) return answer(0, `${link[1].content.toString()}\n`);
    throw new Error(`No model host knows the question "${script}".`);
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
        tree.publish(action.path, contentOf(action), action);
        return answer(0);
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
        return this.#program(action.argv, action.env ?? {});
      case 'http':
      case 'upload':
      case 'download':
      case 'fetch':
      case 'reboot':
        throw new UnknownProgram(`No model host can do "${action.kind}".`);
    }
  }

  /**
   * Programs of model hosts: `ok`, `fail`, `say WORDS`, `rc N`, `fail-on HOST…`, `flaky N` (fails N times), `env NAME…`,
   * `put PATH TEXT` (replaces a file), `show PATH` and `restore PATH WORDS` (what `show` said of it), `systemctl`.
   */
  #program(argv: readonly string[], env: Readonly<Record<string, string>>): CommandOutput {
    const [word = '', ...words] = argv;
    const [path = '', ...rest] = words;
    const no = (code = 1) => answer(code, '', 'it said no\n');
    switch (word) {
      case 'ok':
        return answer(0);
      case 'fail':
        return no();
      case 'say':
        return answer(0, `${words.join(' ')}\n`);
      case 'rc':
        return path === '0' ? answer(0) : no(Number(path));
      case 'fail-on':
        return words.includes(this.name) ? no() : answer(0);
      case 'env':
        return answer(0, `${words.map((name) => `${name}=${env[name] ?? ''}`).join(' ')}\n`);
      case 'flaky': {
        const key = argv.join(' ');
        const calls = (this.#calls.get(key) ?? 0) + 1;
        this.#calls.set(key, calls);
        return calls <= Number(path) ? no() : answer(0);
      }
      case 'put':
        this.tree.publish(path, Buffer.from(`${rest.join(' ')}\n`));
        return answer(0);
      case 'show': {
        const node = this.tree.get(path);
        const text = node ? `file ${node.content.toString('base64')}` : 'absent';
        return answer(0, `${text}\n`);
      }
      case 'restore':
        if (rest[0] === 'absent') this.tree.remove(path);
        else this.tree.publish(path, Buffer.from(rest[1] ?? '', 'base64'));
        return answer(0);
      case 'systemctl':
        return this.#systemctl(words);
      default:
        throw new UnknownProgram(`No model host knows "${argv.join(' ')}".`);
    }
  }

  #systemctl([verb = '', name = '']: readonly string[]): CommandOutput {
    if (verb === 'daemon-reload') return answer(0);
    const service = this.services.get(name);
    if (!service) return answer(5, '', `Unit ${name} not found.\n`);
    const config = this.tree.get(`/etc/${name}.conf`)?.content.toString() ?? '';
    const start = { active: true, loaded: config };
    const changes: Record<string, Partial<Service>> = {
      start: service.active ? {} : start,
      stop: { active: false },
      restart: start,
      reload: { loaded: config },
      enable: { enabled: true },
      disable: { enabled: false },
    };
    const change = changes[verb];
    if (!change) throw new UnknownProgram(`No model host knows "systemctl ${verb}".`);
    this.services.set(name, { ...service, ...change });
    return answer(0);
  }
}

/** The model is not complete: this must not look like a host that fails. */
class UnknownProgram extends Error {}

function contentOf({ content, encoding }: WriteAction): Buffer {
  return Buffer.from(content, encoding ?? 'utf8');
}

function copyKey(run: string, { copyOf, unit }: { copyOf: string; unit: number }): string {
  return `${run} ${String(unit)} ${copyOf}`;
}

function nameOf(path: HostPath): string {
  return typeof path === 'string' ? path : path.copyOf;
}

function statusText({ active, enabled }: Service): string {
  const states = { LoadState: 'loaded', ActiveState: active ? 'active' : 'inactive' };
  const lines = { ...states, UnitFileState: enabled ? 'enabled' : 'disabled' };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
