import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Cli } from '../helpers/cli.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { transports } from '../helpers/openssh/sessions.ts';

const password = 'Tr0ub4dor & 3';

describeBox('A connection that a hosts file describes', () => {
  let box: Box;
  let bastion: Box;
  let cli: Cli;
  let known = '';
  beforeAll(async () => {
    // Each host has its own key, and the bastion its own user.
    box = await Box.start({
      users: [{ name: 'deploy' }, { name: 'asked', password }],
      sshd: ['LogLevel VERBOSE'],
      sudoers: [
        'deploy ALL=(ALL) NOPASSWD: ALL',
        'asked ALL=(ALL) ALL',
        'Defaults:asked timestamp_timeout=0',
      ],
    });
    bastion = await Box.start({ users: [{ name: 'jump' }], sshd: ['LogLevel VERBOSE'] });
  });
  beforeEach(() => {
    cli = new Cli();
    known = cli.file(
      'known_hosts',
      [box, bastion].map((one) => readFileSync(one.knownHosts, 'utf8')).join(''),
    );
  });
  afterEach(() => {
    cli.dispose();
  });
  afterAll(async () => {
    await box.stop();
    await bastion.stop();
  });

  const call = (inventory: string, ...args: string[]) =>
    cli.run([...args, '-i', inventory, '--known-hosts', known, '--ssh-config', 'none']);
  const whoami = (inventory: string, ...flags: string[]) =>
    cli.run([
      ...['exec', 'all', '-i', inventory, '--known-hosts', known, '--ssh-config', 'none'],
      ...flags,
      ...['--one-line', '--', 'id', '-un'],
    ]);
  /** Number of logins on the bastion so far. */
  const logins = () => bastion.log().split('Accepted publickey for jump').length - 1;

  const k0sctl = (more = '') =>
    cli.file(
      'k0sctl.yaml',
      `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
spec:
  hosts:
  - role: worker
    ssh:
      address: ${box.address}
      port: 2222
      user: deploy
      keyPath: ${box.key}
      bastion: { address: ${bastion.address}, port: 2222, user: jump, keyPath: ${bastion.key} }
${more}`,
    );

  it.each(transports)(
    'with transport %s uses the bastion of a k0sctl.yaml, with the keys of both hosts',
    async (transport) => {
      const before = logins();
      const { code, stdout, stderr } = await whoami(k0sctl(), '--transport', transport);
      expect([stdout, stderr, code]).toEqual([`${box.address}: deploy\n`, '', 0]);
      expect(logins()).toBeGreaterThan(before);
    },
  );

  it.each(transports)(
    'with transport %s trusts only the "hostKey" of the file',
    async (transport) => {
      const keyed = (key: string) => k0sctl(`      hostKey: ${key}\n`);
      known = bastion.knownHosts;
      const right = await whoami(keyed(box.hostKey()), '--transport', transport);
      expect([right.stdout, right.code]).toEqual([`${box.address}: deploy\n`, 0]);
      const wrong = await whoami(keyed(box.hostKey('other_host_key')), '--transport', transport);
      expect(wrong.code).not.toBe(0);
      expect(wrong.stdout).toMatch(/host key/i);
    },
  );

  const proxy = () =>
    `ssh -i ${bastion.key} -p 2222 -o BatchMode=yes -o UserKnownHostsFile=${bastion.knownHosts} -W %h:%p jump@${bastion.address}`;
  const ini = (words: string) =>
    cli.file(
      'hosts.ini',
      `[nodes]
node1 ansible_host=${box.address}
[nodes:vars]
ansible_port=2222
ansible_user=deploy
ansible_ssh_private_key_file=${box.key}
${words}
`,
    );

  it.each(transports)(
    'with transport %s uses the ProxyCommand of ansible_ssh_common_args',
    async (transport) => {
      const before = logins();
      const words = `ansible_ssh_common_args='-o ProxyCommand="${proxy()}" -o StrictHostKeyChecking=no'`;
      const { code, stdout, stderr } = await whoami(ini(words), '--transport', transport);
      expect([stdout, code]).toEqual(['node1: deploy\n', 0]);
      expect(logins()).toBeGreaterThan(before);
      expect(stderr).toBe(
        `note: ${join(cli.dir, 'hosts.ini')}:7:1: "ansible_ssh_common_args": "StrictHostKeyChecking" has no effect. Host keys are always checked. Store the keys of new hosts with: runner trust.\n`,
      );
    },
  );

  it('uses ProxyJump with another configuration file', async () => {
    const before = logins();
    cli.file(
      'config',
      `Host bastion\n  HostName ${bastion.address}\n  Port 2222\n  User jump\n  IdentityFile ${bastion.key}\n`,
    );
    const { code, stdout } = await whoami(ini('ansible_ssh_common_args=-F config -J bastion'));
    expect([stdout, code]).toEqual(['node1: deploy\n', 0]);
    expect(logins()).toBeGreaterThan(before);
  });

  it("uses the system's ssh for an option that the built-in client does not support", async () => {
    const { code, stdout } = await whoami(ini('ansible_ssh_extra_args=-o Ciphers=aes256-ctr'));
    expect([stdout, code]).toEqual(['node1: deploy\n', 0]);
  });

  const playbook = () =>
    cli.file(
      'site.yml',
      `- name: Site
  hosts: all
  tasks:
    - name: Write a file
      copy: { content: new, dest: /var/tmp/made }
    - name: Ask who I am
      command: { argv: [stat, -c, '%U', /var/tmp/made], read_only: true }
      register: who
    - name: Tell
      debug: { msg: 'owner: {{who.stdout}}' }
`,
    );

  it('becomes another user with ansible_become, which overrides the playbook', async () => {
    const inventory = ini('ansible_become=true\nansible_become_method=sudo');
    const { code, stdout, stderr } = await call(inventory, 'play', playbook());
    expect([stderr, code, /owner: \w+/.exec(stdout)?.[0]]).toEqual(['', 0, 'owner: root']);
    const back = await cli.run(['rollback']);
    expect([back.stderr, back.code]).toEqual(['', 3]);
  });

  it('reads the password from the hosts file, does not write it to the journal, and reads it again for a rollback', async () => {
    const inventory = cli.file(
      'asked.yaml',
      `all:
  vars: { ansible_port: 2222, ansible_user: asked, ansible_become: true }
  hosts:
    node1:
      ansible_host: ${box.address}
      ansible_ssh_private_key_file: ${box.key}
      ansible_become_password: '{{sudo_password}}'
      sudo_password: '${password}'
`,
    );
    const { code, stdout, stderr } = await call(inventory, 'play', playbook());
    expect([stderr, code, /owner: \w+/.exec(stdout)?.[0]]).toEqual(['', 0, 'owner: root']);
    const runs = join(cli.stateDir, 'runs');
    const [run = ''] = readdirSync(runs);
    expect(readFileSync(join(runs, run, 'journal'), 'utf8')).not.toContain(password);
    const hosts = await call(inventory, 'hosts', '--vars');
    expect(hosts.stdout).not.toContain(password);
    const back = await cli.run(['rollback', run]);
    expect([back.stderr, back.code]).toEqual(['', 3]);
    await expect(box.shell('test -e /var/tmp/made')).rejects.toThrow();
  });

  /** Login and sudo each require a password. The file has that of sudo directly, or as an input of the playbook. */
  const withPasswords = (sudo: string) =>
    cli.file(
      'passwords.yaml',
      `all:
  vars: { ansible_port: 2222, ansible_user: asked, ansible_become: true }
  hosts:
    node1:
      ansible_host: ${box.address}
      ansible_password: '${password}'
      ansible_become_password: '${sudo}'
`,
    );
  const twoSteps = () =>
    cli.file(
      'two.yml',
      `name: Two
inputs:
  sudo_word: { description: x, secret: true, required: false, env: RUNNER_SUDO_WORD }
plays:
  - name: Two
    hosts: all
    tasks:
      - name: One
        copy: { content: new, dest: /var/tmp/one }
      - name: Other
        copy: { content: new, dest: /var/tmp/other }
`,
    );
  /** Starts a run and kills its process after the first step. */
  const killed = async (inventory: string, env: Record<string, string> = {}) => {
    const flags = ['--known-hosts', known, '--ssh-config', 'none', '--output', 'json'];
    let run = '';
    await cli.spawn(['play', twoSteps(), '-i', inventory, ...flags], {
      env,
      onEvent: (event, child) => {
        if (event.type === 'run-start') run = event.run;
        if (event.type === 'unit-end' && event.step.name === 'One') child.kill('SIGKILL');
      },
    });
    return run;
  };
  const owners = () => box.shell('cd /var/tmp && ls -l one other 2>/dev/null | cut -d" " -f3 || :');

  it.each(['directly', 'as an input'])(
    'reads both passwords from the file again to resume and roll back a killed run: %s',
    async (how) => {
      const isInput = how === 'as an input';
      const env = isInput ? { RUNNER_SUDO_WORD: password } : {};
      const run = await killed(withPasswords(isInput ? '{{sudo_word}}' : password), env);
      const resumed = await cli.run(['resume', run], { env });
      expect([resumed.stderr, resumed.code]).toEqual(['', 0]);
      expect(await owners()).toBe('root\nroot\n');
      const back = await cli.run(['rollback', run], { env });
      expect([back.stderr, back.code]).toEqual(['', 3]);
      expect(await owners()).toBe('');
    },
  );

  it('reports missing passwords if the file was removed, and rolls back after it is restored', async () => {
    const inventory = withPasswords(password);
    const run = await killed(inventory);
    rmSync(inventory);
    const without = await cli.run(['rollback', run, '--rollback-budget', '0']);
    expect(without.code).toBe(4);
    expect(without.stderr).toContain('Cannot read the passwords of hosts again. There is no');
    withPasswords(password);
    const back = await cli.run(['rollback', run]);
    expect([back.stderr, back.code]).toEqual(['', 3]);
    expect(await owners()).toBe('');
  });

  it('is overridden by connection variables from the command line, which a rollback reuses', async () => {
    const inventory = ini('ansible_become=true');
    const words = ['-e', 'ansible_user=asked', '-e', 'ansible_become:=false'];
    const { code, stdout } = await call(
      inventory,
      ...['play', playbook(), ...words, '-e', `ansible_ssh_private_key_file=${box.key}`],
    );
    expect([code, /owner: \w+/.exec(stdout)?.[0]]).toEqual([0, 'owner: asked']);
    expect((await cli.run(['rollback'])).code).toBe(3);
  });

  it('logs in with ansible_password', async () => {
    const inventory = cli.file(
      'login.yaml',
      `all: { hosts: { node1: { ansible_host: ${box.address}, ansible_port: 2222, ansible_user: asked, ansible_password: '${password}' } } }`,
    );
    expect((await whoami(inventory)).stdout).toBe('node1: asked\n');
  });

  it.each(['the command line', 'a play'])(
    'reports that the password is not used if %s selects the system ssh',
    async (who) => {
      const inventory = cli.file(
        'login.yaml',
        `all: { hosts: { node1: { ansible_host: ${box.address}, ansible_port: 2222, ansible_user: asked, ansible_password: '${password}' } } }`,
      );
      const byFlag = who === 'the command line';
      const site = cli.file(
        'who.yml',
        `- name: Who\n  hosts: all\n${byFlag ? '' : '  connection: openssh\n'}  tasks:\n    - name: Ask\n      command: { argv: [id], read_only: true }\n`,
      );
      const flags = byFlag ? ['--transport', 'openssh'] : [];
      const { code, stdout, stderr } = await call(inventory, 'play', site, ...flags);
      expect(code).not.toBe(0);
      expect(stdout).toContain('login passwords are not used');
      const note = 'note: The login password is not used';
      expect(stderr.includes(note)).toBe(byFlag);
    },
  );

  it('is refused for a WinRM host only by a play that selects the host', async () => {
    const inventory = cli.file(
      'launchpad.yaml',
      `apiVersion: launchpad.mirantis.com/mke/v1.4
kind: mke
spec:
  hosts:
  - { role: manager, ssh: { address: ${box.address}, port: 2222, user: root, keyPath: ${box.key} } }
  - { role: worker, winRM: { address: 192.0.2.9, user: Administrator, password: secret } }
`,
    );
    const all = await call(inventory, 'play', playbook());
    expect(all.code).not.toBe(0);
    expect(all.stderr).toContain('"192.0.2.9" cannot be managed: it uses WinRM');
    const one = await call(inventory, 'play', playbook(), '--limit', 'managers');
    expect([one.stderr, one.code]).toEqual(['', 0]);
  });
});
