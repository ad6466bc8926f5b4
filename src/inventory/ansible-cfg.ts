import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Problem } from '../core/errors.ts';

/** Settings of ansible.cfg by which hosts are reached there, and the variable that says the same here. */
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

/** The connection settings of an ansible.cfg beside the inventory or in the two directories above. runner does not read that file. */
export function ansibleCfgNote(inventory: string): Problem[] {
  const folder = dirname(inventory);
  const file = [folder, dirname(folder), dirname(dirname(folder))]
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
      message: `ansible.cfg is not read: ${names} ${found.length === 1 ? 'has' : 'have'} no effect here.`,
      at: { file, line: first.line, column: 1 },
      hint: `Use ${instead}.`,
    },
  ];
}
