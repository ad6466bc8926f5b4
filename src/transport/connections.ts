import pLimit from 'p-limit';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { Clock, Random } from '../core/ports.ts';
import type { Connections, HostAddress, HostSession, Identity } from '../core/host.ts';
import { quoteAll } from '../util/shell.ts';
import { trace } from '../util/trace.ts';
import {
  isPasswordPrompt,
  becomeCommand,
  becomeError,
  BecomeError,
  becomeReady,
  needsTerminal,
} from './become.ts';
import { connectWithRetries } from './dial.ts';
import { closeLines, execWhereRoom, type HostLines } from './host-lines.ts';
import { loadSsh2 } from './keyring.ts';
import { newMark, type Line, type ShellChannel } from './line.ts';
import { LocalLine } from './local.ts';
import { OpenSshDialler } from './openssh.ts';
import { RemoteShell } from './shell.ts';
import { readRuntime } from './runtime.ts';
import { ShellSession, type SendHttp } from './session.ts';
import { SshDialler, type SshLogin } from './ssh.ts';
import { openOnTerminal } from './terminal.ts';
import type { SshTarget, TargetResolver } from './target.ts';

const SHELLS_PER_IDENTITY = 4;
/** Concurrent handshakes: sshd randomly drops unauthenticated connections from the tenth on (MaxStartups). */
const DIALLING = 8;
const SHELL_TIMEOUT_MS = 30_000;

export interface ConnectionOptions {
  targets: TargetResolver;
  login: SshLogin;
  sendHttp: SendHttp;
  /** ID of the run, which marks its shells on the hosts. */
  run: string;
  connectTimeoutMs: number;
  /** Used for retries and restarts. */
  clock: Clock;
  /** Used for nonces, which hosts must not be able to guess. */
  random: Random;
  /** Overrides the transport of all hosts that are not local. */
  transport?: 'ssh' | 'openssh' | undefined;
}

/** Key of a connection. Tasks can use another user, port or transport for the same host. */
function lineKey({ name, transport, user = '', port = 0 }: HostAddress): string {
  return [name, transport, user, String(port)].join('\n');
}

/** Key of a privilege escalation. For the same user, one method can succeed and another fail. */
function identityKey({ user, method, password }: Identity): string {
  return JSON.stringify([user, method, password]);
}

/** Key of a machine. All names of local hosts are the same machine, the controller. */
function machineOf({ name, transport }: HostAddress): string {
  return transport === 'local' ? '' : name;
}

