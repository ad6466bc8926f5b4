import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Problem } from '../core/errors.ts';

/**
 * Connection settings of ansible.cfg, and the variable, flag or command that replaces each in
 * runner.
 */
const settings: Readonly<Record<string, string>> = {
  remote_user: 'ansible_user',
  remote_port: 'ansible_port',
  private_key_file: 'ansible_ssh_private_key_file',
  timeout: 'ansible_timeout',
  transport: 'ansible_connection',
  host_key_checking: 'runner trust',
  become: 'ansible_become',
  become_user: 'ansible_become_user',
  become_method: 'ansible_become_method',
  become_ask_pass: '--ask-become-pass',
  ask_pass: '--ask-pass',
  vault_password_file: '--vault-password-file',
  vault_identity_list: '--vault-id',
  ssh_args: 'ansible_ssh_args',
  ssh_common_args: 'ansible_ssh_common_args',
  ssh_extra_args: 'ansible_ssh_extra_args',
};

/**
 * Note on connection settings in an ansible.cfg next to the inventory or in the two parent
 * directories.
 */
export function ansibleCfgNote(inventory: string): Problem[] {
  const directory = dirname(inventory);
  const file = [directory, dirname(directory), dirname(dirname(directory))]
    .map((place) => join(place, 'ansible.cfg'))
    .find((path) => existsSync(path));
  if (file === undefined) return [];
  const found = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const [, name = ''] = /^(\w+)\s*[=:]\s*\S/.exec(text) ?? [];
      const instead = Object.hasOwn(settings, name) ? settings[name] : undefined;
      return instead === undefined ? [] : [{ name, instead, line: index + 1 }];
    });
  const [first] = found;
  if (!first) return [];
  const names = [...new Set(found.map(({ name }) => `"${name}"`))].join(', ');
  const instead = [...new Set(found.map((one) => one.instead))].join(', ');
  return [
    {
      message: `runner does not read ansible.cfg: ${names} ${found.length === 1 ? 'has' : 'have'} no effect.`,
      at: { file, line: first.line, column: 1 },
      hint: `Use ${instead}.`,
    },
  ];
}
