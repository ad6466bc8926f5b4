import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { HostAddress } from '../../../src/core/host.ts';
import { describeWith, type Program } from '../programs.ts';
import { answers } from './answers.ts';
import { commandLines } from './processes.ts';

const run = promisify(execFile);

export interface BoxUser {
  name: string;
  shell?: string;
  /** Without one, the user cannot log in with a password. */
  password?: string;
  /** Files of the home directory. */
  files?: Record<string, string>;
}

export interface BoxOptions {
  users?: BoxUser[];
  /** First lines of sshd_config: the first value of a keyword wins. */
  sshd?: string[];
  /** Further files of /etc, by name. */
  etc?: Record<string, string>;
  sudoers?: string[];
  doas?: string[];
  rootPassword?: string;
  /** Shell commands that run as root before sshd starts, and again after a restart. */
  setup?: string;
  /** Address to listen on. Default: an address in 127.0.0.0/8 that no other box uses. */
  address?: string;
}

/**
 * `describe` if a real OpenSSH server can run. Otherwise its tests are skipped, and the title
 * contains the reason.
 */
export function describeBox(title: string, tests: () => void, ...programs: Program[]): void {
  describeWith('root', 'sshd', 'ssh', ...programs)(title, tests);
}

const here = fileURLToPath(new URL('.', import.meta.url));
let boxes = 0;
const directories = new Set<string>();
process.on('exit', () => {
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
});

/** A real sshd with its own users, processes and directories, on a loopback address. It ends with this process. */
export class Box {
  readonly dir: string;
  readonly address: string;
  readonly port = 2222;
  /** Private key of every account. */
  readonly key: string;
  readonly knownHosts: string;
  #server: ChildProcess | undefined;
  #pid = 0;

  private constructor(dir: string, address: string) {
    this.dir = dir;
    this.address = address;
    this.key = join(dir, 'id');
    this.knownHosts = join(dir, 'known_hosts');
  }