/** Opens one connection per host on first use, and shells for each user on it. */
export class HostConnections implements Connections {
  readonly #options: ConnectionOptions;
  readonly #ssh: SshDialler;
  readonly #openssh: OpenSshDialler;
  /** By `lineKey`. */
  readonly #hosts = new Map<string, Promise<HostLines>>();
  /** By machine: the value of RUNNER_LINE for all processes started there. It changes when a connection is lost. */
  readonly #marks = new Map<string, string>();
  readonly #sessions = new Map<string, ShellSession>();
  readonly #dialling = pLimit(DIALLING);
  readonly #runtime = readRuntime();
  /** Aborts the pauses between connection attempts. */
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    const { targets, connectTimeoutMs } = options;
    this.#options = options;
    this.#ssh = new SshDialler(options.login);
    this.#openssh = new OpenSshDialler({
      config: targets.config,
      knownHostsFiles: targets.knownHostsFiles,
      connectTimeoutMs,
    });
  }

  async session(host: HostAddress, wanted: Identity): Promise<HostSession> {
    if (host.unmanageable !== undefined) throw unmanageable(host, host.unmanageable);
    const own = this.#options.login.passwords?.get(host.name)?.become;
    const identity = { ...wanted, password: own ?? wanted.password };
    const { user: login } = await this.#connected(host);
    const escalate = identity.user !== undefined && identity.user !== login;
    const key = `${lineKey(host)}\n${escalate ? identityKey(identity) : ''}`;
    let session = this.#sessions.get(key);
    if (!session) {
      session = new ShellSession(() => this.#openShell(host, escalate ? identity : undefined), {
        host: host.name,
        run: this.#options.run,
        limit: SHELLS_PER_IDENTITY,
        local: host.transport === 'local',
        sendHttp: this.#options.sendHttp,
        clock: this.#options.clock,
      });
      this.#sessions.set(key, session);
    }
    return session;
  }

  async reset({ name }: HostAddress): Promise<void> {
    const its = [...this.#hosts].filter(([key]) => key.startsWith(`${name}\n`));
    for (const key of this.#sessions.keys())
      if (key.startsWith(`${name}\n`)) this.#sessions.delete(key);
    for (const [key, pending] of its) {
      this.#hosts.delete(key);
      await closeLines(pending);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closed'));
    await Promise.all([...this.#hosts.values()].map(closeLines));
    this.#hosts.clear();
    this.#sessions.clear();
    await this.#ssh.close();
    this.#openssh.close();
  }

  /** The lines of a host, of which at least one is alive. */
  async #connected(host: HostAddress): Promise<HostLines> {
    const key = lineKey(host);
    let known = this.#hosts.get(key);
    if (!known) {
      known = this.#login(host).then((user) => ({
        lines: [],
        dialling: undefined,
        user,
        terminal: false,
        isClosed: false,
      }));
      this.#hosts.set(key, known);
      known.catch(() => this.#hosts.delete(key));
    }
    const state = await known;
    if (state.lines.some(({ line }) => !line.alive)) {
      state.lines = state.lines.filter(({ line }) => line.alive);
      this.#marks.delete(machineOf(host));
    }
    if (state.lines.length === 0) await this.#addLine(host, state);
    return state;
  }

  #markOf(host: HostAddress): string {
    const machine = machineOf(host);
    const mark = this.#marks.get(machine) ?? newMark(this.#options.random);
    this.#marks.set(machine, mark);
    return mark;
  }

  async #login(host: HostAddress): Promise<string> {
    if (host.transport === 'local') return this.#options.targets.localUser;
    return (await this.#target(host)).user;
  }

  async #target(host: HostAddress): Promise<SshTarget> {
    // `ssh -G` is another process: the package is loaded while it runs.
    const [target] = await Promise.all([
      this.#options.targets.resolve(host),
      this.#usesOpenSsh(host) ? undefined : loadSsh2(),
    ]);
    return target;
  }

  #usesOpenSsh(host: HostAddress): boolean {
    return (this.#options.transport ?? host.transport) === 'openssh';
  }

  /** Adds a line. Concurrent callers share the attempt. */
  async #addLine(host: HostAddress, state: HostLines): Promise<void> {
    if (state.isClosed || this.#closing.signal.aborted) throw closedError(host);
    const pending = state.dialling ?? this.#dial(host);
    if (pending !== state.dialling) {
      state.dialling = pending;
      const done = () => {
        state.dialling = undefined;
      };
      pending
        .then((line) => {
          if (state.isClosed) line.close();
          else state.lines.push({ line, full: false });
        })
        .then(done, done);
    }
    await pending;
  }

  #dial(host: HostAddress): Promise<Line> {
    const { clock, random } = this.#options;
    if (host.transport === 'local') return Promise.resolve(new LocalLine());
    const connect = this.#usesOpenSsh(host)
      ? () => this.#openSsh(host)
      : async () => this.#ssh.connect(await this.#target(host));
    const { connectTimeoutMs } = this.#options;
    const { signal } = this.#closing;
    return this.#dialling(() =>
      connectWithRetries(host.name, connect, { clock, random, connectTimeoutMs, signal }),
    );
  }

  /** Connects with OpenSSH. After an authentication error, the hint explains that it cannot use the login password. */
  async #openSsh(host: HostAddress): Promise<Line> {
    try {
      return await this.#openssh.connect(host);
    } catch (error) {
      const { passwords, password } = this.#options.login;
      const unused = passwords?.get(host.name)?.login ?? password;
      if (unused === undefined || !(error instanceof ConnectError) || error.stage !== 'auth')
        throw error;
      const { stage, retryable, cause } = error;
      const hint = `Use a key, or the built-in client: with --transport openssh, login passwords are not used.`;
      throw new ConnectError(error.message, { host: host.name, stage, retryable, cause, hint });
    }
  }

  async #openShell(host: HostAddress, identity: Identity | undefined): Promise<RemoteShell> {
    const state = await this.#connected(host);
    trace(
      'ssh',
      () => `${host.name}: shell as ${identity?.user ?? state.user}, logged in as ${state.user}`,
    );
    const mark = newMark(this.#options.random);
    const nonce = newMark(this.#options.random);
    // All processes of this shell inherit the marks; see rn_fence and rn_end_shell in runtime.sh.
    const argv = [
      ...(identity ? ['env', 'LC_ALL=C', ...becomeCommand(identity, nonce)] : []),
      'env',
      `RUNNER_RUN=${this.#options.run}`,
      `RUNNER_LINE=${this.#markOf(host)}`,
      `RUNNER_SHELL=${mark}`,
      '/bin/sh',
    ];
    const channel = identity
      ? await this.#become(host, state, identity, { argv, nonce })
      : await this.#exec(host, state, quoteAll(argv));
    const shell = new RemoteShell(host.name, channel, { mark, random: this.#options.random });
    let complaint = '';
    channel.stderr.on('data', (chunk: Buffer) => {
      if (shell.pid === 0) complaint = (complaint + chunk.toString('utf8')).slice(-500);
    });
    try {
      await shell.start(this.#runtime, { timeoutMs: SHELL_TIMEOUT_MS });
    } catch (error) {
      shell.destroy();
      if (!(error instanceof ConnectError || error instanceof TimeoutError)) throw error;
      const lastLine = complaint.trim().split('\n').at(-1) ?? '';
      throw new ConnectError(
        `Cannot start a shell on "${host.name}": ${lastLine || error.message}`,
        {
          host: host.name,
          stage: 'shell',
          retryable: lastLine === '',
          hint: `Log in by hand and check that "${state.user}" can run /bin/sh.`,
          cause: error,
        },
      );
    }
    return shell;
  }

  async #become(
    host: HostAddress,
    state: HostLines,
    identity: Identity,
    { argv, nonce }: { argv: string[]; nonce: string },
  ): Promise<ShellChannel> {
    if (!needsTerminal(identity) && !state.terminal) {
      const channel = await this.#exec(host, state, quoteAll(argv));
      try {
        await become(host, state.user, identity, { channel, nonce });
        return channel;
      } catch (error) {
        if (!(error instanceof BecomeError) || error.refusal !== 'terminal_needed') throw error;
        state.terminal = true;
      }
    }
    const { channel, terminal } = await openOnTerminal(
      host.name,
      (command, options) => this.#exec(host, state, command, options),
      argv,
    );
    await become(host, state.user, identity, { channel, terminal, nonce });
    return channel;
  }

  #exec(
    host: HostAddress,
    state: HostLines,
    command: string,
    options?: { terminal?: boolean },
  ): Promise<ShellChannel> {
    const addLine = () => this.#addLine(host, state);
    return execWhereRoom(host.name, state, addLine, (line) => line.exec(command, options));
  }
}

function unmanageable({ name }: HostAddress, why: string): ConnectError {
  return new ConnectError(`"${name}" cannot be managed: ${why.replace(/\.$/, '')}.`, {
    host: name,
    stage: 'resolve',
    retryable: false,
  });
}

function closedError({ name }: HostAddress): ConnectError {
  return new ConnectError(`The connection to "${name}" was closed.`, {
    host: name,
    stage: 'lost',
    retryable: false,
  });
}

/**
 * Waits until the shell runs as the other user, and answers the password prompt.
 * @throws ConnectError with the reason of the failure
 */
async function become(
  host: HostAddress,
  login: string,
  identity: Identity,
  { channel, terminal, nonce }: { channel: ShellChannel; terminal?: ShellChannel; nonce: string },
): Promise<void> {
  const asking = terminal !== undefined && identity.method === 'doas' ? terminal : undefined;
  let stderr = '';
  let stdout = '';
  /** Output since the last answer. */
  let sinceAnswer = '';
  let prompts = 0;
  await new Promise<void>((resolve, reject) => {
    const fail = (timedOut = false) => {
      clearTimeout(timer);
      channel.destroy();
      reject(becomeError(host, login, identity, { output: stderr, timedOut, prompts }));
    };
    const timer = setTimeout(() => {
      fail(true);
    }, SHELL_TIMEOUT_MS);
    const onError = (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      stderr = (stderr + text).slice(-4000);
      sinceAnswer = (sinceAnswer + text).slice(-400);
      if (identity.method === 'doas' && !asking) return;
      if (!isPasswordPrompt(identity.method, sinceAnswer, nonce)) return;
      prompts++;
      sinceAnswer = '';
      // A second prompt means that the password was wrong. More attempts could lock the account.
      if (prompts > 1 || identity.password === undefined) fail();
      else (asking ?? channel).stdin.write(`${identity.password}\n`);
    };
    const onOutput = (chunk: Buffer) => {
      stdout = (stdout + chunk.toString('latin1')).slice(-4000);
      if (!stdout.includes(`${becomeReady(nonce)}\n`)) return;
      clearTimeout(timer);
      channel.stdout.off('data', onOutput);
      channel.stderr.off('data', onError);
      asking?.stdout.off('data', onError);
      resolve();
    };
    channel.stdout.on('data', onOutput);
    channel.stderr.on('data', onError);
    asking?.stdout.on('data', onError);
    channel.onClose(() => {
      fail();
    });
  });
}
