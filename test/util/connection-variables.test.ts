import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectionVariable, connectionVariables } from '../../src/util/connection-variables.ts';
import { addedAddress, readHostVariables } from '../../src/util/host-address.ts';
import { packageRoot } from '../../src/util/package.ts';

/**
 * Variables of Ansible's manuals: "How to build your inventory", the plugins ssh, sudo, su, doas and sh of ansible-core
 * 2.18 and community.general.
 */
const documented = `
ansible_connection ansible_host ansible_ssh_host ansible_port ansible_ssh_port ansible_user ansible_ssh_user
ansible_password ansible_ssh_pass ansible_ssh_password ansible_private_key_file ansible_ssh_private_key_file
ansible_private_key ansible_ssh_private_key ansible_private_key_passphrase ansible_ssh_private_key_passphrase
ansible_ssh_args ansible_ssh_common_args ansible_ssh_extra_args ansible_sftp_extra_args ansible_scp_extra_args
ansible_ssh_executable ansible_sftp_executable ansible_scp_executable ansible_ssh_pipelining ansible_pipelining
ansible_ssh_retries ansible_ssh_timeout ansible_timeout ansible_ssh_use_tty ansible_ssh_transfer_method ansible_scp_if_ssh
ansible_sftp_batch_mode ansible_control_path ansible_control_path_dir ansible_host_key_checking
ansible_ssh_host_key_checking ansible_ssh_pkcs11_provider ansible_ssh_verbosity ansible_sshpass_prompt
ansible_ssh_password_mechanism
ansible_become ansible_become_user ansible_become_method ansible_become_password ansible_become_pass ansible_become_exe
ansible_become_flags ansible_sudo_user ansible_sudo_exe ansible_sudo_flags ansible_sudo_pass ansible_sudo_chdir
ansible_su_user ansible_su_exe ansible_su_flags ansible_su_pass ansible_su_prompt_l10n ansible_doas_user ansible_doas_exe
ansible_doas_flags ansible_doas_pass ansible_doas_prompt_l10n
ansible_shell_type ansible_shell_executable ansible_executable ansible_remote_tmp ansible_async_dir ansible_system_tmpdirs
ansible_common_remote_group ansible_shell_allow_world_readable_temp ansible_admin_users ansible_module_compression
ansible_python_interpreter ansible_ruby_interpreter ansible_paramiko_proxy_command ansible_winrm_scheme ansible_psrp_auth
ansible_docker_extra_args ansible_network_os
`
  .trim()
  .split(/\s+/);

const read = (vars: Record<string, string | number | boolean>) =>
  readHostVariables('h', vars, '/inv/hosts.yaml');

