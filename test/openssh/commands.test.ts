import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exitCodes } from '../../src/core/events.ts';
import { Cli } from '../helpers/cli.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { FaultProxy } from '../helpers/openssh/proxy.ts';

describeBox('commands against real sshd', () => {
  let box: Box;
  let inner: Box;
  let cli: Cli;
  let inventory = '';
  const print = (one: Box, name = 'host_key') =>
    execFileSync('ssh-keygen', ['-lf', join(one.dir, `${name}.pub`)])
      .toString()
      .split(' ')[1] ?? '';
  beforeAll(async () => {
    box = await Box.start({
      users: [{ name: 'deploy', password: 'deploy password' }],
      sudoers: ['deploy ALL=(ALL) ALL'],
    });
    inner = await Box.start({});
    cli = new Cli();
    cli.file('become', 'deploy password\n');
    inner.authorize(readFileSync(`${box.key}.pub`, 'utf8'));
    inventory = cli.file(
      'hosts.yml',
      `all:
  hosts:
    one: { ansible_host: ${box.address}, ansible_port: 2222, ansible_user: deploy, ansible_ssh_private_key_file: ${box.key} }
    inner: { ansible_host: inner.example, ansible_user: root, ansible_ssh_private_key_file: ${box.key} }
`,
    );
    cli.file(
      'ssh_config',
      `Host inner.example
  HostName ${inner.address}
  Port 2222
  ProxyJump deploy@${box.address}:2222
Host *
  IdentityFile ${box.key}
  HashKnownHosts yes
`,
    );
  });
  afterAll(async () => {
    cli.dispose();
    await box.stop();
    await inner.stop();
  });
  const known = () => join(cli.dir, 'known', 'known_hosts');
  const call = (...args: string[]) =>
    cli.run([
      ...args,
      '-i',
      inventory,
      '--known-hosts',
      known(),
      '--ssh-config',
      join(cli.dir, 'ssh_config'),
    ]);

  it('trust shows fingerprints and stores nothing unasked', async () => {
    const { code, stdout } = await call('trust', 'one');
    expect(stdout).toContain(print(box));
    expect(stdout).toContain('1 new and not stored');
    expect(code).toBe(exitCodes.preflight_failed);
    expect(existsSync(known())).toBe(false);
  });

  it('trust stores only the fingerprints that were given', async () => {
    const wrong = await call('trust', 'one', '--fingerprint', 'SHA256:nonsense');
    expect(wrong.code).toBe(exitCodes.preflight_failed);
    expect(existsSync(known())).toBe(false);
    const { code } = await call('trust', 'one', '--fingerprint', print(box));
    expect(code).toBe(exitCodes.done);
    expect(statSync(known()).mode & 0o777).toBe(0o600);
    expect(readFileSync(known(), 'utf8')).toMatch(/^\|1\|/);
    const found = execFileSync('ssh-keygen', ['-F', `[${box.address}]:2222`, '-f', known()]);
    expect(found.toString()).toContain(box.hostKey().split(' ')[1]);
  });

  it('trust goes through jump hosts, and is done when all is known', async () => {
    const { code, stdout } = await call('trust', '--yes');
    expect(stdout).toContain(print(inner));
    expect(code).toBe(exitCodes.done);
    const again = await call('trust');
    expect(again.stdout).toContain('0 stored, 2 known already, 0 new');
    expect(again.code).toBe(exitCodes.done);
  });

  it('trust never replaces a key', async () => {
    const changed = cli.file('changed', `[${box.address}]:2222 ${box.hostKey('other_host_key')}\n`);
    const before = readFileSync(changed, 'utf8');
    const { code, stdout } = await cli.run([
      'trust',
      `${box.address}:2222`,
      '--yes',
      '--known-hosts',
      changed,
    ]);
    expect(code).toBe(exitCodes.preflight_failed);
    expect(stdout).toContain(print(box, 'other_host_key'));
    expect(stdout).toContain(`${changed}:1`);
    expect(readFileSync(changed, 'utf8')).toBe(before);
  });

  it('doctor walks to the end and names what decided', async () => {
    const { code, stdout } = await call(
      'doctor',
      'one',
      '--become-password-file',
      join(cli.dir, 'become'),
    );
    expect(stdout).toMatch(/user "deploy" \(inventory\)/);
    expect(stdout).toMatch(/key exchange +curve25519/);
    expect(stdout).toContain(`by ${known()}:1`);
    expect(stdout).toContain(`"deploy" is let in by ${box.key}`);
    expect(stdout).toMatch(/become +"root" by sudo/);
    expect(stdout).toContain('its clock agrees');
    expect(stdout).not.toContain('deploy password');
    expect(code).toBe(exitCodes.done);
    const through = await call('doctor', 'inner', '--no-become');
    expect(through.stdout).toMatch(/ssh config +\S+ssh_config line 1: Applying options for/);
    expect(through.stdout).toContain('connect       through');
    expect(through.code).toBe(exitCodes.done);
  });

  it.each<[string, string[], RegExp]>([
    [
      'a name that does not resolve',
      ['doctor', 'nowhere.invalid'],
      /resolve +FAILED.*does not resolve/,
    ],
    ['a closed port', ['doctor', '127.0.0.1:1'], /connect +FAILED.*ECONNREFUSED[^]*check the port/],
    [
      'a key that is not known',
      ['doctor', 'BOX', '--known-hosts', '/dev/null'],
      /host key +FAILED.*runner trust|host key +FAILED[^]*runner trust/,
    ],
    [
      'a login that is refused',
      ['doctor', 'nobody-such@BOX'],
      /auth +FAILED.*does not let user "nobody-such" in/,
    ],
    ['sudo without its password', ['doctor', 'deploy@BOX'], /become +FAILED.*asks for a password/],
  ])('doctor stops at %s', async (_title, args, wanted) => {
    const { code, stdout } = await cli.run([
      ...args.map((word) => word.replace('BOX', `${box.address}:2222`)),
      ...(args.includes('--known-hosts') ? [] : ['--known-hosts', box.knownHosts]),
      '--ssh-config',
      join(cli.dir, 'ssh_config'),
      '--connect-timeout',
      '2',
    ]);
    expect(stdout).toMatch(wanted);
    expect(code).toBe(exitCodes.preflight_failed);
  });

  it('a wrong clock is named by doctor and stops nothing', async () => {
    const late = await Box.start({
      setup:
        'printf "#!/bin/sh\\necho 1000000000\\n" >/run/date; chmod +x /run/date; mount --bind /run/date "$(readlink -f /bin/date)"\n',
    });
    try {
      const flags = ['--known-hosts', late.knownHosts, '--ssh-config', join(cli.dir, 'ssh_config')];
      const target = `root@${late.address}:2222`;
      const keyed = cli.file('late_config', `Host *\n  IdentityFile ${late.key}\n`);
      const { code, stdout } = await cli.run([
        ...['doctor', target, '--known-hosts', late.knownHosts, '--ssh-config', keyed],
      ]);
      expect(stdout).toMatch(/WARNING: its clock is \d+ s behind/);
      expect(code, stdout).toBe(exitCodes.done);
      const hosts = cli.file(
        'late.yml',
        `all: { hosts: { late: { ansible_host: ${late.address}, ansible_port: 2222, ansible_user: root, ansible_ssh_private_key_file: ${late.key} } } }\n`,
      );
      const playbook = cli.file(
        'late-playbook.yml',
        '- { name: P, hosts: all, tasks: [{ name: T, copy: { content: x, dest: /run/x } }] }\n',
      );
      const run = await cli.run(['play', playbook, '-i', hosts, ...flags]);
      expect(run.code, run.stdout + run.stderr).toBe(exitCodes.done);
    } finally {
      await late.stop();
    }
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'openssh: %s to the whole group does not spoil a running step, and no ssh is left',
    async (signal) => {
      const hosts = cli.file(
        'one.yml',
        `all: { hosts: { one: { ansible_host: ${box.address}, ansible_port: 2222, ansible_user: root, ansible_ssh_private_key_file: ${box.key} } } }\n`,
      );
      const playbook = cli.file(
        'slow.yml',
        `- name: Slow
  hosts: all
  tasks:
    - { name: A, shell: sleep 1 && touch /run/slow-${signal}, undo: none }
    - { name: B, shell: touch /run/never-${signal}, undo: none }
`,
      );
      const flags = ['--known-hosts', box.knownHosts, '--ssh-config', join(cli.dir, 'ssh_config')];
      const { code, events } = await cli.spawn(
        ['play', playbook, '-i', hosts, ...flags, '--transport', 'openssh', '--output', 'json'],
        {
          detached: true,
          onEvent: (event, child) => {
            if (event.type === 'step-start' && event.step.name === 'A')
              setTimeout(() => process.kill(-(child.pid ?? 0), signal), 500);
          },
        },
      );
      if (signal === 'SIGINT') {
        expect(code).toBe(exitCodes.interrupted);
        const ended = events.filter((event) => event.type === 'unit-end');
        expect(ended.map(({ state }) => state)).toEqual(['changed']);
      }
      const masters = () =>
        execFileSync('sh', ['-c', `ps ax -o args | grep "[s]sh -M.*${box.address}"; :`]).toString();
      for (let attempt = 0; attempt < 50 && masters() !== ''; attempt++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(masters()).toBe('');
      const run = events.find((event) => event.type === 'run-start')?.run ?? '';
      const resolved = await cli.run(['rollback', run, ...flags]);
      expect(resolved.stdout + resolved.stderr).toMatch(/rolled back/i);
    },
  );

  it('play goes through sudo and a jump host, and detached steps outlive a cut line', async () => {
    const proxy = await FaultProxy.start(box);
    try {
      const hosts = cli.file(
        'cut.yml',
        `all:
  hosts:
    cut: { ansible_host: 127.0.0.1, ansible_port: ${String(proxy.port)}, ansible_user: deploy, ansible_ssh_private_key_file: ${box.key} }
    inner: { ansible_host: inner.example, ansible_user: root, ansible_ssh_private_key_file: ${box.key} }
`,
      );
      const keys = `${readFileSync(box.knownHosts, 'utf8')}${readFileSync(inner.knownHosts, 'utf8')}[127.0.0.1]:${String(proxy.port)} ${box.hostKey()}\n`;
      writeFileSync(join(cli.dir, 'keys'), keys);
      const playbook = cli.file(
        'detach.yml',
        `- name: Detach
  hosts: all
  become: true
  tasks:
    - name: Take a while
      shell: echo ran >>/run/ran; sleep 2; wc -l </run/ran
      detach: true
      register: took
      undo:
        - name: Forget it
          file: { path: /run/ran, state: absent }
    - name: It ran once and everywhere
      assert:
        that: [took.stdout == "1"]
    - name: Say much
      shell: { cmd: "head -c 3000000 /dev/zero | tr '\\\\0' x", read_only: true }
      register: much
    - name: What is kept is bounded
      assert:
        that:
          - size(much.stdout) == 1048576
          - much.stdout_bytes == 3000000
    - name: A file of some size
      copy: { src: big.bin, dest: /run/big.bin, mode: '0600' }
`,
      );
      cli.file('big.bin', 'x'.repeat(2_000_000));
      let cuts = 0;
      const { code, stdout, stderr } = await cli.run(
        [
          ...['play', playbook, '-i', hosts, '--known-hosts', join(cli.dir, 'keys')],
          ...['--ssh-config', join(cli.dir, 'ssh_config'), '--output', 'json'],
          ...['--become-password-file', join(cli.dir, 'become')],
        ],
        {
          onEvent: (event) => {
            if (event.type !== 'step-start' || event.step.name !== 'Take a while') return;
            const cut = setInterval(() => {
              if (proxy.accepted === 0) return;
              try {
                execFileSync('nsenter', ['-t', String(box.pid), '-m', 'test', '-e', '/run/ran'], {
                  stdio: 'ignore',
                });
              } catch {
                return;
              }
              clearInterval(cut);
              cuts++;
              proxy.cut();
            }, 50);
          },
        },
      );
      expect(stdout + stderr).not.toContain('deploy password');
      expect(cuts, stdout.slice(-2000) + stderr).toBe(1);
      expect(code, stdout.slice(-2000) + stderr).toBe(exitCodes.done);
    } finally {
      await proxy.stop();
    }
  });
});
