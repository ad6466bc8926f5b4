import { spawn } from 'node:child_process';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import type {
  AnyAuthMethod,
  BaseAgent,
  Client,
  ClientChannel,
  ConnectConfig,
  ParsedKey,
  ServerHostKeyAlgorithm,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2';
import { ConnectError, type ConnectStage } from '../core/errors.ts';
import type { HostPasswords } from '../core/inventory.ts';
import { checkHostKey, describeTrust } from './host-keys.ts';
import { joinWrites } from './join-writes.ts';
import { loadSsh2, type Credential, type Credentials, type Keyring } from './keyring.ts';
import { firstReason, SessionRefusedError, type Line, type ShellChannel } from './line.ts';
import type { SshTarget } from './target.ts';

/** Only modern algorithms, without SHA-1 and CBC, in order of preference. */
const algorithms: ConnectConfig['algorithms'] = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
  ],
};

export const hostKeyAlgorithms: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Hint for features that the built-in client does not support. */
const USE_OPENSSH = "Use --transport openssh to connect with the system's ssh.";

export interface SshLogin {
  keyring: Keyring;
  /** Tried after the keys. */
  password: string | undefined;
  /** Passwords from the inventory, by host. They override the other one. */
  passwords?: ReadonlyMap<string, HostPasswords>;
}

/** Called for each stage of a connection, for `runner doctor`. */
export type ConnectObserver = (stage: ConnectStage, detail: string) => void;

/** Connects to hosts with ssh2. Connections to jump hosts are shared. */
export class SshDialler {
  readonly #login: SshLogin;
  readonly #jumps = new Map<string, Promise<Client>>();

  constructor(login: SshLogin) {
    this.#login = login;
  }

  /** @throws ConnectError with the stage that failed */
  async connect(target: SshTarget, observe: ConnectObserver = () => undefined): Promise<Line> {
    return new Ssh2Line(target.name, await this.#open(target, observe));
  }

  /**
   * Reads the key of a host, whether it is trusted or not. Sends no credentials to the host.
   * @throws ConnectError if the host cannot be reached, for example because a jump host is not trusted
   */
  async hostKey(target: SshTarget): Promise<Buffer> {
    const { Client: Ssh2Client } = await loadSsh2();
    const client = new Ssh2Client();
    const socket = await this.#socket(target, () => undefined);
    let key: Buffer | undefined;
    return new Promise((resolve, reject) => {
      const end = (error: Error & { level?: string }) => {
        socket.destroy();
        if (key) resolve(key);
        else reject(handshakeError(target, 'handshake', error, noCredentials));
      };
      client.on('error', end);
      client.once('close', () => {
        end(new Error('the host closed the connection'));
      });
      client.connect({
        username: target.user,
        sock: socket,
        readyTimeout: target.connectTimeoutMs,
        algorithms: { ...algorithms, serverHostKey: orderHostKeys(target) },
        hostVerifier: (shown: Buffer) => {
          key = shown;
          return false;
        },
      });
    });
  }

  async close(): Promise<void> {
    for (const pending of this.#jumps.values()) (await pending.catch(() => undefined))?.end();
    this.#jumps.clear();
  }

  async #open(target: SshTarget, observe: ConnectObserver): Promise<Client> {
    // Open the socket last: an event of the socket before the handshake listens to it would be lost.
    const { Client: Ssh2Client } = await loadSsh2();
    const credentials = await this.#login.keyring.credentials(target);
    const offers = await authMethods(target, credentials, this.#passwordOf(target));
    const socket = await this.#socket(target, observe);
    return handshake(new Ssh2Client(), { target, socket, credentials, offers, observe });
  }

  #passwordOf({ name }: SshTarget): string | undefined {
    const { password, passwords } = this.#login;
    return passwords?.get(name)?.login ?? password;
  }

  async #socket(target: SshTarget, observe: ConnectObserver): Promise<Duplex> {
    const { jumps, proxyCommand } = target;
    const last = jumps.at(-1);
    if (last) {
      const through = await this.#jump(jumps, target.name);
      observe('connect', `through ${jumps.map(({ name }) => name).join(', ')}`);
      return forward(through, target, last.name);
    }
    if (proxyCommand !== undefined) {
      observe('connect', `with ProxyCommand ${proxyCommand}`);
      return spawnProxy(proxyCommand, target);
    }
    return dialTcp(target, observe);
  }

