import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { exitCodes } from '../../src/core/states.ts';
import { Cli } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { commandLines } from '../helpers/openssh/processes.ts';
import { FaultProxy } from '../helpers/openssh/proxy.ts';
import { itWith } from '../helpers/programs.ts';

const fingerprint = (one: Box, name = 'host_key') =>
  execFileSync('ssh-keygen', ['-lf', join(one.dir, `${name}.pub`)])
    .toString()
    .split(' ')[1] ?? '';
/** Hosts of an inventory, reached as root unless said otherwise. */
const inventoryOf = (
  hosts: Record<string, { address: string; port?: number; user?: string; key: string }>,
) => {
  const lines = Object.entries(hosts).map(
    ([name, { address, port = 2222, user = 'root', key }]) =>
      `    ${name}: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: ${user}, ansible_ssh_private_key_file: ${key} }\n`,
  );
  return `all:\n  hosts:\n${lines.join('')}`;
};

describeBox('The command line with a real sshd', () => {
  let box: Box;
  let inner: Box;
  let cli: Cli;
  let inventory = '';
  let sshConfig = '';
  let becomePassword = '';
  beforeAll(async () => {
    box = await Box.start({
      users: [{ name: 'deploy', password: 'deploy password' }],
      sudoers: ['deploy ALL=(ALL) ALL'],
    });
    inner = await Box.start();
    inner.authorize(readFileSync(`${box.key}.pub`, 'utf8'));
  });
  beforeEach(async () => {
    await box.reset();
    await inner.reset();
    cli = new Cli();
    becomePassword = cli.file('become', 'deploy password\n');
    inventory = cli.file(
      'hosts.yml',
      `all:
  hosts:
    one: { ansible_host: ${box.address}, ansible_port: 2222, ansible_user: deploy, ansible_ssh_private_key_file: ${box.key} }
    inner: { ansible_host: inner.example, ansible_user: root, ansible_ssh_private_key_file: ${box.key} }
`,
    );
    sshConfig = cli.file(
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
  afterEach(() => {
    cli.dispose();
  });
  afterAll(async () => {
    await box.stop();
    await inner.stop();
  });
  /** The known_hosts file of a test, which does not exist at first. */
  const known = () => join(cli.dir, 'known', 'known_hosts');
  const trustAll = () => {
    mkdirSync(join(cli.dir, 'known'), { mode: 0o700 });
    writeFileSync(
      known(),
      `${readFileSync(box.knownHosts, 'utf8')}${readFileSync(inner.knownHosts, 'utf8')}`,
      { mode: 0o600 },
    );
  };
  const call = (...args: string[]) =>
    cli.run([...args, '-i', inventory, '--known-hosts', known(), '--ssh-config', sshConfig]);

  it('trust prints fingerprints and stores no host key without --yes or --fingerprint', async () => {
    const { code, stdout } = await call('trust', 'one');
    expect(stdout).toContain(fingerprint(box));
    expect(stdout).toContain('1 new but not added');
    expect(code).toBe(exitCodes.preflight_failed);
    expect(existsSync(known())).toBe(false);
  });

  it('trust --fingerprint stores a host key only if its fingerprint is the given one', async () => {
    const wrong = await call('trust', 'one', '--fingerprint', 'SHA256:nonsense');
    expect(wrong.code).toBe(exitCodes.preflight_failed);
    expect(existsSync(known())).toBe(false);
    const { code } = await call('trust', 'one', '--fingerprint', fingerprint(box));
    expect(code).toBe(exitCodes.done);
    expect(statSync(known()).mode & 0o777).toBe(0o600);
    expect(readFileSync(known(), 'utf8')).toMatch(/^\|1\|/);
    const found = execFileSync('ssh-keygen', ['-F', `[${box.address}]:2222`, '-f', known()]);
    expect(found.toString()).toContain(box.hostKey().split(' ')[1]);
  });

  it('trust --yes stores host keys through jump hosts, after which trust has nothing to do', async () => {
    const { code, stdout } = await call('trust', '--yes');
    expect(stdout).toContain(fingerprint(inner));
    expect(code).toBe(exitCodes.done);
    const again = await call('trust');
    expect(again.stdout).toContain('0 added, 2 already known, 0 new');
    expect(again.code).toBe(exitCodes.done);
  });

  it('trust --yes does not replace a changed host key, and names the line that contains the old one', async () => {
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
    expect(stdout).toContain(fingerprint(box, 'other_host_key'));
    expect(stdout).toContain(`${changed}:1`);
    expect(readFileSync(changed, 'utf8')).toBe(before);
  });

  itWith('sudo')(
    'doctor checks every step of the login and of privilege escalation, and names the source of each setting',
    async () => {
      trustAll();
      const { code, stdout } = await call(
        'doctor',
        'one',
        '--become-password-file',
        becomePassword,
      );
      expect(stdout).toMatch(/user "deploy" \(inventory\)/);
      expect(stdout).toMatch(/key exchange +curve25519/);
      expect(stdout).toContain(`by ${known()}:1`);
      expect(stdout).toContain(`logged in as "deploy" with ${box.key}`);
      expect(stdout).toMatch(/become +"root" with sudo/);
      expect(stdout).toContain('clock: in sync');
      expect(stdout).not.toContain('deploy password');
      expect(code).toBe(exitCodes.done);
    },
  );

  it('doctor names the jump host and the line of ssh_config that it uses', async () => {
    trustAll();
    const { code, stdout } = await call('doctor', 'inner', '--no-become');
    expect(stdout).toMatch(/ssh config +\S+ssh_config line 1: Applying options for/);
    expect(stdout).toContain('connect       through');
    expect(code).toBe(exitCodes.done);
  });

  const obstacles: [string, string[], RegExp, 'sudo'?][] = [
    [
      'a name that does not resolve',
      ['doctor', 'nowhere.invalid'],
      /resolve +FAILED.*Cannot resolve/,
    ],
    ['a closed port', ['doctor', '127.0.0.1:1'], /connect +FAILED.*ECONNREFUSED[^]*Check the port/],
    [
      'an unknown host key',
      ['doctor', 'BOX', '--known-hosts', '/dev/null'],
      /host key +FAILED[^]*runner trust/,
    ],
    [
      'a user who cannot log in',
      ['doctor', 'nobody-such@BOX'],
      /auth +FAILED.*Permission denied for user "nobody-such"/,
    ],
    [
      'a missing password for sudo',
      ['doctor', 'deploy@BOX'],
      /become +FAILED.*requires a password/,
      'sudo',
    ],
  ];
  for (const [title, args, wanted, ...needed] of obstacles) {
    itWith(...needed.filter((name) => name !== undefined))(
      `doctor names the failed step and the reason at ${title}`,
      async () => {
        const { code, stdout } = await cli.run([
          ...args.map((word) => word.replace('BOX', `${box.address}:2222`)),
          ...(args.includes('--known-hosts') ? [] : ['--known-hosts', box.knownHosts]),
          '--ssh-config',
          sshConfig,
          '--connect-timeout',
          '2',
        ]);
        expect(stdout).toMatch(wanted);
        expect(code).toBe(exitCodes.preflight_failed);
      },
    );
  }

  it('doctor warns of a wrong clock of the host, with which a play still succeeds', async () => {
    const late = await Box.start({
      setup:
        'printf "#!/bin/sh\\necho 1000000000\\n" >/run/date; chmod +x /run/date; mount --bind /run/date "$(readlink -f /bin/date)"\n',
    });
    try {
      const target = `root@${late.address}:2222`;
      const keyed = cli.file('late_config', `Host *\n  IdentityFile ${late.key}\n`);
      const { code, stdout } = await cli.run([
        ...['doctor', target, '--known-hosts', late.knownHosts, '--ssh-config', keyed],
      ]);
      expect(stdout).toMatch(/WARNING: the clock is \d+ s behind/);
      expect(code, stdout).toBe(exitCodes.done);
      const hosts = cli.file('late.yml', inventoryOf({ late }));
      const playbook = cli.file(
        'late-playbook.yml',
        '- { name: P, hosts: all, tasks: [{ name: T, copy: { content: x, dest: /run/x } }] }\n',
      );
      const flags = ['--known-hosts', late.knownHosts, '--ssh-config', sshConfig];
      const run = await cli.run(['play', playbook, '-i', hosts, ...flags]);
      expect(run.code, run.stdout + run.stderr).toBe(exitCodes.done);
    } finally {
      await late.stop();
    }
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'with transport openssh, %s to the process group neither stops the running step nor leaves an ssh process',
    async (signal) => {
      const hosts = cli.file('one.yml', inventoryOf({ one: box }));
      const playbook = cli.file(
        'slow.yml',
        `- name: Slow
  hosts: all
  tasks:
    - { name: A, shell: "touch /run/began; until test -e /run/go; do sleep 0.05; done; touch /run/ended", undo: none }
    - { name: B, shell: touch /run/never, undo: none }
`,
      );
      const flags = ['--known-hosts', box.knownHosts, '--ssh-config', sshConfig];
      const go = () => {
        writeFileSync(box.path('/run/go'), '');
      };
      let kill: Promise<void> | undefined;
      const { code, events } = await cli.spawn(
        ['play', playbook, '-i', hosts, ...flags, '--transport', 'openssh', '--output', 'json'],
        {
          detached: true,
          onEvent: (event, child) => {
            if (event.type === 'step-start' && event.step.name === 'A')
              kill = eventually(() => existsSync(box.path('/run/began'))).then(() => {
                process.kill(-(child.pid ?? NaN), signal);
              });
            // The step ends after runner has handled the signal.
            if (event.type === 'message' && event.text.startsWith('Interrupted')) go();
          },
        },
      );
      await kill;
      if (signal === 'SIGINT') {
        expect(code).toBe(exitCodes.interrupted);
        const ended = events.filter((event) => event.type === 'unit-end');
        expect(ended.map(({ state }) => state)).toEqual(['changed']);
      }
      const masters = () =>
        commandLines().filter((line) => line.startsWith('ssh -M') && line.includes(box.address));
      await eventually(() => masters().length === 0);
      go();
      await eventually(() => existsSync(box.path('/run/ended')));
      expect(existsSync(box.path('/run/never'))).toBe(false);
      const run = events.find((event) => event.type === 'run-start')?.run ?? '';
      const resolved = await cli.run(['rollback', run, ...flags]);
      expect(resolved.stdout + resolved.stderr).toContain('There was nothing to undo.');
    },
  );

  itWith('sudo')(
    'play works through sudo and a jump host, keeps a detached step running while the connection is lost, and bounds the output in memory',
    async () => {
      const proxy = await FaultProxy.start(box);
      try {
        const hosts = cli.file(
          'cut.yml',
          `${inventoryOf({ cut: { address: '127.0.0.1', port: proxy.port, user: 'deploy', key: box.key } })}    inner: { ansible_host: inner.example, ansible_user: root, ansible_ssh_private_key_file: ${box.key} }\n`,
        );
        const keys = cli.file(
          'keys',
          `${readFileSync(box.knownHosts, 'utf8')}${readFileSync(inner.knownHosts, 'utf8')}[127.0.0.1]:${String(proxy.port)} ${box.hostKey()}\n`,
        );
        const playbook = cli.file(
          'detach.yml',
          `- name: Detach
  hosts: all
  become: true
  tasks:
    - name: Wait for the test
      shell: echo ran >>/run/ran; until test -e /run/go; do sleep 0.05; done; wc -l </run/ran
      detach: true
      register: waited
      undo:
        - name: Remove the file
          file: { path: /run/ran, state: absent }
    - name: Check that the step ran once on every host
      assert:
        that: [waited.stdout == "1"]
    - name: Write a long output
      shell: { cmd: "head -c 3000000 /dev/zero | tr '\\\\0' x", read_only: true }
      register: long
    - name: Check that only the first MiB is kept
      assert:
        that:
          - size(long.stdout) == 1048576
          - long.stdout_bytes == 3000000
    - name: Copy a file of 2 MB
      copy: { src: big.bin, dest: /run/big.bin, mode: '0600' }
`,
        );
        cli.file('big.bin', 'x'.repeat(2_000_000));
        let cut: Promise<void> | undefined;
        const { code, stdout, stderr } = await cli.run(
          [
            ...['play', playbook, '-i', hosts, '--known-hosts', keys],
            ...['--ssh-config', sshConfig, '--output', 'json'],
            ...['--become-password-file', becomePassword],
          ],
          {
            onEvent: (event) => {
              if (event.type !== 'step-start' || event.step.name !== 'Wait for the test') return;
              cut = eventually(() => existsSync(box.path('/run/ran'))).then(() => {
                proxy.cut();
                for (const host of [box, inner]) writeFileSync(host.path('/run/go'), '');
              });
            },
          },
        );
        await cut;
        expect(cut).toBeDefined();
        expect(stdout + stderr).not.toContain('deploy password');
        expect(code, stdout.slice(-2000) + stderr).toBe(exitCodes.done);
        expect(readFileSync(box.path('/run/ran'), 'utf8')).toBe('ran\n');
        expect(statSync(inner.path('/run/big.bin')).size).toBe(2_000_000);
      } finally {
        await proxy.stop();
      }
    },
  );
});
