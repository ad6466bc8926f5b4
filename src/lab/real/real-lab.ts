import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { packageRoot } from '../../util/package.ts';
import { selfSigned } from '../certificate.ts';
import { ENCRYPTION_CONFIG } from '../mke3-seed.ts';
import { holdLock, removeAbandoned, removeGroups } from './abandoned.ts';
import { etcdValue, labObjects, WEB_IMAGE } from './objects.ts';
import { RealLabError, type RealProgram, type RealPrograms } from './programs.ts';
import type { RealHost } from './real-host.ts';

const run = promisify(execFile);

const BUILD_MS = 15 * 60_000;
const BOOT_MS = 90_000;
/** UID of the user with sudo. */
const DEPLOY = 1000;
const programs = [
  'mmdebstrap',
  'flock',
  'unshare',
  'nsenter',
  'ip',
  'ssh',
  'ssh-keygen',
  'ssh-keyscan',
];

/** Why hosts of the real lab cannot be started here; undefined if they can. */
export async function realLabObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it requires Linux';
  if (process.getuid?.() !== 0) return 'it requires root';
  const missing: string[] = [];
  for (const program of programs) {
    await run('sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => missing.push(program));
  }
  if (missing.length > 0) return `missing programs: ${missing.join(', ')}`;
  try {
    await run('unshare', ['-m', '-n', '-p', '-i', '-C', '-T', '--fork', 'sh', '-c', KERNEL_PROBE]);
    return undefined;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    return `the kernel does not allow it (${stderr.trim().split('\n')[0] ?? ''})`;
  }
}

