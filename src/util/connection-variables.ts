/**
 * How runner handles a variable that Ansible documents for connections, privilege escalation or remote shells.
 * - `supported`: `host-address.ts` reads it.
 * - `unneeded`: it controls how Ansible works, which runner does in another way. It can be ignored.
 * - `named`: it has no counterpart. A note names it, with what to do instead.
 */
export type VariableRow =
  | { is: 'supported'; as: string }
  | { is: 'unneeded'; why: string; silent?: true }
  | { is: 'named'; hint: string };

const supported = (as: string): VariableRow => ({ is: 'supported', as });
const unneeded = (why: string): VariableRow => ({ is: 'unneeded', why });
const named = (hint: string): VariableRow => ({ is: 'named', hint });

const ONE_CONNECTION = 'all commands and files of a host go over one connection';
const OTHER_PROGRAM = 'Put the one you want first in PATH.';
const BECOME_FLAGS = 'Set it in the configuration of the program, such as sudoers.';
const FILES = 'Files go over the connection of the host. Use ansible_ssh_common_args.';

/** One row per variable. `documented variables` in test/util/connection-variables.test.ts lists those of Ansible's manuals. */
export const connectionVariables: Readonly<Record<string, VariableRow>> = {
  // How a host is reached.
  ansible_connection: supported('transport'),
  ansible_host: supported('address'),
  ansible_ssh_host: supported('address'),
  ansible_port: supported('port'),
  ansible_ssh_port: supported('port'),
  ansible_user: supported('user'),
  ansible_ssh_user: supported('user'),
  ansible_password: supported('login password'),
  ansible_ssh_pass: supported('login password'),
  ansible_ssh_password: supported('login password'),
  ansible_private_key_file: supported('key'),
  ansible_ssh_private_key_file: supported('key'),
  ansible_ssh_args: supported('words for ssh'),
  ansible_ssh_common_args: supported('words for ssh'),
  ansible_ssh_extra_args: supported('words for ssh'),
  ansible_ssh_pkcs11_provider: supported('word for ssh'),
  ansible_timeout: supported('time limit of a connection attempt'),
  ansible_ssh_timeout: supported('time limit of a connection attempt'),
  ansible_host_key_checking: supported('host keys are always checked; "false" is named'),
  ansible_ssh_host_key_checking: supported('host keys are always checked; "false" is named'),
  ansible_private_key: named(
    'Write the key to a file and name it in ansible_ssh_private_key_file.',
  ),
  ansible_ssh_private_key: named(
    'Write the key to a file and name it in ansible_ssh_private_key_file.',
  ),
  ansible_private_key_passphrase: named('Use --key-passphrase-file, or the agent.'),
  ansible_ssh_private_key_passphrase: named('Use --key-passphrase-file, or the agent.'),
  ansible_ssh_executable: named(OTHER_PROGRAM),
  ansible_sftp_extra_args: named(FILES),
  ansible_scp_extra_args: named(FILES),
  ansible_ssh_use_tty: unneeded('a terminal is opened if sudo or doas requires one'),
  ansible_ssh_retries: unneeded('connections are retried automatically'),
  ansible_ssh_verbosity: unneeded('see --debug ssh'),
  ansible_pipelining: unneeded(ONE_CONNECTION),
  ansible_ssh_pipelining: unneeded(ONE_CONNECTION),
  ansible_control_path: unneeded(ONE_CONNECTION),
  ansible_control_path_dir: unneeded(ONE_CONNECTION),
  ansible_sftp_batch_mode: unneeded(ONE_CONNECTION),
  ansible_ssh_transfer_method: unneeded(ONE_CONNECTION),
  ansible_scp_if_ssh: unneeded(ONE_CONNECTION),
  ansible_sftp_executable: unneeded(ONE_CONNECTION),
  ansible_scp_executable: unneeded(ONE_CONNECTION),
  ansible_sshpass_prompt: unneeded('passwords are not given by sshpass'),
  ansible_ssh_password_mechanism: unneeded('passwords are not given by sshpass'),
  // Privilege escalation.
  ansible_become: supported('become'),
  ansible_become_user: supported('become_user'),
  ansible_become_method: supported('become_method'),
  ansible_become_password: supported('become password'),
  ansible_become_pass: supported('become password'),
  ansible_sudo_user: supported('become_user with sudo'),
  ansible_su_user: supported('become_user with su'),
  ansible_doas_user: supported('become_user with doas'),
  ansible_sudo_pass: supported('become password with sudo'),
  ansible_su_pass: supported('become password with su'),
  ansible_doas_pass: supported('become password with doas'),
  ansible_sudo: named('Ansible no longer supports it. Use ansible_become.'),
  ansible_su: named('Ansible no longer supports it. Use ansible_become and ansible_become_method.'),
  ansible_become_exe: named(OTHER_PROGRAM),
  ansible_sudo_exe: named(OTHER_PROGRAM),
  ansible_su_exe: named(OTHER_PROGRAM),
  ansible_doas_exe: named(OTHER_PROGRAM),
  ansible_become_flags: named(BECOME_FLAGS),
  ansible_sudo_flags: named(BECOME_FLAGS),
  ansible_su_flags: named(BECOME_FLAGS),
  ansible_doas_flags: named(BECOME_FLAGS),
  ansible_sudo_chdir: named('Use "chdir" of the task.'),
  ansible_su_prompt_l10n: unneeded('su runs in the C locale'),
  ansible_doas_prompt_l10n: unneeded('doas runs in the C locale'),
  // The shell on the host.
  ansible_shell_executable: named('Commands run in /bin/sh. Use "executable" of the module shell.'),
  ansible_shell_type: named('Commands run in /bin/sh, whatever the login shell is.'),
  ansible_executable: named('Commands run in /bin/sh.'),
  ansible_remote_tmp: unneeded('records and copies are in /var/lib/runner'),
  ansible_remote_temp: unneeded('records and copies are in /var/lib/runner'),
  ansible_system_tmpdirs: unneeded('records and copies are in /var/lib/runner'),
  ansible_async_dir: unneeded('records of detached steps are in /var/lib/runner'),
  ansible_common_remote_group: unneeded('no module is copied to the host'),
  ansible_shell_allow_world_readable_temp: unneeded('no module is copied to the host'),
  ansible_admin_users: unneeded('no module is copied to the host'),
  ansible_module_compression: unneeded('no module is copied to the host'),
  ansible_network_os: unneeded('it is for the connections to network devices'),
};

/** Kinds of variables that are handled alike. */
const families: readonly { pattern: RegExp; row: VariableRow }[] = [
  {
    pattern: /^ansible_\w+_interpreter$/,
    row: { is: 'unneeded', why: 'hosts need no interpreter', silent: true },
  },
  {
    pattern: /^ansible_paramiko_/,
    row: named('runner does not use paramiko. Use ansible_ssh_common_args.'),
  },
  {
    pattern:
      /^ansible_(winrm|psrp|docker|podman|kubectl|oc|lxc|lxd|jail|chroot|zone|httpapi|network|netconf|grpc|persistent|libssh|napalm|aws_ssm|runas|machinectl|pbrun|pfexec|dzdo|ksu|pmrun|sesu|sudosu|enable)_/,
    row: unneeded('it is for another kind of connection or escalation'),
  },
];

/** Undefined for a plain variable. */
export function connectionVariable(name: string): VariableRow | undefined {
  if (!name.startsWith('ansible_')) return undefined;
  if (Object.hasOwn(connectionVariables, name)) return connectionVariables[name];
  return families.find(({ pattern }) => pattern.test(name))?.row;
}
