import { Option, type Command } from 'commander';
import type { JsonObject } from '../../core/json.ts';
import type { Become } from '../../language/document.ts';
import type { World } from '../world.ts';
import type { ConnectFlags } from './connect.ts';
import { passwordFrom } from './passwords.ts';

/** Flags that say as whom plays run where the playbook does not. */
export interface BecomeFlags {
  become?: boolean;
  becomeUser?: string;
  becomeMethod?: string;
}

/** Plays are read with these flags, before the rest can be parsed. */
export function addBecomeOptions(command: Command): Command {
  return command
    .option('-b, --become', 'with the rights of another user, where the playbook does not say it')
    .option('--become-user <NAME>', 'which user that is (default: root)')
    .addOption(
      new Option('--become-method <METHOD>', 'by which program').choices(['sudo', 'su', 'doas']),
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

/** The password for sudo or su. */
export function becomePassword(world: World, flags: ConnectFlags): Promise<string | undefined> {
  return passwordFrom(world, {
    file: flags.becomePasswordFile,
    flag: '--become-password-file',
    ask: flags.askBecomePass === true ? 'Password for sudo or su' : undefined,
  });
}
