import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cli } from '../helpers/cli.ts';

describe('an inventory file of another tool', () => {
  let cli: Cli;
  beforeEach(() => {
    cli = new Cli();
  });
  afterEach(() => {
    cli.dispose();
  });
  const k0sctl = () =>
    cli.file(
      'k0sctl.yaml',
      `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
spec:
  hosts:
  - { role: worker, reset: true, ssh: { address: a, bastion: { address: b, port: 2200 } } }
  - { role: worker, winRM: { address: w, user: Administrator, password: "not shown" } }
`,
    );

  it('is listed with jump hosts, unmanageable hosts and notes about ignored settings', async () => {
    const { code, stdout, stderr } = await cli.run(['hosts', '-i', k0sctl(), '--vars']);
    expect([code, stdout.split('\n').filter((line) => !line.startsWith(' '))]).toEqual([
      0,
      [
        'a  root@a  through b  [workers]',
        'w  Administrator@w  cannot be managed: it uses WinRM, which runner does not support  [workers]',
        '',
      ],
    ]);
    expect(stdout).not.toContain('not shown');
    expect(stderr).toMatch(
      /^note: \S+k0sctl\.yaml:5:21: "reset" is only for k0sctl and ignored\.\n$/,
    );
  });

  it('is converted to Ansible variables with --json', async () => {
    const { stdout } = await cli.run(['hosts', '-i', k0sctl(), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      _meta: {
        hostvars: {
          a: {
            ansible_ssh_common_args: "-o 'ProxyCommand=ssh -p 2200 -W %h:%p root@b'",
          },
          w: { ansible_connection: 'winrm' },
        },
      },
    });
  });

  it('cannot be combined with a second inventory', async () => {
    const { code, stderr } = await cli.run(['hosts', '-i', k0sctl(), '-i', 'b,']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/--inventory was given twice.*directory/s),
    ]);
  });

  const site = () =>
    cli.file(
      'site.yml',
      '- name: Site\n  hosts: all\n  tasks:\n    - name: Say it\n      debug: { msg: x }\n',
    );

  it('refuses passwords in --extra-vars, and prints a note about ignored variables', async () => {
    const play = (extra: string) =>
      cli.run(['play', site(), '-i', 'a,', '--list-hosts', '-e', extra]);
    const password = await play('ansible_become_password=secret');
    expect([password.code, password.stderr]).toEqual([
      1,
      expect.stringMatching(/does not accept the password "ansible_become_password".*ask-become/),
    ]);
    const named = await play('ansible_ssh_executable=/x');
    expect([named.code, named.stderr]).toEqual([
      0,
      'note: --extra-vars: "ansible_ssh_executable" is ignored. Put the one you want first in PATH.\n',
    ]);
  });

  it('prints each note once, even if the file is read several times', async () => {
    const { stderr } = await cli.run(['validate', site(), site(), '-i', k0sctl()]);
    expect(stderr.split('note: ')).toHaveLength(2);
  });

  it('decrypts variables for trust, exec and doctor, and reports them without a password', async () => {
    const key = cli.file('key', 'word of the vault\n');
    const vars = cli.file('group_vars/all/vault.yml', 'ansible_connection: winrm\n');
    const encrypted = await cli.run(['vault', 'encrypt', vars, '--vault-password-file', key]);
    expect([encrypted.code, encrypted.stderr]).toEqual([0, '']);
    const inventory = cli.file('hosts.ini', '[a]\nh\n');
    const flag = ['-i', inventory, '--vault-password-file', key];
    const exec = await cli.run(['exec', 'h', ...flag, '--', 'true']);
    expect(exec.stderr).toContain('"h" cannot be managed: it is reached by');
    expect((await cli.run(['trust', 'h', ...flag])).stdout).toContain('it is reached by');
    expect((await cli.run(['doctor', 'h', ...flag])).stdout).toContain('it is reached by');
    const closed = await cli.run(['trust', 'h', '-i', inventory]);
    expect([closed.code, closed.stderr]).toEqual([1, expect.stringMatching(/is encrypted, and/)]);
    const { code, stderr } = await cli.run(['hosts', '-i', inventory]);
    expect([code, stderr]).toEqual([
      0,
      `note: ${vars}:1:1: The file is encrypted, so its variables are unknown. Use --vault-password-file.\n`,
    ]);
  });

  it('lists the hosts that "runner trust" skips', async () => {
    const { code, stdout, stderr } = await cli.run(['trust', 'w', '-i', k0sctl()]);
    expect([code, stdout, stderr]).toEqual([
      0,
      'w  skipped: it uses WinRM, which runner does not support.\n0 added, 0 already known, 0 new but not added, 0 refused, 0 unreachable.\n',
      expect.stringContaining('"reset"'),
    ]);
  });

  it('refuses "runner exec" and "runner doctor" on a host that cannot be managed', async () => {
    const exec = await cli.run(['exec', 'w', '-i', k0sctl(), '--', 'true']);
    expect(exec.stderr).toContain(
      '"w" cannot be managed: it uses WinRM, which runner does not support.',
    );
    const doctor = await cli.run(['doctor', 'w', '-i', k0sctl()]);
    expect([doctor.code === 0, doctor.stdout]).toEqual([
      false,
      expect.stringContaining('"w" cannot be managed'),
    ]);
  });
});
