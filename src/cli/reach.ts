import { join } from 'node:path';
import type { Inventory } from '../core/inventory.ts';
import type { Clock, Random } from '../core/ports.ts';
import { Keyring, type AskPassphrase } from '../transport/keyring.ts';
import { SshConfig } from '../transport/ssh-config.ts';
import type { SshLogin } from '../transport/ssh.ts';
import { TargetResolver } from '../transport/target.ts';
import { connectTimeoutOf, type ConnectFlags } from './flags/connect.ts';
import { firstLine, passwordFrom } from './flags/passwords.ts';
import { printMessage } from './fail.ts';
import { askSecret, canAsk } from './operator.ts';
import type { World } from './world.ts';

/** How this command connects to hosts. */
export interface Reach {
  targets: TargetResolver;
  login: SshLogin;
  connectTimeoutMs: number;
  clock: Clock;
  random: Random;
  transport: 'ssh' | 'openssh' | undefined;
}

/** @throws UsageError if an option is invalid or a password file cannot be read */
export async function createReach(world: World, flags: ConnectFlags): Promise<Reach> {
  const connectTimeoutMs = connectTimeoutOf(flags);
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
  const password = await passwordFrom(world, {
    file: flags.connectionPasswordFile,
    flag: '--connection-password-file',
    ask: flags.askPass === true ? 'Login password' : undefined,
  });
  const { clock, random } = world;
  const { transport } = flags;
  const { passwords } = world;
  const known = { keyring, password, passwords };
  const isUnused =
    password !== undefined || [...passwords.values()].some(({ login }) => login !== undefined);
  if (transport === 'openssh' && isUnused)
    printMessage(
      world,
      'note: The login password is not used, because the ssh program of the system (--transport openssh) runs without prompts. Use a key.',
    );
  return { targets, login: known, connectTimeoutMs, clock, random, transport };
}

/**
 * Prompts for passphrases of private keys before the run starts. Connecting reports other problems
 * of a host.
 */
export async function unlockKeys(
  world: World,
  { targets, login, transport }: Reach,
  inventory: Inventory,
): Promise<void> {
  if (!canAsk(world) || transport === 'openssh') return;
  for (const { address } of inventory.hosts.values()) {
    if (address.transport !== 'ssh' || address.unmanageable !== undefined) continue;
    const target = await targets.resolve(address).catch(() => undefined);
    if (target) await login.keyring.credentials(target).catch(() => undefined);
  }
}

function passphraseAsker(world: World, file: string | undefined): AskPassphrase {
  if (file !== undefined) {
    const passphrase = firstLine(file, '--key-passphrase-file');
    world.redactor.hide('--key-passphrase-file', passphrase);
    return (_key, retry) => Promise.resolve(retry ? undefined : passphrase);
  }
  return async (key, retry) => {
    if (!canAsk(world)) return undefined;
    const passphrase = await askSecret(
      world,
      `${retry ? 'Wrong passphrase. ' : ''}Passphrase for ${key}`,
    );
    if (passphrase !== undefined) world.redactor.hide('--key-passphrase-file', passphrase);
    return passphrase;
  };
}
