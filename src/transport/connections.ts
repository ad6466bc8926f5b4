import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { Connections, HostAddress, HostSession, Identity } from '../core/host.ts';
import { packageRoot } from '../util/package.ts';
import { quoteAll } from '../util/shell.ts';
import { sleep } from '../util/time.ts';
import { RemoteShell, type ShellChannel } from './remote-shell.ts';
import { ShellSession, type SendHttp } from './session.ts';
import { connectSsh, newLine, type SshConnection, type SshOptions } from './ssh.ts';

const SHELLS_PER_IDENTITY = 4;
/** Handshakes at a time: sshd drops unauthenticated connections at random from the tenth on (MaxStartups). */
const DIALLING = 8;
const DIAL_ATTEMPTS = 4;
const SHELL_TIMEOUT_MS = 30_000;

/** Opens one connection a host when it is first needed, and shells for each identity on it. */
export class HostConnections implements Connections {
  readonly #ssh: SshOptions;
  readonly #run: string;
  readonly #sendHttp: SendHttp;
  readonly #connections = new Map<string, Promise<SshConnection>>();
  readonly #sessions = new Map<string, ShellSession>();
  readonly #local = new Set<ShellChannel>();
  readonly #localLine = newLine();
  readonly #dialling = pLimit(DIALLING);
  readonly #runtime = readFileSync(join(packageRoot(), 'src', 'transport', 'runtime.sh'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

  /** @param run id of the run, which marks its shells on the hosts */
  constructor(ssh: SshOptions, sendHttp: SendHttp, run: string) {
    this.#run = run;
    this.#ssh = ssh;
    this.#sendHttp = sendHttp;
  }

  async session(host: HostAddress, identity: Identity): Promise<HostSession> {
    const login = host.transport === 'local' ? undefined : (await this.#connection(host)).user;
    const escalate = identity.user !== undefined && identity.user !== login;
    const key = `${host.name}\n${escalate ? (identity.user ?? '') : ''}`;
    let session = this.#sessions.get(key);
    if (!session) {
      session = new ShellSession(() => this.#openShell(host, escalate ? identity : undefined), {
        limit: SHELLS_PER_IDENTITY,
        root: (escalate ? identity.user : login) === 'root',
        sendHttp: this.#sendHttp,
      });
      this.#sessions.set(key, session);
    }
    return session;
  }

  async close(): Promise<void> {
    for (const channel of this.#local) channel.destroy();
    for (const pending of this.#connections.values()) {
      const connection = await pending.catch(() => undefined);
      connection?.close();
    }
    this.#connections.clear();
    this.#sessions.clear();
  }

  async #connection(host: HostAddress): Promise<SshConnection> {
    const known = this.#connections.get(host.name);
    if (known) {
      const connection = await known;
      if (connection.alive) return connection;
    }
    const dialled = this.#dialling(() => this.#dial(host));
    this.#connections.set(host.name, dialled);
    dialled.catch(() => this.#connections.delete(host.name));
    return dialled;
  }

  async #dial(host: HostAddress): Promise<SshConnection> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await connectSsh(host, this.#ssh);
      } catch (error) {
        const canRetry =
          error instanceof ConnectError && error.retryable && attempt < DIAL_ATTEMPTS;
        if (!canRetry) throw error;
        // Spread, so that many hosts behind one gate do not come back together.
        await sleep(250 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    }
  }

  async #openShell(host: HostAddress, identity: Identity | undefined): Promise<RemoteShell> {
    const line = host.transport === 'local' ? this.#localLine : (await this.#connection(host)).line;
    // The marks are in the environment of all that this shell starts; see "fence" in runtime.sh.
    const argv = [
      ...(identity ? becomeArgv(identity) : []),
      'env',
      `RUNNER_RUN=${this.#run}`,
      `RUNNER_LINE=${line}`,
      '/bin/sh',
    ];
    const channel =
      host.transport === 'local'
        ? this.#spawnLocal(argv)
        : await (await this.#connection(host)).exec(quoteAll(argv));
    if (identity?.password !== undefined) channel.stdin.write(`${identity.password}\n`);
    const shell = new RemoteShell(host.name, channel);
    let complaint = '';
    channel.stderr.on('data', (chunk: Buffer) => {
      if (shell.pid === 0) complaint = (complaint + chunk.toString('utf8')).slice(-500);
    });
    try {
      await shell.start(this.#runtime, { timeoutMs: SHELL_TIMEOUT_MS });
    } catch (error) {
      shell.destroy();
      if (!(error instanceof ConnectError || error instanceof TimeoutError)) throw error;
      throw shellError(host, identity, complaint, error);
    }
    return shell;
  }

  #spawnLocal(argv: string[]): ShellChannel {
    const [file = '/bin/sh', ...args] = argv;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const channel: ShellChannel = {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      onClose: (listener) => {
        child.once('error', (error) => {
          listener(error.message);
        });
        child.once('close', (code, signal) => {
          this.#local.delete(channel);
          listener(`the shell ended with ${signal ?? `code ${String(code)}`}`);
        });
      },
      destroy: () => child.kill('SIGTERM'),
    };
    this.#local.add(channel);
    return channel;
  }
}

/** The password, when there is one, is read from standard input; it never stands in the arguments. */
function becomeArgv({ method, user = 'root', password }: Identity): string[] {
  switch (method) {
    case 'sudo':
      return password === undefined
        ? ['sudo', '-n', '-H', '-u', user]
        : ['sudo', '-S', '-p', '', '-H', '-u', user];
    case 'su':
      // su takes one text for a shell; the words that follow are its arguments.
      return ['su', user, '-s', '/bin/sh', '-c', 'exec "$@"', '--', 'sh'];
    case 'doas':
      return ['doas', '-n', '-u', user];
  }
}

function shellError(
  host: HostAddress,
  identity: Identity | undefined,
  complaint: string,
  cause: Error,
): ConnectError {
  const said = complaint.trim().split('\n').at(-1) ?? '';
  if (!identity) {
    return new ConnectError(`No shell on "${host.name}": ${said || cause.message}`, {
      host: host.name,
      stage: 'shell',
      retryable: false,
      cause,
    });
  }
  const { method, user = 'root' } = identity;
  return new ConnectError(
    `Cannot become "${user}" by ${method} on "${host.name}": ${said || cause.message}`,
    {
      host: host.name,
      stage: 'become',
      retryable: false,
      hint:
        method === 'sudo' && identity.password === undefined
          ? 'The login user needs sudo without a password.'
          : undefined,
      cause,
    },
  );
}
