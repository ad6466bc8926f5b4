import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { Inventory, InventoryHost } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import { expandHome } from '../../util/paths.ts';

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
      ...((address.user === undefined || address.userByDefault) && user !== undefined
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

/** In milliseconds. @throws UsageError */
export function connectTimeoutOf(flags: ConnectFlags): number {
  const seconds = Number(flags.connectTimeout ?? CONNECT_TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= 3600))
    throw new UsageError(
      `--connect-timeout takes seconds above 0, not "${flags.connectTimeout ?? ''}".`,
    );
  return seconds * 1000;
}
