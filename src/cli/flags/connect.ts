import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { Inventory, InventoryHost } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import { expandHome } from '../../util/paths.ts';

/** Options of every command that connects to hosts. */
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
      'known_hosts file to use instead of those in ssh_config (or environment variable RUNNER_KNOWN_HOSTS)',
    )
    .option(
      '--ssh-config <FILE>',
      'ssh_config file to use instead of ~/.ssh/config and the system-wide file; "none" to use no file',
    )
    .addOption(
      new Option(
        '-c, --transport <CLIENT>',
        'SSH client: the built-in one ("ssh"), or the ssh program of the system ("openssh")',
      ).choices(['ssh', 'openssh']),
    )
    .option(
      '-T, --connect-timeout <SECONDS>',
      'time limit of each attempt',
      String(CONNECT_TIMEOUT_SECONDS),
    )
    .option(
      '--key-passphrase-file <FILE>',
      'file whose first line is the passphrase of private keys',
    )
    .option('--connection-password-file <FILE>', 'file whose first line is the login password')
    .option('-u, --user <NAME>', 'login user, for hosts without one in the inventory')
    .option('--private-key <FILE>', 'private key, for hosts without one in the inventory')
    .option('-k, --ask-pass', 'prompt for the login password')
    .option('--become-password-file <FILE>', 'file whose first line is the sudo or su password')
    .option('-K, --ask-become-pass', 'prompt for the sudo or su password');
}

/** Adds the user and key of the command line to the hosts for which the inventory sets none. */
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

/** Options without secrets that a later `rollback` or `resume` of the run uses by default. */
export function recordedFlags({ knownHosts, sshConfig, transport }: ConnectFlags): JsonObject {
  return {
    ...(knownHosts === undefined ? {} : { knownHosts: resolve(knownHosts) }),
    ...(sshConfig === undefined
      ? {}
      : { sshConfig: sshConfig === 'none' ? sshConfig : resolve(sshConfig) }),
    ...(transport === undefined ? {} : { transport }),
  };
}

/** The time limit of a connection attempt in milliseconds. @throws UsageError */
export function connectTimeoutOf(flags: ConnectFlags): number {
  const seconds = Number(flags.connectTimeout ?? CONNECT_TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= 3600))
    throw new UsageError(
      `--connect-timeout must be above 0 and at most 3600 seconds, not "${flags.connectTimeout ?? ''}".`,
    );
  return seconds * 1000;
}
