import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import ssh2 from 'ssh2';
import { stringify } from 'yaml';
import { quoteAll } from '../util/shell.ts';
import { checkNamespaces, endProcesses, LabError, PrivateRoot } from './private-root.ts';
import { TreeSnapshot } from './snapshot.ts';
import { LabSshServer } from './ssh-server.ts';

export interface LabHost {
  name: string;
  address: string;
  port: number;
  root: PrivateRoot;
  server: LabSshServer;
}

export interface LabFiles {
  dir: string;
  /** mkectl's hosts.yaml. */
  hosts: string;
  key: string;
  knownHosts: string;
  /** Directory that is mounted as /run/cluster on all hosts. */
  shared: string;
}

const HOSTS_PER_NETWORK = 240;
const STARTING_AT_ONCE = 8;

/**
 * Lab hosts in one process. Each host is a private root with its own SSH server on a loopback address. `stop` removes all
 * files.
 */
export class Lab {
  readonly hosts: LabHost[];
  readonly files: LabFiles;
  #snapshot: { trees: TreeSnapshot[]; mounts: Map<string, string[]> } | undefined;

  private constructor(hosts: LabHost[], files: LabFiles) {
    this.hosts = hosts;
    this.files = files;
  }

  /**
   * @param names of the hosts
   * @param prepare writes files of a host before it starts
   */
  static async start(
    names: readonly string[],
    prepare: (host: { name: string; address: string; dir: string }, shared: string) => void = () =>
      undefined,
  ): Promise<Lab> {
    await checkNamespaces();
    const dir = mkdtempSync(join(tmpdir(), 'runner-lab-'));
    const files: LabFiles = {
      dir,
      hosts: join(dir, 'hosts.yaml'),
      key: join(dir, 'id_ed25519'),
      knownHosts: join(dir, 'known_hosts'),
      shared: join(dir, 'cluster'),
    };
    mkdirSync(files.shared);
    const client = generateKey();
    writeFileSync(files.key, client.private, { mode: 0o600 });
    // A random network in 127/8, so that several labs can run at the same time.
    const second = 64 + Math.floor(Math.random() * 190);
    const third = 1 + Math.floor(Math.random() * 200);
    const limit = pLimit(STARTING_AT_ONCE);
    const keys: string[] = [];
    const started: LabHost[] = [];
    try {
      const hosts = await Promise.all(
        names.map((name, index) =>
          limit(async () => {
            const address = `127.${String(second)}.${String(third + Math.floor(index / HOSTS_PER_NETWORK))}.${String(11 + (index % HOSTS_PER_NETWORK))}`;
            const tree = join(dir, 'hosts', name);
            mkdirSync(tree, { recursive: true });
            prepare({ name, address, dir: tree }, files.shared);
            const root = await PrivateRoot.start(name, tree, files.shared);
            const hostKey = generateKey();
            const server = new LabSshServer(root, hostKey.private, Buffer.from(client.public));
            const port = await server.listen(address, 2222);
            keys.push(
              `[${address}]:${String(port)} ${hostKey.public.split(' ').slice(0, 2).join(' ')}`,
            );
            const host = { name, address, port, root, server };
            started.push(host);
            return host;
          }),
        ),
      );
      const lab = new Lab(hosts, files);
      writeFileSync(files.knownHosts, `${keys.join('\n')}\n`);
      writeFileSync(files.hosts, lab.hostsYaml());
      return lab;
    } catch (error) {
      await Promise.all(
        started.map(({ server, root }) => Promise.all([server.close(), root.stop()])),
      );
      removeTree(dir);
      throw error;
    }
  }

  hostsYaml(): string {
    const hosts = this.hosts.map(({ address, port }) => ({
      address,
      port,
      user: 'root',
      keyPath: this.files.key,
    }));
    return stringify({ hosts });
  }

  /** Records the files of all hosts and of the shared directory, for `restore`. */
  snapshot(): void {
    const { dir, shared } = this.files;
    this.#snapshot = {
      trees: [
        // The boot ID is not restored: it is bind-mounted in /proc and differs for each start.
        new TreeSnapshot(join(dir, 'hosts'), (path) => path.endsWith('/var/lib/lab/boot_id')),
        new TreeSnapshot(shared),
      ],
      mounts: new Map(this.hosts.map(({ name, root }) => [name, root.mounts()])),
    };
  }

  /** Restores all hosts to the last snapshot and kills their processes. @throws LabError */
  async restore(): Promise<void> {
    const snapshot = this.#snapshot;
    if (!snapshot) throw new LabError('The lab has no snapshot to restore.');
    for (const { server } of this.hosts) server.reset();
    await endProcesses(this.hosts.map(({ root }) => root));
    await Promise.all(
      this.hosts.map(({ name, root }) => unmountExtra(root, snapshot.mounts.get(name) ?? [])),
    );
    const changed = new Set(snapshot.trees.flatMap((tree) => tree.restore()));
    const renamed = this.hosts.filter(({ name }) => changed.has(`${name}/etc/hostname`));
    await Promise.all(
      renamed.map(({ name, root }) => once(root.spawn(quoteAll(['hostname', name])), 'close')),
    );
  }

  host(name: string): LabHost {
    const host = this.hosts.find((one) => one.name === name);
    if (!host) throw new Error(`The lab has no host "${name}".`);
    return host;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.hosts.map(({ server, root }) => Promise.all([server.close(), root.stop()])),
    );
    removeTree(this.files.dir);
  }
}

/** Unmounts file systems that were mounted since the snapshot, in reverse order. */
async function unmountExtra(root: PrivateRoot, known: readonly string[]): Promise<void> {
  const extra = root.mounts().filter((line) => !known.includes(line));
  // The fifth field of mountinfo is the mount point, with octal escapes for whitespace.
  const points = extra.map((line) => line.split(' ')[4] ?? '').reverse();
  for (const point of points) {
    const path = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    );
    await once(root.spawn(`umount -l ${quoteAll([path])}`), 'close');
  }
}

/** Removes a directory, with retries because processes of a killed namespace can still be ending. */
function removeTree(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Retries, because ssh2 1.17 occasionally (about once in several hundred) generates an ed25519 key that it cannot parse. */
function generateKey(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