  static async start(options: BoxOptions = {}): Promise<Box> {
    const dir = mkdtempSync(join(tmpdir(), 'runner-box-'));
    chmodSync(dir, 0o755);
    directories.add(dir);
    boxes++;
    const number = process.pid * 50 + boxes;
    const address =
      options.address ??
      `127.${String(100 + (Math.floor(number / 62500) % 100))}.${String(Math.floor(number / 250) % 250)}.${String((number % 250) + 1)}`;
    const box = new Box(dir, address);
    for (const name of ['id', 'host_key', 'other_host_key']) {
      execFileSync('ssh-keygen', [
        '-q',
        '-t',
        'ed25519',
        '-N',
        '',
        '-C',
        name,
        '-f',
        join(dir, name),
      ]);
    }
    writeFileSync(box.knownHosts, `[${address}]:2222 ${box.hostKey()}\n`);
    box.#accounts(options);
    writeFileSync(join(dir, 'boot_id'), `${randomUUID()}\n`);
    writeFileSync(
      join(dir, 'sshd_config'),
      [
        ...(options.sshd ?? []),
        `ListenAddress ${address}`,
        'Port 2222',
        `HostKey ${join(dir, 'host_key')}`,
        `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
        'StrictModes no',
        'UsePAM no',
        'PidFile none',
        'PermitRootLogin yes',
        'Subsystem sftp internal-sftp',
        '',
      ].join('\n'),
    );
    if (options.setup !== undefined) writeFileSync(join(dir, 'setup.sh'), options.setup);
    await box.boot();
    return box;
  }

  /** Where this process sees a file of the box: below /run, /tmp, /var/tmp, /var/lib/runner or /proc. */
  path(file: string): string {
    return `/proc/${String(this.#pid)}/root${file}`;
  }

  /** Command lines of all processes of the box. */
  processes(): string[] {
    return commandLines(this.path('/proc'));
  }

  /** Output of a shell script that root runs on the box, without SSH. @throws Error when it fails */
  async shell(script: string): Promise<string> {
    const enter = ['-t', String(this.#pid), '-m', '-p', '--', 'sh', '-c', script];
    return (await run('nsenter', enter)).stdout;
  }

  /** Ends all processes but sshd, and empties the directories that tests write to. */
  async reset(): Promise<void> {
    await this.shell(`kill -9 -1
umount -l /var/lib/runner
mount --bind ${join(this.dir, 'disk')} /var/lib/runner
rm -rf /run/* /var/tmp/* /var/lib/runner/*
mkdir -p /run/sshd /run/sudo`);
  }

  /** Type and base64 of the host key. */
  hostKey(name = 'host_key'): string {
    return readFileSync(join(this.dir, `${name}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  }

  /** Output of sshd and of the setup commands. */
  log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8');
  }

  host(user = 'root', name = 'box'): HostAddress {
    return {
      name,
      transport: 'ssh',
      address: this.address,
      port: this.port,
      user,
      keyPath: this.key,
    };
  }

  authorize(publicKey: string): void {
    appendFileSync(join(this.dir, 'authorized_keys'), publicKey);
  }

  async boot(): Promise<void> {
    const log = openSync(join(this.dir, 'log'), 'a', 0o600);
    // The boxes end with the worker if it is killed.
    const words = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];
    this.#server = spawn('setpriv', [...words, 'sh', join(here, 'box.sh'), this.dir], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await answers(this.address, this.port, () => this.log());
    const id = String(this.#server.pid);
    this.#pid = Number(readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').split(' ')[0]);
  }

  /**
   * Like a power failure and a restart: all processes end, the boot ID changes, /var/lib/runner
   * stays.
   */
  async reboot(): Promise<void> {
    await this.#end();
    writeFileSync(join(this.dir, 'boot_id'), `${randomUUID()}\n`);
    await this.boot();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.dir, { recursive: true, force: true });
    directories.delete(this.dir);
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  #accounts({ users = [], sudoers, doas, rootPassword, etc: more = {} }: BoxOptions): void {
    const etc = join(this.dir, 'etc');
    const home = join(this.dir, 'home');
    mkdirSync(join(etc, 'sudoers.d'), { recursive: true });
    for (const name of ['home', 'disk', 'machine-etc']) mkdirSync(join(this.dir, name));
    quickRefusals(etc);
    for (const [name, content] of Object.entries(more)) writeFileSync(join(etc, name), content);
    writeFileSync(join(this.dir, 'authorized_keys'), readFileSync(join(this.dir, 'id.pub')));
    const everyone = [
      { name: 'root', id: 0, shell: '/bin/bash', password: rootPassword, home: '/root' },
      ...users.map(({ name, shell = '/bin/bash', password }, index) => ({
        name,
        id: 4000 + index,
        shell,
        password,
        home: `/home/${name}`,
      })),
      { name: 'sshd', id: 105, shell: '/usr/sbin/nologin', password: undefined, home: '/run/sshd' },
    ];
    const lines = (line: (one: (typeof everyone)[number]) => string) => everyone.map(line).join('');
    writeFileSync(
      join(etc, 'passwd'),
      lines(
        ({ name, id, home: directory, shell }) =>
          `${name}:x:${String(id)}:${String(id)}::${directory}:${shell}\n`,
      ),
    );
    writeFileSync(
      join(etc, 'group'),
      lines(({ name, id }) => `${name}:x:${String(id)}:\n`),
    );
    writeFileSync(
      join(etc, 'shadow'),
      lines(
        ({ name, password }) =>
          `${name}:${password === undefined ? '*' : hashed(password)}:19000:0:99999:7:::\n`,
      ),
      { mode: 0o600 },
    );
    writeFileSync(
      join(etc, 'sudoers'),
      ['Defaults env_reset', 'root ALL=(ALL:ALL) ALL', ...(sudoers ?? []), ''].join('\n'),
      { mode: 0o440 },
    );
    if (doas) writeFileSync(join(etc, 'doas.conf'), [...doas, ''].join('\n'), { mode: 0o440 });
    users.forEach(({ name, files = {} }, index) => {
      const directory = join(home, name);
      mkdirSync(directory, { mode: 0o755 });
      for (const [file, content] of Object.entries(files)) {
        const path = join(directory, file);
        mkdirSync(join(path, '..'), { recursive: true });
        writeFileSync(path, content);
      }
      chownSync(directory, 4000 + index, 4000 + index);
    });
  }
}

/** PAM and su of the machine, without the delay after a wrong password. */
function quickRefusals(etc: string): void {
  cpSync('/etc/pam.d', join(etc, 'pam.d'), { recursive: true });
  for (const name of readdirSync(join(etc, 'pam.d'))) {
    const file = join(etc, 'pam.d', name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll(/^-?auth\s.*pam_unix\.so/gm, '$& nodelay'));
  }
  cpSync('/etc/login.defs', join(etc, 'login.defs'));
  appendFileSync(join(etc, 'login.defs'), '\nFAIL_DELAY 0\n');
}

const hashes = new Map<string, string>();

function hashed(password: string): string {
  const known = hashes.get(password);
  if (known !== undefined) return known;
  const hash = execFileSync('perl', ['-e', 'print crypt($ENV{PASSWORD}, q($6$runnerbox$))'], {
    env: { PASSWORD: password },
  }).toString();
  hashes.set(password, hash);
  return hash;
}