describe('connection variables of Ansible', () => {
  it('have a row for each documented variable', () => {
    expect(documented.filter((name) => connectionVariable(name) === undefined)).toEqual([]);
  });

  it('are all listed in docs/from-ansible.md', () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'from-ansible.md'), 'utf8');
    const missing = Object.keys(connectionVariables).filter(
      (name) => !page.includes(`\`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  it('do not include other variables', () => {
    for (const name of ['http_port', 'ansible_facts', 'ansible_custom', 'become'])
      expect(connectionVariable(name)).toBeUndefined();
    expect(read({ ansible_custom: 'x', http_port: 80 })).toMatchObject({
      remarks: [],
      unneeded: [],
    });
  });

  /** The effect of each supported variable. */
  const samples: Record<string, [value: string | number | boolean, effect: object]> = {
    ansible_connection: ['local', { address: { transport: 'local', transportGiven: true } }],
    ansible_host: ['a', { address: { address: 'a' } }],
    ansible_ssh_host: ['a', { address: { address: 'a' } }],
    ansible_port: [2, { address: { port: 2 } }],
    ansible_ssh_port: ['2', { address: { port: 2 } }],
    ansible_user: ['u', { address: { user: 'u' } }],
    ansible_ssh_user: ['u', { address: { user: 'u' } }],
    ansible_password: ['pass', { passwords: { login: 'pass' } }],
    ansible_ssh_pass: ['pass', { passwords: { login: 'pass' } }],
    ansible_ssh_password: ['pass', { passwords: { login: 'pass' } }],
    ansible_private_key_file: ['k', { address: { keyPath: '/inv/k' } }],
    ansible_ssh_private_key_file: ['/k', { address: { keyPath: '/k' } }],
    ansible_ssh_args: ['-C -o User=u', { address: { sshArgs: ['-o', 'User=u'] } }],
    ansible_ssh_common_args: ['-J a,b', { address: { sshArgs: ['-J', 'a,b'], transport: 'ssh' } }],
    ansible_ssh_extra_args: ['-4', { address: { sshArgs: ['-4'], transport: 'openssh' } }],
    ansible_ssh_pkcs11_provider: ['/lib/p.so', { address: { sshArgs: ['-I', '/lib/p.so'] } }],
    ansible_timeout: [5, { address: { sshArgs: ['-o', 'ConnectTimeout=5'] } }],
    ansible_ssh_timeout: [5, { address: { sshArgs: ['-o', 'ConnectTimeout=5'] } }],
    ansible_host_key_checking: [
      false,
      { remarks: [{ message: '"ansible_host_key_checking" has no effect.' }] },
    ],
    ansible_ssh_host_key_checking: [
      'no',
      { remarks: [{ message: '"ansible_ssh_host_key_checking" has no effect.' }] },
    ],
    ansible_become: ['yes', { address: { become: { enabled: true } } }],
    ansible_become_user: ['app', { address: { become: { user: 'app' } } }],
    ansible_become_method: ['community.general.doas', { address: { become: { method: 'doas' } } }],
    ansible_become_password: ['pass', { passwords: { become: 'pass' } }],
    ansible_become_pass: ['pass', { passwords: { become: 'pass' } }],
    ansible_sudo_user: ['app', { address: { become: { user: 'app' } } }],
    ansible_su_user: ['app', { address: { become: { user: 'app', method: 'su' } } }],
    ansible_doas_user: ['app', { address: { become: { user: 'app', method: 'doas' } } }],
    ansible_sudo_pass: ['pass', { passwords: { become: 'pass' } }],
    ansible_su_pass: ['pass', { passwords: { become: 'pass' } }],
    ansible_doas_pass: ['pass', { passwords: { become: 'pass' } }],
  };
  const rows = Object.entries(connectionVariables);
  const names = (kind: string) => rows.filter(([, row]) => row.is === kind).map(([name]) => name);

  it.each(names('supported'))('honour %s', (name) => {
    const [value, effect] = samples[name] ?? ['', {}];
    const method = /^ansible_(su|doas)_/.exec(name)?.[1];
    const vars = { [name]: value, ...(method ? { ansible_become_method: method } : {}) };
    expect(samples[name]).toBeDefined();
    expect(read(vars)).toMatchObject(effect);
  });

  it.each(names('named'))('report %s with a hint', (name) => {
    const { remarks } = read({ [name]: '/opt/other' });
    expect(remarks).toMatchObject([{ variable: name, message: `"${name}" is not supported.` }]);
    expect(remarks[0]?.hint).toMatch(/^[A-Z].*\.$/);
  });

  it.each(names('unneeded'))('list %s as a variable without effect', (name) => {
    expect(read({ [name]: 'x' })).toMatchObject({ remarks: [], unneeded: [name] });
  });

  it('add no note for an interpreter or a value that is the default', () => {
    const vars = {
      ansible_python_interpreter: '/usr/bin/python3',
      ansible_shell_executable: '/bin/sh',
      ansible_shell_type: 'sh',
      ansible_become_exe: 'sudo',
      ansible_become_flags: '-H -S -n',
      ansible_host_key_checking: true,
      ansible_ssh_extra_args: '',
    };
    expect(read(vars)).toMatchObject({ remarks: [], unneeded: [] });
  });

  it.each([
    [{ ansible_connection: 'winrm' }, /reached by "winrm"/],
    [{ ansible_connection: 'community.docker.docker' }, /reached by "community\.docker\.docker"/],
    [{ ansible_become_method: 'pbrun' }, /"ansible_become_method" is "pbrun"/],
    [{ ansible_shell_type: 'powershell' }, /shell is powershell/],
  ])('make the host unmanageable: %j', (vars, why) => {
    expect(read(vars).address.unmanageable).toMatch(why);
    expect(read({ ...vars, ansible_ssh_executable: 'x' }).remarks).toEqual([]);
  });

  it.each([
    [{ ansible_become: 'perhaps' }, 'neither true nor false'],
    [{ ansible_port: 'ssh' }, '"ansible_port" is "ssh", which is not a valid port.'],
    [{ ansible_ssh_args: "-o 'a" }, 'has a quote that is not closed'],
    [{ ansible_ssh_args: 'other-host' }, '"other-host" is not an option of ssh'],
    [{ ansible_ssh_args: '-W a:1' }, 'is not supported for connections'],
  ])('refuse %j', (vars, message) => {
    const [remark] = read(vars).remarks;
    expect([remark?.isProblem, remark?.message]).toEqual([true, expect.stringContaining(message)]);
  });

  it('take precedence in their specific form, as in Ansible 2.19', () => {
    const { address, passwords } = read({
      ...{ ansible_host: 'a', ansible_ssh_host: 'b', ansible_port: 1, ansible_ssh_port: 2 },
      ...{ ansible_user: 'a', ansible_ssh_user: 'b', ansible_timeout: 3, ansible_ssh_timeout: 4 },
      ...{ ansible_private_key_file: '/a', ansible_ssh_private_key_file: '/b' },
      ...{ ansible_become_user: 'a', ansible_sudo_user: 'b' },
      ...{ ansible_password: 'one', ansible_ssh_pass: 'two', ansible_ssh_password: 'three' },
      ...{ ansible_become_password: 'four', ansible_become_pass: 'five' },
    });
    expect(address).toMatchObject({ address: 'b', port: 2, user: 'b', keyPath: '/b' });
    expect(address).toMatchObject({ sshArgs: ['-o', 'ConnectTimeout=4'], become: { user: 'b' } });
    expect(passwords).toEqual({ login: 'three', become: 'five' });
  });

  it('do not include the plain names, which are variables of the playbook', () => {
    const plain = { address: '192.0.2.1', port: 8443, user: 'svc', connection: 'local' };
    expect(read(plain)).toEqual({
      address: { name: 'h', address: 'h', transport: 'ssh' },
      ...{ passwords: {}, remarks: [], unneeded: [] },
    });
    expect(read({ ...plain, keyPath: 'id' }).remarks).toMatchObject([{ variable: 'keyPath' }]);
  });

  it('have no effect if they are empty', () => {
    const empty = { ansible_port: '', ansible_user: '', ansible_password: '', ansible_host: '' };
    expect(read({ ...empty, ansible_become_user: '' })).toMatchObject({
      address: { address: 'h', user: undefined, port: undefined },
      ...{ passwords: {}, remarks: [] },
    });
  });

  it('are reported if they belong to another become method', () => {
    expect(read({ ansible_su_pass: 'pass' }).remarks).toMatchObject([
      { message: '"ansible_su_pass" is not used with sudo.' },
    ]);
  });

  it('become ssh options in the order of Ansible, so that ssh uses the first of two', () => {
    const { address } = read({
      ansible_ssh_extra_args: '-o User=c',
      ansible_ssh_args: '-oUser=a -qF ssh.cfg',
      ansible_ssh_common_args: `-o ProxyCommand="ssh -W %h:%p 'a b'"`,
    });
    expect(address.sshArgs).toEqual([
      ...['-o', 'User=a', '-F', '/inv/ssh.cfg'],
      ...['-o', "ProxyCommand=ssh -W %h:%p 'a b'", '-o', 'User=c'],
    ]);
  });

  it('never become ssh options when a step adds the host', () => {
    const vars = { ansible_ssh_common_args: '-o ProxyCommand=evil', ansible_host: 'a' };
    const address = addedAddress('h', vars, '/inv/hosts.yaml');
    expect(address.sshArgs).toBeUndefined();
    expect(address.unmanageable).toMatch(/come from a step/);
  });
});
