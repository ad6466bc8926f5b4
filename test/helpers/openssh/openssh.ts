import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostAddress } from '../../../src/core/host.ts';
import { describe } from 'vitest';
import { describeWith, type Program } from '../programs.ts';
import { answers } from './answers.ts';

export interface BoxUser {
  name: string;
  shell?: string;
  /** Unusable when left out. */
  password?: string;
  /** Files of the home folder. */
  files?: Record<string, string>;
}

export interface BoxOptions {
  users?: BoxUser[];
  /** Lines of sshd_config, before ours: the first value of a keyword wins. */
  sshd?: string[];
  sudoers?: string[];
  doas?: string[];
  rootPassword?: string;
  /** Shell text run as root before sshd starts. */
  setup?: string;
  /** Address to listen on. Default: one of 127/8 that no other box of this process has. */
  address?: string;
}

/** `describe` where a real OpenSSH server can be started; elsewhere its tests are skipped, and named with the reason. */
export function describeBox(title: string, tests: () => void, ...programs: Program[]): void {
  if (process.platform === 'linux' && process.getuid?.() === 0)
    describeWith('sshd', 'ssh', ...programs)(title, tests);
  else describe.skip(`${title} [needs Linux and root]`, tests);
}

const here = fileURLToPath(new URL('.', import.meta.url));
let boxes = 0;

/** A real sshd with accounts of its own, on a loopback address, in namespaces that end with it. */
export class Box {
  readonly dir: string;
  readonly address: string;
  readonly port = 2222;
  /** Private key of every account. */
  readonly key: string;
  readonly knownHosts: string;
  #server: ChildProcess | undefined;

  private constructor(dir: string, address: string) {
    this.dir = dir;
    this.address = address;
    this.key = join(dir, 'id');
    this.knownHosts = join(dir, 'known_hosts');
  }

  static async start(options: BoxOptions = {}): Promise<Box> {
    const dir = mkdtempSync(join(tmpdir(), 'runner-box-'));
    chmodSync(dir, 0o755);
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

  /** Process id of sshd, by which its namespaces can be entered. */
  get pid(): number {
    const children = `/proc/${String(this.#server?.pid)}/task/${String(this.#server?.pid)}/children`;
    return Number(readFileSync(children, 'utf8').split(' ')[0]);
  }

  /** Type and base64 of the host key. */
  hostKey(name = 'host_key'): string {
    return readFileSync(join(this.dir, `${name}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
  }

  /** What sshd and the set-up said. */
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
    this.#server = spawn(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', 'sh', join(here, 'box.sh'), this.dir],
      { stdio: ['ignore', log, log] },
    );
    await answers(this.address, this.port, () => this.log());
  }

  /** As a power cut and a new start: all processes end, the boot id is another. */
  async reboot(): Promise<void> {
    await this.#end();
    writeFileSync(join(this.dir, 'boot_id'), `${randomUUID()}\n`);
    await this.boot();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
    rmSync(join(this.dir, 'whole-etc'), { recursive: true, force: true });
  }

  #accounts({ users = [], sudoers, doas, rootPassword }: BoxOptions): void {
    const etc = join(this.dir, 'etc');
    const home = join(this.dir, 'home');
    mkdirSync(join(etc, 'sudoers.d'), { recursive: true });
    mkdirSync(home);
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
        ({ name, id, home: folder, shell }) =>
          `${name}:x:${String(id)}:${String(id)}::${folder}:${shell}\n`,
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
    );
    if (doas) writeFileSync(join(etc, 'doas.conf'), [...doas, ''].join('\n'));
    users.forEach(({ name, files = {} }, index) => {
      const folder = join(home, name);
      mkdirSync(folder, { mode: 0o755 });
      for (const [file, content] of Object.entries(files)) {
        const path = join(folder, file);
        mkdirSync(join(path, '..'), { recursive: true });
        writeFileSync(path, content);
      }
      chownSync(folder, 4000 + index, 4000 + index);
    });
  }
}

function hashed(password: string): string {
  return execFileSync('perl', ['-e', 'print crypt($ENV{PASSWORD}, q($6$runnerbox$))'], {
    env: { PASSWORD: password },
  }).toString();
}
