import { Option, type Command } from 'commander';
import type { JsonObject } from '../../core/json.ts';
import type { Become } from '../../language/document.ts';
import type { World } from '../world.ts';
import type { ConnectFlags } from './connect.ts';
import { passwordFrom } from './passwords.ts';

/** Defaults for privilege escalation. Keywords in the playbook override them. */
export interface BecomeFlags {
  become?: boolean;
  becomeUser?: string;
  becomeMethod?: string;
}

/** Options that are parsed before the others, because loading the plays requires them. */
export function addBecomeOptions(command: Command): Command {
  return command
    .option('-b, --become', 'run as another user unless the playbook says otherwise')
    .option('--become-user <NAME>', 'user to become (default: root)')
    .addOption(
      new Option('--become-method <METHOD>', 'privilege escalation method').choices([
        'sudo',
        'su',
        'doas',
      ]),
    );
}

export function becomeOf({
  become,
  becomeUser,
  becomeMethod,
}: BecomeFlags): Partial<Omit<Become, 'login'>> | undefined {
  if (become !== true && becomeUser === undefined && becomeMethod === undefined) return undefined;
  return {
    ...(become === true ? { enabled: true } : {}),
    ...(becomeUser === undefined ? {} : { user: becomeUser }),
    ...(becomeMethod === undefined ? {} : { method: becomeMethod as Become['method'] }),
  };
}

export function recordedBecome(options: BecomeFlags): JsonObject {
  const become = becomeOf(options);
  return become ? { become: { ...become } } : {};
}

/** The password for privilege escalation, from a file or a prompt. */
export function becomePassword(world: World, flags: ConnectFlags): Promise<string | undefined> {
  return passwordFrom(world, {
    file: flags.becomePasswordFile,
    flag: '--become-password-file',
    ask: flags.askBecomePass === true ? 'Password for sudo or su' : undefined,
  });
}
