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

/** Modern algorithms only: no SHA-1, no CBC. Order is preference. */
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

/** What OpenSSH's client can do and ours cannot. */
const USE_OPENSSH = "Let the system's ssh connect: --transport openssh.";

export interface SshLogin {
  keyring: Keyring;
  /** Tried after the keys. */
  password: string | undefined;
  /** Those of the inventory, by host; they go over the others. */
  passwords?: ReadonlyMap<string, HostPasswords>;
}

/** Told how far a connection came; for `runner doctor`. */
export type ConnectObserver = (stage: ConnectStage, detail: string) => void;

/** Dials hosts by ssh2. Jump hosts are connected to once and shared. */
export class SshDialler {
  readonly #login: SshLogin;
  readonly #jumps = new Map<string, Promise<Client>>();

  constructor(login: SshLogin) {
    this.#login = login;
  }

  /** @throws ConnectError whose stage says how far it came */
  async connect(target: SshTarget, observe: ConnectObserver = () => undefined): Promise<Line> {
    return new Ssh2Line(target.name, await this.#open(target, observe));
  }

  /**
   * The key that a host shows, trusted or not. Nothing is sent that could give anything away.
   * @throws ConnectError when it cannot be asked, for example because a jump host is not trusted yet
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
        else reject(handshakeError(target, 'handshake', error, nothingShown));
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
    // All that takes time comes before the socket: one that closes while nobody listens is not missed.
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
      observe('connect', `by ProxyCommand ${proxyCommand}`);
      return spawnProxy(proxyCommand, target);
    }
    return dialTcp(target, observe);
  }

  /** The client of the last jump host, by way of those before it. */
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
      throw new ConnectError(`The jump host of "${forHost}" cannot be used. ${message}`, {
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

const nothingShown = { credentials: { usable: [], unusable: [] }, left: [], heard: '' };

class Ssh2Line implements Line {
  readonly #host: string;
  readonly #client: Client;
  #alive = true;

  constructor(host: string, client: Client) {
    this.#host = host;
    this.#client = client;
    // One listener for each open channel, whose number the server limits.
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
          // Listeners are attached here and now: an event that comes before them would be lost.
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
        ? `the remote shell was ended by ${signal ?? 'a signal'}`
        : `the remote shell ended with code ${String(code)}`;
  });
  channel.on('error', () => {
    // The close that follows is what counts.
  });
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    onClose(listener) {
      const tell = firstReason(listener);
      const end = () => {
        // A connection outlives its channels, of which a long run opens many.
        client.removeListener('close', end);
        tell(exit);
      };
      channel.once('close', end);
      // A dead jump host or a cut line closes the client without an error on the channel.
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
    // Without noDelay every small packet waits for the acknowledgement of the one before.
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
  // In a group of its own, so that Ctrl-C does not end the connection under a running step.
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once('error', (error) => duplex.destroy(error));
  child.once('close', (code) => {
    if (code !== 0)
      duplex.destroy(
        new Error(`the ProxyCommand of "${target.name}" ended with code ${String(code)}`),
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

/** What is known of a handshake when it fails. */
interface Progress {
  stage: ConnectStage;
  keyError: ConnectError | undefined;
  /** Methods that the host still takes. */
  left: readonly string[];
  /** What a stranger said before it closed. */
  heard: string;
}

/** @throws ConnectError whose stage says how far it came */
async function handshake(client: Client, parts: Handshake): Promise<Client> {
  const { target, socket, credentials, observe } = parts;
  const progress: Progress = { stage: 'handshake', keyError: undefined, left: [], heard: '' };
  // ssh2 passes lines over until one begins as SSH does.
  const listen = (chunk: Buffer) => {
    progress.heard += chunk.toString('latin1', 0, 200);
    if (progress.heard.includes('SSH-') || progress.heard.length > 200) socket.off('data', listen);
  };
  socket.on('data', listen);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error & { level?: string }) => {
      // An agent that cannot sign leaves the keys after it to be tried.
      if (error.level === 'agent') return;
      socket.destroy();
      const { keyError, stage, left, heard } = progress;
      reject(keyError ?? handshakeError(target, stage, error, { credentials, left, heard }));
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

/** Checks the key of the host, then offers one method after the other. */
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
    // Called again on every rekey, so it only looks at what was read at the start.
    hostVerifier: (key: Buffer) => {
      const keyError = checkHostKey(target, key);
      progress.keyError = keyError;
      progress.stage = keyError ? 'host_key' : 'auth';
      if (!keyError && !keyChecked) observe('host_key', describeTrust(target, key));
      keyChecked = true;
      return keyError === undefined;
    },
    authHandler: (methods, _partial, next) => {
      // ssh2 passes null before the first try, which its types do not say.
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

/** The signed request goes at once: asking for the methods first would cost a round trip. */
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

/** An agent that shows one key, so that each offer is one key. */
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
    return new ConnectError(`The name "${address}" of host "${name}" does not resolve.`, {
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
      hint:
        error.code === 'ECONNREFUSED'
          ? 'Nothing listens there: check the port, and that sshd runs.'
          : undefined,
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
    heard,
  }: { credentials: Credentials; left: readonly string[]; heard: string },
): ConnectError {
  const { name, address, port } = target;
  const where = `"${name}" (${address} port ${String(port)})`;
  const details = { host: name, stage, cause: error };
  if (error.level === 'client-authentication' || stage === 'auth') {
    return authError(target, error, { credentials, left });
  }
  const noMatch = /no matching (.*)/.exec(error.message);
  if (noMatch) {
    return new ConnectError(`No ${noMatch[1] ?? 'algorithm'} in common with ${where}.`, {
      ...details,
      retryable: false,
      hint: USE_OPENSSH,
    });
  }
  if (error.level === 'client-timeout') {
    const limit = seconds(target.connectTimeoutMs);
    return new ConnectError(`${where} takes connections but did not answer within ${limit}.`, {
      ...details,
      retryable: true,
      hint: 'Its sshd is stuck or very busy, or something else listens there.',
    });
  }
  const busy = /MaxStartups|not allowed at this time/i.test(heard);
  if (heard !== '' && !heard.includes('SSH-') && !busy) {
    const words = heard.split(/\r?\n/)[0] ?? '';
    return new ConnectError(`What listens at ${where} does not speak SSH but says "${words}".`, {
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
      ? 'no key could be offered'
      : `it refused ${usable.map(({ label }) => label).join(', ')}`;
  const passedOver = unusable.length === 0 ? '' : `; not tried: ${unusable.join(', ')}`;
  const accepts = left.length === 0 ? '' : `; it accepts ${left.join(', ')}`;
  const reason = refused ? '' : ` (${error.message})`;
  return new ConnectError(
    `"${name}" does not let user "${user}" in: ${tried}${passedOver}${accepts}${reason}.`,
    {
      host: name,
      stage: 'auth',
      // A host that closes while we log in may be busy; one that says no stays with it.
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
    return `Certificates (${certificates.join(', ')}) are not for our own client. ${USE_OPENSSH}`;
  if (unusable.some((one) => one.includes('FIDO'))) return USE_OPENSSH;
  if (unusable.some((one) => one.includes('(encrypted)')))
    return 'Unlock the key with ssh-add, or name a file with its passphrase: --key-passphrase-file.';
  if (/too many authentication failures/i.test(error.message))
    return 'The agent holds more keys than the host lets try: name one with "keyPath", or set IdentitiesOnly.';
  if (left.length > 0 && left.every((one) => one.startsWith('gssapi'))) return USE_OPENSSH;
  if (left.includes('password') && !left.includes('publickey'))
    return 'Give a password with --connection-password-file.';
  return 'Check "user" and "keyPath" of the host; runner doctor shows each step.';
}

function seconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}

/** Host key types that are stored come first, as OpenSSH does: otherwise a known host could look unknown. */
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