  /** The client of the last jump host, connected through the jump hosts before it. */
  #jump(jumps: SshTarget[], forHost: string): Promise<Client> {
    const key = jumps
      .map(({ user, address, port }) => `${user}@${address}:${String(port)}`)
      .join(',');
    const known = this.#jumps.get(key);
    if (known) return known;
    const opening = this.#openJump(jumps).catch((error: unknown) => {
      this.#jumps.delete(key);
      if (!(error instanceof ConnectError)) throw error;
      const { message, hint, stage, retryable } = error;
      throw new ConnectError(`Cannot use the jump host of "${forHost}". ${message}`, {
        host: forHost,
        stage,
        retryable,
        hint,
        cause: error,
      });
    });
    this.#jumps.set(key, opening);
    opening
      .then((client) => client.once('close', () => this.#jumps.delete(key)))
      .catch(() => undefined);
    return opening;
  }

  async #openJump(jumps: SshTarget[]): Promise<Client> {
    const target = jumps.at(-1);
    if (!target) throw new Error('a jump needs a host');
    return this.#open({ ...target, jumps: jumps.slice(0, -1) }, () => undefined);
  }
}

const noCredentials = { credentials: { usable: [], unusable: [] }, left: [], banner: '' };

class Ssh2Line implements Line {
  readonly #host: string;
  readonly #client: Client;
  #alive = true;

