import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { Inventory, InventoryHost } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import { Keyring, type AskPassphrase } from '../../transport/keyring.ts';
import { SshConfig } from '../../transport/ssh-config.ts';
import type { SshLogin } from '../../transport/ssh.ts';
import { TargetResolver } from '../../transport/target.ts';
import { askSecret, canAsk } from '../operator.ts';
import { expandHome } from '../../util/paths.ts';
import type { World } from '../world.ts';

/** Flags of every command that connects to hosts. */
export interface ConnectFlags {
  knownHosts?: string;
  sshConfig?: string;
  transport?: 'ssh' | 'openssh';
  connectTimeout?: string;
  keyPassphraseFile?: string;
  connectionPasswordFile?: string;
  askPass?: boolean;
  becomePasswordFile?: string;
  askBecomePass?: boolean;
  user?: string;
  privateKey?: string;
}

/** How hosts are reached in this call. */
export interface Reach {
  targets: TargetResolver;
  login: SshLogin;
  connectTimeoutMs: number;
  clock: Clock;
  transport: 'ssh' | 'openssh' | undefined;
}

const CONNECT_TIMEOUT_SECONDS = 20;

export function addConnectOptions(command: Command): Command {
  return command
    .optionsGroup('Connection:')
    .option(
      '--known-hosts <FILE>',
      'host keys that are trusted, instead of those ssh_config names (or environment variable RUNNER_KNOWN_HOSTS)',
    )
    .option('--ssh-config <FILE>', 'instead of ~/.ssh/config and the system\'s; "none" for none')
    .addOption(
      new Option(
        '-c, --transport <CLIENT>',
        "who connects: our own client, or the system's ssh",
      ).choices(['ssh', 'openssh']),
    )
    .option('-T, --connect-timeout <SECONDS>', 'for each attempt', String(CONNECT_TIMEOUT_SECONDS))
    .option('--key-passphrase-file <FILE>', 'file whose first line unlocks private keys')
    .option('--connection-password-file <FILE>', 'file whose first line is the login password')
    .option('-u, --user <NAME>', 'who logs in where the inventory does not say it')
    .option('--private-key <FILE>', 'key to log in with where the inventory does not name one')
    .option('-k, --ask-pass', 'ask for the login password')
    .option('--become-password-file <FILE>', 'file whose first line is the sudo or su password')
    .option('-K, --ask-become-pass', 'ask for the sudo or su password');
}

/** The hosts, with the login of the command line where the inventory has none. */
export function withLogin(inventory: Inventory, { user, privateKey }: ConnectFlags): Inventory {
  if (user === undefined && privateKey === undefined) return inventory;
  const keyPath = privateKey === undefined ? undefined : resolve(expandHome(privateKey));
  const hosts = [...inventory.hosts].map(([name, host]): [string, InventoryHost] => {
    const { address } = host;
    const login = {
      ...(address.user === undefined && user !== undefined
        ? { user, userByFlag: true as const }
        : {}),
      keyPath: address.keyPath ?? keyPath,
    };
    return [name, { ...host, address: { ...address, ...login } }];
  });
  return { ...inventory, hosts: new Map(hosts) };
}

/** What a later `rollback` or `resume` of the run takes over when it is not told otherwise. No secrets. */
export function recordedFlags({ knownHosts, sshConfig, transport }: ConnectFlags): JsonObject {
  return {
    ...(knownHosts === undefined ? {} : { knownHosts: resolve(knownHosts) }),
    ...(sshConfig === undefined
      ? {}
      : { sshConfig: sshConfig === 'none' ? sshConfig : resolve(sshConfig) }),
    ...(transport === undefined ? {} : { transport }),
  };
}

/** @throws UsageError when a file or a number is wrong */
export async function createReach(world: World, flags: ConnectFlags): Promise<Reach> {
  const seconds = Number(flags.connectTimeout ?? CONNECT_TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= 3600))
    throw new UsageError(
      `--connect-timeout takes seconds above 0, not "${flags.connectTimeout ?? ''}".`,
    );
  const connectTimeoutMs = seconds * 1000;
  const knownHosts = flags.knownHosts ?? world.env['RUNNER_KNOWN_HOSTS'];
  const targets = new TargetResolver({
    config: new SshConfig(flags.sshConfig),
    knownHostsFiles: knownHosts === undefined ? undefined : [knownHosts],
    user: world.user,
    keyFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(world.home, '.ssh', name)),
    agent: world.env['SSH_AUTH_SOCK'],
    connectTimeoutMs,
  });
  const keyring = new Keyring(passphraseAsker(world, flags.keyPassphraseFile));
  const password = await secret(world, {
    file: flags.connectionPasswordFile,
    flag: '--connection-password-file',
    ask: flags.askPass === true ? 'Login password' : undefined,
  });
  const { clock } = world;
  const { transport } = flags;
  return { targets, login: { keyring, password }, connectTimeoutMs, clock, transport };
}

export function becomePassword(world: World, flags: ConnectFlags): Promise<string | undefined> {
  return secret(world, {
    file: flags.becomePasswordFile,
    flag: '--become-password-file',
    ask: flags.askBecomePass === true ? 'Password for sudo or su' : undefined,
  });
}

/** Asks for what locked keys need while nothing else is on the screen. What is wrong with a host shows later. */
export async function unlockKeys(
  world: World,
  { targets, login, transport }: Reach,
  inventory: Inventory,
): Promise<void> {
  if (!canAsk(world) || transport === 'openssh') return;
  for (const { address } of inventory.hosts.values()) {
    if (address.transport !== 'ssh') continue;
    const target = await targets.resolve(address).catch(() => undefined);
    if (target) await login.keyring.credentials(target).catch(() => undefined);
  }
}

function passphraseAsker(world: World, file: string | undefined): AskPassphrase {
  if (file !== undefined) {
    const passphrase = firstLine(file, '--key-passphrase-file');
    world.redactor.hide(passphrase);
    return (_key, retry) => Promise.resolve(retry ? undefined : passphrase);
  }
  return async (key, retry) => {
    if (!canAsk(world)) return undefined;
    const passphrase = await askSecret(world, `${retry ? 'Wrong. ' : ''}Passphrase of ${key}`);
    if (passphrase !== undefined) world.redactor.hide(passphrase);
    return passphrase;
  };
}

async function secret(
  world: World,
  { file, flag, ask }: { file: string | undefined; flag: string; ask: string | undefined },
): Promise<string | undefined> {
  let value = file === undefined ? undefined : firstLine(file, flag);
  if (value === undefined && ask !== undefined) {
    if (!canAsk(world))
      throw new UsageError(`There is no terminal to ask for a password.`, { hint: `Use ${flag}.` });
    value = await askSecret(world, ask);
    if (value === undefined) throw new UsageError('No password was given.');
  }
  if (value !== undefined) world.redactor.hide(value);
  return value;
}

/** @throws UsageError when it cannot be read or is empty */
export function firstLine(file: string, flag: string): string {
  let line: string | undefined;
  try {
    line = readFileSync(expandHome(file), 'utf8').split(/\r?\n/)[0];
  } catch (error) {
    throw new UsageError(`${flag}: cannot read "${file}".`, { cause: error });
  }
  if (line === undefined || line === '')
    throw new UsageError(`${flag}: the first line of "${file}" is empty.`);
  return line;
}
