import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RunnerError } from '../core/errors.ts';
import { packageRoot } from '../util/package.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 5000;

export class LabError extends RunnerError {
  readonly code = 'LAB';
}

/** @throws LabError if this machine does not allow unprivileged user namespaces */
export async function checkNamespaces(): Promise<void> {
  try {
    await run('unshare', ['-U', '-r', '-m', '-p', '-u', '-f', '--kill-child', 'true'], {
      timeout: START_TIMEOUT_MS,
    });
  } catch (error) {
    throw new LabError(
      'The embedded lab requires unprivileged user namespaces (Linux), and this machine does not allow them.',
      {
        hint: 'Allow them, for example with "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" (Ubuntu) or "sysctl -w kernel.unprivileged_userns_clone=1" (Debian).',
        cause: error,
      },
    );
  }
}

/**
 * A private root directory with its own user, mount, PID and UTS namespaces. `/usr` of the machine is mounted read-only. UID 0 is
 * the user who started the lab.
 */
export class PrivateRoot {
  readonly name: string;
  readonly dir: string;
  readonly #process: ChildProcess;
  /** PID, on this machine, of the first process in the namespaces. */
  readonly pid: number;

  private constructor(name: string, dir: string, process: ChildProcess, pid: number) {
    this.name = name;
    this.dir = dir;
    this.#process = process;
    this.pid = pid;
  }

  static async start(name: string, dir: string, shared: string): Promise<PrivateRoot> {
    prepareTree(dir, name);
    const script = join(packageRoot(), 'src', 'lab', 'enter-root.sh');
    const child = spawn(
      'unshare',
      ['-U', '-r', '-m', '-p', '-u', '-f', '--kill-child', '/bin/sh', script, dir, name, shared],
      // The end of its input, when this process ends, ends it.
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    await ready(child, name);
    // With --fork, the only child of unshare is the first process in the namespaces.
    const children = readFileSync(
      `/proc/${String(child.pid)}/task/${String(child.pid)}/children`,
      'utf8',
    );
    return new PrivateRoot(name, dir, child, Number(children.trim().split(' ')[0]));
  }

  /** Runs a command line inside, with the environment that sshd would set. */
  spawn(command: string): ChildProcess {
    return spawn(
      'nsenter',
      [
        '-t',
        String(this.pid),
        '-U',
        '-m',
        '-u',
        '-p',
        '--preserve-credentials',
        '-r',
        '-w',
        '/bin/sh',
        '-c',
        command,
      ],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          HOME: '/root',
          USER: 'root',
          SHELL: '/bin/sh',
        },
      },
    );
  }

  /** Lines of `mountinfo`, see proc(5). */
  mounts(): string[] {
    return readFileSync(`/proc/${String(this.pid)}/mountinfo`, 'utf8')
      .trim()
      .split('\n');
  }

  /** The boot ID of the host. */
  bootId(): string {
    return readFileSync(join(this.dir, 'var/lib/lab/boot_id'), 'utf8').trim();
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
        resolve();
        return;
      }
      this.#process.once('close', () => {
        resolve();
      });
      this.#process.kill('SIGKILL');
    });
  }
}

/**
 * Kills every process of hosts except their first ones, like a restart of the hosts. Reads the list of processes once for all
 * hosts.
 * @throws LabError if a process does not end
 */
export async function endProcesses(hosts: readonly PrivateRoot[]): Promise<void> {
  const first = new Map(hosts.map(({ pid, name }) => [namespaceOf(String(pid)), { pid, name }]));
  const deadline = Date.now() + END_TIMEOUT_MS;
  for (;;) {
    const others = readdirSync('/proc').flatMap((pid) => {
      if (!/^\d+$/.test(pid)) return [];
      const namespace = namespaceOf(pid);
      const host = namespace === undefined ? undefined : first.get(namespace);
      return host && Number(pid) !== host.pid && !isIdle(pid) ? [{ pid, host: host.name }] : [];
    });
    const [other] = others;
    if (!other) return;
    if (Date.now() > deadline)
      throw new LabError(`Process ${other.pid} of lab host "${other.host}" did not end.`);
    for (const { pid } of others) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has already ended.
      }
    }
    await pause(5);
  }
}

/** The PID namespace of a process; undefined if the process has ended or is a zombie. */
function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Whether a process is the "cat" that the first process waits for, see enter-root.sh. */
function isIdle(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'cat\u0000';
  } catch {
    return false;
  }
}

function ready(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new LabError(`Lab host "${name}" did not start: ${why}`));
    };
    const timer = setTimeout(() => {
      fail(`no answer within ${String(START_TIMEOUT_MS / 1000)} s. ${said}`);
    }, START_TIMEOUT_MS);
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    child.stdout?.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    child.once('close', () => {
      clearTimeout(timer);
      fail(said.trim());
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
  });
}

function prepareTree(dir: string, name: string): void {
  const standIns = join(packageRoot(), 'src', 'lab', 'stand-ins');
  for (const directory of [
    'etc/systemd/system',
    'var/lib/dpkg',
    'var/lib/lab/apt',
    'var/lib/lab/systemd',
    'var/log',
    'var/tmp',
    'root',
    'tmp',
    'usr-local/bin',
    'usr-local/sbin',
    'usr-local/lib/lab',
  ]) {
    mkdirSync(join(dir, directory), { recursive: true });
  }
  for (const tool of ['docker', 'journalctl', 'sudo', 'systemctl']) {
    cpSync(join(standIns, tool), join(dir, 'usr-local/bin', tool));
    chmodSync(join(dir, 'usr-local/bin', tool), 0o755);
  }
  for (const name of ['apt-get', 'apt-cache', 'dpkg'])
    symlinkSync('/usr/local/lib/lab/apt', join(dir, 'usr-local/bin', name));
  for (const tool of ['apt', 'k0s', 'k0s-config.awk'])
    cpSync(join(standIns, tool), join(dir, 'usr-local/lib/lab', tool));
  cpSync(join(standIns, 'lab-lib.sh'), join(dir, 'usr-local/lib/lab/lab-lib.sh'));
  const files: Record<string, string> = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
    'etc/hostname': `${name}\n`,
    'etc/hosts': `127.0.0.1 localhost ${name} mke.example.com\n`,
    'etc/os-release':
      'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04 (embedded lab)"\n',
    'etc/resolv.conf': '',
    'var/lib/dpkg/status': '',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
}
