import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import type { Client, ClientChannel, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { ConnectError, type ConnectStage } from '../core/errors.ts';
import type { HostAddress } from '../core/host.ts';
import { fingerprint, hostToken, keyType, type KnownHosts } from './known-hosts.ts';
import type { ShellChannel } from './remote-shell.ts';

export interface SshOptions {
  knownHosts: KnownHosts;
  /** Login when the inventory names none. */
  defaultUser: string;
  /** Keys tried when the inventory names none. */
  defaultKeys: string[];
  /** Socket of an ssh agent. */
  agent: string | undefined;
  connectTimeoutMs: number;
}

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

const hostKeyAlgorithms: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Tells the connections of a run apart. */
export function newLine(): string {
  return randomBytes(8).toString('hex');
}

export interface SshConnection {
  readonly user: string;
  /** A word of its own, by which its shells can be told from those of other connections. */
  readonly line: string;
  /** Opens a channel in which `command` runs, without a terminal. */
  exec(command: string): Promise<ShellChannel>;
  readonly alive: boolean;
  close(): void;
}

/** @throws ConnectError whose stage says how far it came */
export async function connectSsh(host: HostAddress, options: SshOptions): Promise<SshConnection> {
  const {
    default: { Client },
  } = await import('ssh2');
  const user = host.user ?? options.defaultUser;
  const privateKey = await readKey(host, options);
  const client = new Client();
  let keyError: ConnectError | undefined;
  let stage: ConnectStage = 'handshake';
  let alive = true;
  client.on('close', () => {
    alive = false;
  });
  const stored = options.knownHosts.types(host.address, host.port);
  const config: ConnectConfig = {
    username: user,
    readyTimeout: options.connectTimeoutMs,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    algorithms: { ...algorithms, serverHostKey: orderHostKeys(stored) },
    // Called again on every rekey, so it only looks at what was read at the start.
    hostVerifier: (key: Buffer) => {
      keyError = checkHostKey(host, key, options.knownHosts);
      stage = keyError ? 'host_key' : 'auth';
      return keyError === undefined;
    },
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(options.agent === undefined || host.keyPath !== undefined ? {} : { agent: options.agent }),
  };
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error & { level?: string; code?: string }) => {
      client.end();
      reject(keyError ?? connectError(host, user, stage, error));
    };
    client.once('ready', resolve);
    client.on('error', fail);
    client.once('close', () => {
      fail(new Error('the host closed the connection'));
    });
    const sock = connectTcp({ host: host.address, port: host.port, noDelay: true });
    sock.once('error', fail);
    sock.setTimeout(options.connectTimeoutMs, () => sock.destroy(new Error('timed out')));
    sock.once('connect', () => {
      sock.setTimeout(0);
      client.connect({ ...config, sock });
    });
  });
  return {
    user,
    line: newLine(),
    exec: (command) => openChannel(client, host, command),
    get alive() {
      return alive;
    },
    close: () => client.end(),
  };
}

function openChannel(client: Client, host: HostAddress, command: string): Promise<ShellChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) {
        reject(
          new ConnectError(`"${host.name}" refused to open a session: ${error.message}.`, {
            host: host.name,
            stage: 'shell',
            retryable: true,
            hint: 'Raise MaxSessions in its sshd_config if it is 1.',
            cause: error,
          }),
        );
        return;
      }
      resolve(toShellChannel(channel, client));
    });
  });
}

function toShellChannel(channel: ClientChannel, client: Client): ShellChannel {
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
      let told = false;
      const once = () => {
        if (told) return;
        told = true;
        listener(exit);
      };
      channel.once('close', once);
      // A dead jump host or a cut line closes the client without an error on the channel.
      client.once('close', once);
    },
    destroy: () => {
      channel.close();
    },
  };
}

async function readKey(host: HostAddress, options: SshOptions): Promise<Buffer | undefined> {
  const candidates = host.keyPath === undefined ? options.defaultKeys : [host.keyPath];
  for (const path of candidates) {
    try {
      return await readFile(path);
    } catch (error) {
      if (host.keyPath === undefined) continue;
      throw new ConnectError(`Cannot read the private key "${path}" of host "${host.name}".`, {
        host: host.name,
        stage: 'auth',
        retryable: false,
        hint: 'Check "keyPath" in the hosts file.',
        cause: error,
      });
    }
  }
  return undefined;
}

function checkHostKey(host: HostAddress, key: Buffer, known: KnownHosts): ConnectError | undefined {
  const result = known.check(host.address, host.port, key);
  if (result.verdict === 'trusted') return undefined;
  const name = hostToken(host.address, host.port);
  const details = { host: host.name, stage: 'host_key' as const, retryable: false };
  if (result.verdict === 'unknown') {
    return new ConnectError(
      `The host key of "${name}" is not known: ${keyType(key)} ${fingerprint(key)}.`,
      {
        ...details,
        hint: "Compare the fingerprint with the host's own, then add its key to known_hosts, for example with ssh-keyscan.",
      },
    );
  }
  const where = `${result.file}:${String(result.line)}`;
  if (result.verdict === 'revoked') {
    return new ConnectError(`The host key of "${name}" is revoked by ${where}.`, details);
  }
  return new ConnectError(
    `The host key of "${name}" has changed: stored ${result.stored} (${where}), offered ${fingerprint(key)}.`,
    {
      ...details,
      hint: 'If the host was reinstalled, remove that line. If not, somebody may be listening.',
    },
  );
}

function connectError(
  host: HostAddress,
  user: string,
  stage: ConnectStage,
  error: Error & { level?: string; code?: string },
): ConnectError {
  const where = `${host.address}:${String(host.port)}`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    return new ConnectError(`The name "${host.address}" of host "${host.name}" does not resolve.`, {
      host: host.name,
      stage: 'resolve',
      retryable: error.code === 'EAI_AGAIN',
      cause: error,
    });
  }
  if (error.level === 'client-authentication') {
    const key =
      host.keyPath === undefined
        ? 'no key of the agent or the default files'
        : `the key "${host.keyPath}"`;
    return new ConnectError(`"${host.name}" does not let user "${user}" in: ${key} was accepted.`, {
      host: host.name,
      stage: 'auth',
      retryable: false,
      hint: 'Try it by hand with: ssh -v. Then correct "user" and "keyPath".',
      cause: error,
    });
  }
  return new ConnectError(`Cannot connect to "${host.name}" (${where}): ${error.message}.`, {
    host: host.name,
    stage,
    retryable: true,
    cause: error,
  });
}

function orderHostKeys(stored: string[]): ServerHostKeyAlgorithm[] {
  const isStored = (algorithm: string) =>
    stored.includes(algorithm) || (algorithm.startsWith('rsa-') && stored.includes('ssh-rsa'));
  return [
    ...hostKeyAlgorithms.filter(isStored),
    ...hostKeyAlgorithms.filter((algorithm) => !isStored(algorithm)),
  ];
}