/** Tries the mounts, network links and control groups that the hosts need. */
const KERNEL_PROBE = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root
mount -t overlay probe -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
ip link add probe0 type bridge
ip link add probe1 type veth peer name probe2
mknod /mnt/null c 1 3
test -e /sys/fs/cgroup/cgroup.procs || test -d /sys/fs/cgroup/systemd`;

/**
 * Hosts with their own addresses, OpenSSH, systemd and Docker Engine, in namespaces of this machine. Their network is also a
 * namespace: a program that connects to them must be started with `inside`.
 */
export class RealLab {
  readonly dir: string;
  readonly hosts: readonly RealHost[];
  /** The real programs that replace stand-ins. */
  readonly programs: RealPrograms;
  readonly #process: ChildProcess;
  readonly #group: string;
  /** A process in the namespaces of the lab. */
  readonly #pid: number;

  private constructor(
    dir: string,
    hosts: readonly RealHost[],
    programs: RealPrograms,
    { process: outer, group, pid }: { process: ChildProcess; group: string; pid: number },
  ) {
    this.dir = dir;
    this.hosts = hosts;
    this.programs = programs;
    this.#process = outer;
    this.#group = group;
    this.#pid = pid;
  }

  /**
   * @param cache directory in which the root file system is kept between labs
   * @throws RealLabError
   */
  static async start(
    names: readonly string[],
    cache: string,
    programs: RealPrograms = {},
  ): Promise<RealLab> {
    const obstacle = await realLabObstacle();
    if (obstacle !== undefined)
      throw new RealLabError(`Cannot start the real lab on this machine: ${obstacle}.`);
    const base = await buildBase(cache);
    await removeAbandoned(cache);
    const dir = mkdtempSync(join(cache, 'lab-'));
    const hosts = names.map((name, index) => ({ name, address: `10.77.0.${String(11 + index)}` }));
    await writeKit(dir, hosts);
    if (programs.k0s) await writeK0s(dir, base, programs.k0s, programs);
    if (programs.kubeApiserver)
      copyFileSync(programs.kubeApiserver.path, join(dir, 'kit/opt/lab/kube-apiserver'));
    const group = `runner-lab-${String(process.pid)}-${dir.slice(-6)}`;
    const words = hosts.map(({ name, address }) => `${name}=${address}`);
    mkdirSync('/run/netns', { recursive: true });
    const [program = '', ...lock] = holdLock(dir);
    const outer = spawn(
      program,
      [
        ...[...lock, 'unshare', '-m', '-n', '-p', '-i', '--fork', '--kill-child', '--mount-proc'],
        ...['bash', join(scripts(), 'lab.sh'), dir, base, group, ...words],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    try {
      await Promise.race([
        once(outer.stdout, 'data'),
        once(outer, 'exit').then(() => {
          throw new RealLabError('The network of the lab did not start.');
        }),
      ]);
      const pid = Number(
        readFileSync(
          `/proc/${String(outer.pid)}/task/${String(outer.pid)}/children`,
          'utf8',
        ).trim(),
      );
      const lab = new RealLab(dir, hosts, programs, { process: outer, group, pid });
      await lab.#waitForHosts();
      return lab;
    } catch (error) {
      outer.kill('SIGKILL');
      throw error;
    }
  }

  get key(): string {
    return join(this.dir, 'id');
  }

  get knownHosts(): string {
    return join(this.dir, 'known_hosts');
  }

  /** mkectl's hosts file. */
  get hostsYaml(): string {
    return join(this.dir, 'hosts.yaml');
  }

  /** The stand-in of the k0s binary. */
  get k0sBinary(): string {
    return join(scripts(), 'k0s');
  }

  /** Wraps a command so that it runs in the network of the hosts. */
  inside(command: readonly string[]): [string, ...string[]] {
    return ['nsenter', '-t', String(this.#pid), '-n', '--', ...command];
  }

  /** Runs a shell command on a host as root and returns its output. */
  async ssh(name: string, command: string, timeoutMs = 60_000): Promise<string> {
    const host = this.host(name);
    const [program, ...args] = this.inside([
      ...['ssh', '-i', this.key, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5'],
      ...['-o', `UserKnownHostsFile=${this.knownHosts}`, `root@${host.address}`, command],
    ]);
    const { stdout } = await run(program, args, { timeout: timeoutMs, maxBuffer: 1 << 26 });
    return stdout;
  }

  host(name: string): RealHost {
    const host = this.hosts.find((one) => one.name === name);
    if (!host) throw new RealLabError(`The lab has no host "${name}".`);
    return host;
  }

  /** Disconnects a host from the network, or connects it again. */
  async setLink(name: string, state: 'up' | 'down'): Promise<void> {
    const [program, ...args] = this.inside(['ip', 'link', 'set', `v-${name}`, state]);
    await run(program, args);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    removeGroups((name) => name === this.#group);
    // Retry, because files of the hosts' processes can still be in use.
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }

  async #waitForHosts(): Promise<void> {
    const deadline = Date.now() + BOOT_MS;
    const keys = await Promise.all(
      this.hosts.map(async ({ name, address }) => {
        for (;;) {
          const [program, ...args] = this.inside([
            'ssh-keyscan',
            '-T',
            '2',
            '-t',
            'ed25519',
            address,
          ]);
          const { stdout } = await run(program, args).catch(() => ({ stdout: '' }));
          if (stdout.includes('ssh-ed25519')) return stdout;
          if (Date.now() > deadline) {
            const log = join(this.dir, 'hosts', name, 'console.log');
            const end = existsSync(log) ? readFileSync(log, 'utf8').slice(-500) : '';
            throw new RealLabError(`Lab host "${name}" did not start. ${end}`);
          }
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }),
    );
    writeFileSync(this.knownHosts, keys.join(''));
    const hosts = this.hosts.map(({ address }) => ({
      address,
      port: 22,
      user: 'deploy',
      keyPath: this.key,
    }));
    writeFileSync(this.hostsYaml, stringify({ hosts }));
    await Promise.all(
      this.hosts.map(({ name }) =>
        this.ssh(name, 'systemctl is-system-running --wait; systemctl is-active docker'),
      ),
    );
  }
}

function scripts(): string {
  return join(packageRoot(), 'src', 'lab', 'real');
}

/** Builds the root file system that all hosts share, once for each version of base.sh. */
async function buildBase(cache: string): Promise<string> {
  const script = join(scripts(), 'base.sh');
  const sha = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 12);
  const base = join(cache, `base-${sha}`);
  if (existsSync(base)) return base;
  mkdirSync(cache, { recursive: true });
  const building = mkdtempSync(join(cache, 'building-'));
  const root = join(building, 'root');
  try {
    await run('bash', [script, root], { timeout: BUILD_MS, maxBuffer: 1 << 26 });
    renameSync(root, base);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new RealLabError(`Cannot build the root file system of the lab. ${stderr.slice(-800)}`, {
      cause: error,
    });
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return base;
}

/** Writes the files that all hosts have in addition to the base: keys, host names and stand-ins. */
async function writeKit(dir: string, hosts: readonly RealHost[]): Promise<void> {
  const kit = join(dir, 'kit');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'id')]);
  const put = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(kit, path)), { recursive: true });
    writeFileSync(join(kit, path), text, { mode });
  };
  const publicKey = readFileSync(join(dir, 'id.pub'), 'utf8');
  for (const home of ['root', 'home/deploy']) {
    put(`${home}/.ssh/authorized_keys`, publicKey, 0o600);
    chmodSync(join(kit, home, '.ssh'), 0o700);
    chmodSync(join(kit, home), 0o700);
  }
  for (const path of ['home/deploy', 'home/deploy/.ssh', 'home/deploy/.ssh/authorized_keys'])
    chownSync(join(kit, path), DEPLOY, DEPLOY);
  const names = hosts.map(({ name, address }) => `${address} ${name}`);
  put('etc/hosts', ['127.0.0.1 localhost', ...names, '10.77.0.11 mke.example.com', ''].join('\n'));
  const certificate = selfSigned(
    ['127.0.0.1', ...hosts.map(({ address }) => address)],
    ['localhost', 'mke.example.com', ...hosts.map(({ name }) => name)],
  );
  put('opt/lab/pki/cert.pem', certificate.cert);
  put('opt/lab/pki/key.pem', certificate.key, 0o600);
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 });
  put(
    'opt/lab/pki/sa.key',
    account.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    0o600,
  );
  put('opt/lab/pki/sa.pub', account.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  put('opt/lab/pki/encryption.cfg', ENCRYPTION_CONFIG, 0o600);
  const objects = labObjects(hosts);
  put('opt/lab/objects.json', JSON.stringify(objects));
  const lines = objects.map((object) => `${object.key} ${etcdValue(object).toString('base64')}\n`);
  put('opt/lab/objects', lines.join(''));
  const toml = readFileSync(join(packageRoot(), 'src', 'lab', 'mke3-config.toml'), 'utf8');
  put('opt/lab/mke3-config.toml', toml);
  mkdirSync(join(kit, 'opt/lab'), { recursive: true });
  copyFileSync(
    join(packageRoot(), 'src', 'lab', 'stand-ins', 'k0s-config.awk'),
    join(kit, 'opt/lab/k0s-config.awk'),
  );
  for (const program of ['k0s', 'controller', 'fill'])
    copyFileSync(
      join(packageRoot(), 'dist', 'real', `${program}.mjs`),
      join(kit, `opt/lab/${program}.mjs`),
    );
  copyFileSync(process.execPath, join(kit, 'opt/lab/node'));
  chmodSync(join(kit, 'opt/lab/node'), 0o755);
  mkdirSync(join(dir, 'hosts'));
}

/** Settings of containerd for an overlay file system in a sandbox without CAP_SYS_RESOURCE. */
const CONTAINERD = `[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
`;

/** Writes the k0s binary, the images of its pods, and the settings that it needs on lab hosts. */
async function writeK0s(
  dir: string,
  base: string,
  { path }: RealProgram,
  { coredns, kubeProxy }: RealPrograms,
): Promise<void> {
  const kit = join(dir, 'kit');
  mkdirSync(join(kit, 'usr/local/bin'), { recursive: true });
  copyFileSync(path, join(kit, 'usr/local/bin/k0s'));
  chmodSync(join(kit, 'usr/local/bin/k0s'), 0o755);
  mkdirSync(join(kit, 'etc/k0s/containerd.d'), { recursive: true });
  writeFileSync(join(kit, 'etc/k0s/containerd.d/lab.toml'), CONTAINERD);
  const { stdout } = await run(path, ['airgap', 'list-images', '--all']);
  const images = [...stdout.split('\n').filter(Boolean), WEB_IMAGE];
  const [image, pod] = ['image.sh', 'pod.sh'].map((file) => join(scripts(), file));
  const archive = join(kit, 'opt/lab/images.tar');
  const own = [coredns?.path ?? '', kubeProxy?.path ?? ''];
  await run('bash', [image ?? '', base, pod ?? '', archive, ...own, ...images]);
  // CoreDNS does not start without an upstream name server. This address does not answer.
  if (coredns) writeFileSync(join(kit, 'etc/resolv.conf'), 'nameserver 192.0.2.53\n');
  // With AlwaysPullImages, no pod starts without a registry.
  const toml = join(kit, 'opt/lab/mke3-config.toml');
  const text = readFileSync(toml, 'utf8');
  writeFileSync(
    toml,
    text.replace(
      'k8s_always_pull_images_ac_enabled = true',
      'k8s_always_pull_images_ac_enabled = false',
    ),
  );
}
