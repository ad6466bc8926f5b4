import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectError, type ConnectStage } from '../core/errors.ts';
import type { HostAddress, JumpAddress } from '../core/host.ts';
import { quoteAll } from '../util/shell.ts';
import type { Line, ShellChannel } from './line.ts';
import { childChannel, spawnPiped } from './local.ts';
import type { SshConfig } from './ssh-config.ts';

const READY = 'runner: connected';
/** Runs ssh and ends it when standard input is closed. Otherwise a master would outlive a killed controller. */
const WATCHED = `exec 3<&0
ssh "$@" </dev/null &
p=$!
{ cat; kill "$p"; } <&3 >/dev/null 2>&1 &
exec 3<&-
wait "$p"`;

/** The known_hosts name of a key from the inventory. */
const EXPECTED = 'expected';

export interface OpenSshOptions {
  config: SshConfig;
  /** Replace the files from ssh_config(5). */
  knownHostsFiles: string[] | undefined;
  connectTimeoutMs: number;
}

/**
 * Connects with the system's `ssh`, for features that the built-in client does not support: certificates, FIDO keys,
 * post-quantum key exchange, GSSAPI. One master per host; shells share its connection (ControlPath).
 */
export class OpenSshDialler {
  readonly #options: OpenSshOptions;
  #dir: string | undefined;
  #count = 0;

  constructor(options: OpenSshOptions) {
    this.#options = options;
  }

  /** @throws ConnectError with the message of ssh */
  async connect(host: HostAddress): Promise<Line> {
    this.#dir ??= mkdtempSync(join(tmpdir(), 'runner-'));
    this.#count++;
    const control = join(this.#dir, String(this.#count));
    const target = [...this.#targetOptions(host, this.#dir), '--', host.address];
    const master = spawnPiped('/bin/sh', [
      ...['-c', WATCHED, 'sh'],
      ...['-M', '-S', control, '-N', '-T'],
      ...['-o', 'PermitLocalCommand=yes', '-o', `LocalCommand=echo ${READY}`],
      ...target,
    ]);
    let output = '';
    let alive = false;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        master.stdin.end();
        reject(
          openSshError(host, `no answer within ${String(this.#options.connectTimeoutMs / 1000)} s`),
        );
      }, this.#options.connectTimeoutMs + 2000);
      const finish = () => {
        clearTimeout(timer);
      };
      master.stderr.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString('utf8')).slice(-4000);
      });
      master.stdin.on('error', () => undefined);
      master.stdout.on('data', (chunk: Buffer) => {
        if (!chunk.includes(READY)) return;
        alive = true;
        finish();
        resolve();
      });
      master.once('error', (error) => {
        finish();
        reject(openSshError(host, error.message));
      });
      master.once('close', () => {
        finish();
        alive = false;
        reject(openSshError(host, output));
      });
    });
    return {
      get alive() {
        return alive;
      },
      exec: (command, { terminal = false } = {}) =>
        openSession(['-S', control, terminal ? '-tt' : '-T', ...target, command]),
      close: () => {
        master.stdin.end();
      },
    };
  }

  close(): void {
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
  }

  #targetOptions(host: JumpAddress, dir: string): string[] {
    const { port, user, keyPath, hostKey, jumps, sshArgs = [] } = host;
    const { config, knownHostsFiles, connectTimeoutMs } = this.#options;
    const given = new Set(sshArgs.map((word) => word.split('=')[0]?.toLowerCase() ?? ''));
    const files = hostKey === undefined ? knownHostsFiles : [this.#expect(hostKey, dir)];
    const set: Record<string, string> = {
      BatchMode: 'yes',
      StrictHostKeyChecking: 'yes',
      ...(given.has('connecttimeout')
        ? {}
        : { ConnectTimeout: String(Math.ceil(connectTimeoutMs / 1000)) }),
      ControlPersist: 'no',
      RequestTTY: 'no',
      RemoteCommand: 'none',
      ForwardX11: 'no',
      ...(files === undefined
        ? {}
        : { UserKnownHostsFile: files.join(' '), GlobalKnownHostsFile: 'none' }),
      ...(hostKey === undefined ? {} : { HostKeyAlias: EXPECTED }),
      ...(jumps === undefined ? {} : { ProxyCommand: this.#proxyCommand(jumps, dir) }),
      ...(keyPath === undefined ? {} : { IdentitiesOnly: 'yes' }),
    };
    return [
      ...config.options,
      ...Object.entries(set).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(user === undefined ? [] : ['-l', user]),
      ...(keyPath === undefined ? [] : ['-i', keyPath]),
      // ssh uses the first of several values for an option, so these come last.
      ...sshArgs,
    ];
  }

  /** Jump hosts in the inventory can have their own keys, which ProxyJump does not support. */
  #proxyCommand(jumps: readonly JumpAddress[], dir: string): string {
    const last = jumps.at(-1);
    if (last === undefined) return 'none';
    const before = jumps.slice(0, -1);
    const hop = before.length === 0 ? last : { ...last, jumps: [...before, ...(last.jumps ?? [])] };
    const words = quoteAll(['ssh', ...this.#targetOptions(hop, dir)]).replaceAll('%', '%%');
    return `${words} -W '[%h]:%p' -- ${quoteAll([hop.address])}`;
  }

  /** Writes a known_hosts file that contains only this key. */
  #expect(hostKey: string, dir: string): string {
    this.#count++;
    const file = join(dir, `known_hosts_${String(this.#count)}`);
    writeFileSync(file, `${EXPECTED} ${hostKey}\n`);
    return file;
  }
}

/** If the host accepts no more sessions on the connection, ssh opens another connection itself. */
function openSession(args: string[]): Promise<ShellChannel> {
  return Promise.resolve(
    childChannel(spawnPiped('ssh', args), 'ssh', (code) =>
      code === 255 ? 'the connection ended' : undefined,
    ),
  );
}

/** ssh has one exit code for all failures, so they are distinguished by its messages. */
const patterns: { pattern: RegExp; stage: ConnectStage; retryable: boolean; hint?: string }[] = [
  { pattern: /could not resolve hostname/i, stage: 'resolve', retryable: false },
  {
    pattern: /host identification has changed|host key verification failed|host key is known/i,
    stage: 'host_key',
    retryable: false,
    hint: 'Compare the fingerprint with that on the host, then store the key with "runner trust".',
  },
  {
    pattern: /permission denied|too many authentication failures/i,
    stage: 'auth',
    retryable: false,
    hint: 'Add keys with a passphrase to the agent: ssh runs with BatchMode and does not prompt.',
  },
  { pattern: /no matching/i, stage: 'handshake', retryable: false },
  {
    pattern: /kex_exchange_identification|connection (closed|reset)|timed out during banner/i,
    stage: 'handshake',
    retryable: true,
  },
];

function openSshError(host: HostAddress, output: string): ConnectError {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('@') && !line.startsWith('Warning:'));
  const known = patterns.find(({ pattern }) => pattern.test(output));
  const words = lines.slice(-3).join(' ') || 'ssh ended without output';
  return new ConnectError(`ssh cannot connect to "${host.name}": ${words.replace(/\.$/, '')}.`, {
    host: host.name,
    stage: known?.stage ?? 'connect',
    retryable: known?.retryable ?? true,
    hint: known?.hint,
  });
}