  constructor(host: string, client: Client) {
    this.#host = host;
    this.#client = client;
    // Each open channel adds a listener; the server limits the number of channels.
    client.setMaxListeners(0);
    client.once('close', () => {
      this.#alive = false;
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  exec(command: string, { terminal = false } = {}): Promise<ShellChannel> {
    return new Promise((resolve, reject) => {
      const options = terminal ? { pty: { term: 'dumb', cols: 200, rows: 24 } } : {};
      try {
        this.#client.exec(command, options, (error, channel) => {
          if (error) reject(new SessionRefusedError(error.message));
          // Attach listeners synchronously, so that no event is lost.
          else resolve(toShellChannel(channel, this.#client));
        });
      } catch (error) {
        this.#alive = false;
        reject(lost(this.#host, (error as Error).message));
      }
    });
  }

  close(): void {
    this.#client.end();
  }
}

function lost(host: string, reason: string): ConnectError {
  return new ConnectError(`The connection to "${host}" was lost: ${reason}.`, {
    host,
    stage: 'lost',
    retryable: true,
  });
}

export function toShellChannel(channel: ClientChannel, client: Client): ShellChannel {
  let exit = 'the connection ended';
  channel.on('exit', (code: number | null, signal?: string) => {
    exit =
      code === null
        ? `the remote shell was killed by ${signal ?? 'a signal'}`
        : `the remote shell exited with code ${String(code)}`;
  });
  channel.on('error', () => {
    // The close event that follows is handled.
  });
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    onClose(listener) {
      const tell = firstReason(listener);
      const end = () => {
        // A long run opens many channels on one connection, so remove the listener.
        client.removeListener('close', end);
        tell(exit);
      };
      channel.once('close', end);
      // If a jump host or the network fails, the client closes without an event on the channel.
      client.once('close', end);
    },
    destroy: () => {
      channel.close();
    },
  };
}

function dialTcp(target: SshTarget, observe: ConnectObserver): Promise<Duplex> {
  const { address, port, connectTimeoutMs } = target;
  return new Promise((resolve, reject) => {
    // Without noDelay, each small packet waits for the acknowledgement of the one before it.
    const socket = connectTcp({ host: address, port, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no answer within ${seconds(connectTimeoutMs)}`));
    }, connectTimeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(dialError(target, error));
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      observe('connect', `${socket.remoteAddress ?? address} port ${String(port)}`);
      joinWrites(socket);
      resolve(socket);
    });
  });
}

function forward(through: Client, target: SshTarget, jump: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(dialError(target, new Error(`no answer through "${jump}"`)));
    }, target.connectTimeoutMs);
    through.forwardOut('127.0.0.1', 0, target.address, target.port, (error, channel) => {
      clearTimeout(timer);
      if (error)
        reject(dialError(target, new Error(`"${jump}" could not reach it: ${error.message}`)));
      else resolve(channel);
    });
  });
}

function spawnProxy(command: string, target: SshTarget): Duplex {
  // In its own process group, so that Ctrl-C does not end the connection of a running step.
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once('error', (error) => duplex.destroy(error));
  child.once('close', (code) => {
    if (code !== 0)
      duplex.destroy(
        new Error(`the ProxyCommand of "${target.name}" exited with code ${String(code)}`),
      );
  });
  duplex.once('close', () => child.kill());
  return duplex;
}

interface Handshake {
  target: SshTarget;
  socket: Duplex;
  credentials: Credentials;
  offers: Offer[];
  observe: ConnectObserver;
}

/** The state of a handshake, for error messages. */
interface Progress {
  stage: ConnectStage;
  keyError: ConnectError | undefined;
  /** Authentication methods that the host still accepts. */
  left: readonly string[];
  /** The first bytes from the host, if they are not SSH. */
  banner: string;
}

/** @throws ConnectError with the stage that failed */
async function handshake(client: Client, parts: Handshake): Promise<Client> {
  const { target, socket, credentials, observe } = parts;
  const progress: Progress = { stage: 'handshake', keyError: undefined, left: [], banner: '' };
  // ssh2 ignores lines before the SSH banner, so record them for the error message.
  const listen = (chunk: Buffer) => {
    progress.banner += chunk.toString('latin1', 0, 200);
    if (progress.banner.includes('SSH-') || progress.banner.length > 200)
      socket.off('data', listen);
  };
  socket.on('data', listen);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error & { level?: string }) => {
      // If the agent cannot sign, the next keys are tried.
      if (error.level === 'agent') return;
      socket.destroy();
      const { keyError, stage, left, banner } = progress;
      reject(keyError ?? handshakeError(target, stage, error, { credentials, left, banner }));
    };
    client.once('handshake', ({ kex, serverHostKey }) => {
      observe('handshake', `${kex}, host key ${serverHostKey}`);
    });
    client.once('ready', resolve);
    client.on('error', fail);
    client.once('close', () => {
      fail(new Error('the host closed the connection'));
    });
    client.connect(handshakeConfig(parts, progress));
  });
  return client;
}

/** Verifies the host key, then offers the authentication methods in order. */
function handshakeConfig(
  { target, socket, offers, observe }: Handshake,
  progress: Progress,
): ConnectConfig {
  let keyChecked = false;
  return {
    username: target.user,
    sock: socket,
    readyTimeout: target.connectTimeoutMs,
    keepaliveInterval: target.keepalive.intervalMs,
    keepaliveCountMax: target.keepalive.misses,
    algorithms: { ...algorithms, serverHostKey: orderHostKeys(target) },
    // Also called on every rekey, so it uses known_hosts as read at the start.
    hostVerifier: (key: Buffer) => {
      const keyError = checkHostKey(target, key);
      progress.keyError = keyError;
      progress.stage = keyError ? 'host_key' : 'auth';
      if (!keyError && !keyChecked) observe('host_key', describeTrust(target, key));
      keyChecked = true;
      return keyError === undefined;
    },
    authHandler: (methods, _partial, next) => {
      // ssh2 passes null before the first attempt, contrary to its types.
      if (Array.isArray(methods)) progress.left = methods;
      const offer = offers.shift();
      if (offer) observe('auth', `offering ${offer.label}`);
      next((offer?.method ?? false) as AnyAuthMethod);
    },
  };
}

interface Offer {
  label: string;
  method: AnyAuthMethod;
}

/** Signed requests are sent immediately: querying the accepted methods first would cost a round trip. */
async function authMethods(
  { user: username }: SshTarget,
  { usable }: Credentials,
  password: string | undefined,
): Promise<Offer[]> {
  const offers: Offer[] = [];
  for (const credential of usable) {
    const { label, key } = credential;
    offers.push({
      label,
      method: credential.agent
        ? { type: 'agent', username, agent: await onlyKey(credential) }
        : { type: 'publickey', username, key },
    });
  }
  if (password !== undefined) {
    offers.push({ label: 'the password', method: { type: 'password', username, password } });
    offers.push({
      label: 'the password (keyboard-interactive)',
      method: {
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, answer) => {
          answer(prompts.map(() => password));
        },
      },
    });
  }
  return offers;
}

/** An agent with a single key, so that each offer contains one key. */
async function onlyKey({ key, agent }: Credential): Promise<BaseAgent> {
  const { BaseAgent: Base } = await loadSsh2();
  class OneKeyAgent extends Base<ParsedKey> {
    getIdentities(callback: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      callback(null, [key]);
    }

    sign(
      publicKey: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      callback?: SignCallback,
    ): void {
      if (typeof options === 'function') agent?.sign(publicKey, data, options);
      else agent?.sign(publicKey, data, options, callback);
    }
  }
  return new OneKeyAgent();
}

function dialError(target: SshTarget, error: Error & { code?: string }): ConnectError {
  const { name, address, port } = target;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return new ConnectError(`Cannot resolve the name "${address}" of host "${name}".`, {
      host: name,
      stage: 'resolve',
      retryable: error.code === 'EAI_AGAIN',
      cause: error,
    });
  }
  return new ConnectError(
    `Cannot connect to "${name}" (${address} port ${String(port)}): ${error.message}.`,
    {
      host: name,
      stage: 'connect',
      retryable: true,
      hint: error.code === 'ECONNREFUSED' ? 'Check the port, and that sshd is running.' : undefined,
      cause: error,
    },
  );
}

function handshakeError(
  target: SshTarget,
  stage: ConnectStage,
  error: Error & { level?: string; code?: string | number },
  {
    credentials,
    left,
    banner,
  }: { credentials: Credentials; left: readonly string[]; banner: string },
): ConnectError {
  const { name, address, port } = target;
  const where = `"${name}" (${address} port ${String(port)})`;
  const details = { host: name, stage, cause: error };
  if (error.level === 'client-authentication' || stage === 'auth') {
    return authError(target, error, { credentials, left });
  }
  const noMatch = /no matching (.*)/.exec(error.message);
  if (noMatch) {
    return new ConnectError(`No matching ${noMatch[1] ?? 'algorithm'} with ${where}.`, {
      ...details,
      retryable: false,
      hint: USE_OPENSSH,
    });
  }
  if (error.level === 'client-timeout') {
    const limit = seconds(target.connectTimeoutMs);
    return new ConnectError(`${where} accepts connections but did not answer within ${limit}.`, {
      ...details,
      retryable: true,
      hint: 'Check that its sshd is responsive, and that no other program listens on the port.',
    });
  }
  const busy = /MaxStartups|not allowed at this time/i.test(banner);
  if (banner !== '' && !banner.includes('SSH-') && !busy) {
    const words = banner.split(/\r?\n/)[0] ?? '';
    return new ConnectError(`The server at ${where} is not an SSH server. It sent "${words}".`, {
      ...details,
      retryable: false,
      hint: 'Check the port.',
    });
  }
  const reason = error.message.replace(
    /^Connection lost before handshake$/,
    'it closed the connection before the key exchange',
  );
  return new ConnectError(`Cannot connect to ${where}: ${reason}.`, {
    ...details,
    retryable: true,
  });
}

function authError(
  target: SshTarget,
  error: Error & { level?: string },
  {
    credentials: { usable, unusable },
    left,
  }: { credentials: Credentials; left: readonly string[] },
): ConnectError {
  const { name, user, certificates } = target;
  const refused = error.level === 'client-authentication' || usable.length === 0;
  const tried =
    usable.length === 0
      ? 'no usable key'
      : `it rejected ${usable.map(({ label }) => label).join(', ')}`;
  const notTried = unusable.length === 0 ? '' : `; not tried: ${unusable.join(', ')}`;
  const accepts = left.length === 0 ? '' : `; it accepts ${left.join(', ')}`;
  const reason = refused ? '' : ` (${error.message})`;
  return new ConnectError(
    `Permission denied for user "${user}" on "${name}": ${tried}${notTried}${accepts}${reason}.`,
    {
      host: name,
      stage: 'auth',
      // A host that closes the connection during authentication can be busy. A rejection is final.
      retryable: !refused && !/too many authentication failures/i.test(error.message),
      hint: authHint(error, { unusable, left, certificates }),
      cause: error,
    },
  );
}

function authHint(
  error: Error,
  {
    unusable,
    left,
    certificates,
  }: { unusable: string[]; left: readonly string[]; certificates: string[] },
): string {
  if (certificates.length > 0)
    return `${USE_OPENSSH} The built-in client does not support certificates (${certificates.join(', ')}).`;
  if (unusable.some((one) => one.includes('FIDO'))) return USE_OPENSSH;
  if (unusable.some((one) => one.includes('(encrypted)')))
    return 'Add the key to the agent with ssh-add, or use --key-passphrase-file.';
  if (/too many authentication failures/i.test(error.message))
    return 'Set "keyPath" or IdentitiesOnly: the agent has more keys than the host allows to try.';
  if (left.length > 0 && left.every((one) => one.startsWith('gssapi'))) return USE_OPENSSH;
  if (left.includes('password') && !left.includes('publickey'))
    return 'Use --connection-password-file.';
  return 'Check "user" and "keyPath" of the host, or run "runner doctor" to see each step.';
}

function seconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}

/** Prefers stored host key types, as OpenSSH does. Otherwise a known host could offer an unknown key. */
function orderHostKeys({ knownHosts, keyName, hostKey }: SshTarget): ServerHostKeyAlgorithm[] {
  const expected = hostKey === undefined ? undefined : /^\s*([\w@.-]+)\s/.exec(hostKey)?.[1];
  const stored = expected === undefined ? knownHosts.types(keyName) : [expected];
  const isStored = (algorithm: string) =>
    stored.includes(algorithm) || (algorithm.startsWith('rsa-') && stored.includes('ssh-rsa'));
  return [
    ...hostKeyAlgorithms.filter(isStored),
    ...hostKeyAlgorithms.filter((algorithm) => !isStored(algorithm)),
  ];
}
