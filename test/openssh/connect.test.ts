import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { HostAddress, Identity } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { testConnections, type TestConnections } from '../helpers/connections.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';

const limit = { timeoutMs: 20_000 };
const login: Identity = { user: undefined, method: 'sudo', password: undefined };
const open: HostConnections[] = [];
const connect = (options: TestConnections): HostConnections => {
  const connections = testConnections(options);
  open.push(connections);
  return connections;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
/** Who answers, at which host. */
const whoami = async (
  connections: HostConnections,
  address: HostAddress,
  identity: Identity = login,
): Promise<string> => {
  const session = await connections.session(address, identity);
  const [answer] = await session.read([{ script: 'id -un' }], limit);
  return answer?.stdout.trim() ?? '';
};
const keygen = (file: string, ...args: string[]) => {
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file, ...args]);
  return readFileSync(`${file}.pub`, 'utf8');
};

describeBox('connecting to a real sshd', () => {
  let box: Box;
  let second: Box;
  let agent: { socket: string; process: ChildProcess };
  beforeAll(async () => {
    box = await Box.start({ users: [{ name: 'deploy' }, { name: 'pw', password: 'let me in 1' }] });
    second = await Box.start({ users: [{ name: 'deploy' }] });
    const socket = join(box.dir, 'agent');
    agent = { socket, process: spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }) };
    for (let attempt = 0; attempt < 100; attempt++) {
      const { status } = await new Promise<{ status: number | null }>((resolve) => {
        const child = spawn('ssh-add', ['-l'], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
        child.once('close', (status) => {
          resolve({ status });
        });
      });
      if (status === 1) return;
    }
    throw new Error('ssh-agent did not come up');
  });
  afterAll(async () => {
    agent.process.kill();
    await box.stop();
    await second.stop();
  });
  const add = (file: string) =>
    execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: agent.socket } });
  const forget = () =>
    execFileSync('ssh-add', ['-q', '-D'], { env: { ...process.env, SSH_AUTH_SOCK: agent.socket } });
  const keyless = (): HostAddress => ({ ...box.host('deploy'), keyPath: undefined });
  const knownHosts = () => [box.knownHosts];

  it('uses the key of the inventory, of the agent, and the files in their order', async () => {
    expect(await whoami(connect({ knownHosts: knownHosts() }), box.host('deploy'))).toBe('deploy');
    add(box.key);
    const byAgent = connect({ knownHosts: knownHosts(), agent: agent.socket });
    expect(await whoami(byAgent, keyless())).toBe('deploy');
    forget();
    const wrong = join(box.dir, 'wrong');
    keygen(wrong);
    const config = join(box.dir, 'config-keys');
    const files = [join(box.dir, 'none'), wrong, box.key];
    writeFileSync(config, `Host *\n${files.map((file) => `  IdentityFile ${file}\n`).join('')}`);
    const byFile = connect({
      knownHosts: knownHosts(),
      agent: agent.socket,
      sshConfig: config,
    });
    expect(await whoami(byFile, keyless())).toBe('deploy');
  });

  it('asks once for the passphrase of a key, for any number of hosts', async () => {
    const locked = join(box.dir, 'locked');
    rmSync(locked, { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', locked]);
    box.authorize(readFileSync(`${locked}.pub`, 'utf8'));
    const asked: string[] = [];
    const connections = connect({
      knownHosts: knownHosts(),
      passphrase: (file, retry) => {
        asked.push(file);
        return retry ? 'open sesame' : 'wrong';
      },
    });
    const hosts = ['a', 'b', 'c'].map((name) => ({ ...box.host('deploy', name), keyPath: locked }));
    const names = await Promise.all(hosts.map((host) => whoami(connections, host)));
    expect(names).toEqual(['deploy', 'deploy', 'deploy']);
    expect(asked).toEqual([locked, locked]);
    const silent = connect({ knownHosts: knownHosts() });
    await expect(whoami(silent, { ...box.host('deploy'), keyPath: locked })).rejects.toMatchObject({
      stage: 'auth',
      message: expect.stringContaining('locked (encrypted)') as string,
      hint: expect.stringContaining('ssh-add') as string,
    });
    // The agent holds it: nobody is asked.
    execFileSync('ssh-keygen', ['-q', '-p', '-P', 'open sesame', '-N', '', '-f', locked]);
    add(locked);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', locked]);
    const held = connect({ knownHosts: knownHosts(), agent: agent.socket });
    expect(await whoami(held, { ...box.host('deploy'), keyPath: locked })).toBe('deploy');
    forget();
  });

  it('offers no other key of the agent when the inventory names one', async () => {
    // Six wrong keys are one more than sshd lets try.
    for (let number = 0; number < 6; number++) {
      const file = join(box.dir, `wrong${String(number)}`);
      keygen(file);
      add(file);
    }
    const connections = connect({ knownHosts: knownHosts(), agent: agent.socket });
    expect(await whoami(connections, box.host('deploy'))).toBe('deploy');
    await expect(
      whoami(connect({ knownHosts: knownHosts(), agent: agent.socket }), keyless()),
    ).rejects.toMatchObject({
      stage: 'auth',
      retryable: false,
      hint: expect.stringContaining('IdentitiesOnly') as string,
    });
    forget();
  });

  it('logs in with a password, and says what a host accepts when it is wrong', async () => {
    const host = { ...box.host('pw'), keyPath: undefined };
    const good = connect({ knownHosts: knownHosts(), password: 'let me in 1' });
    expect(await whoami(good, host)).toBe('pw');
    const bad = connect({ knownHosts: knownHosts(), password: 'wrong' });
    await expect(whoami(bad, host)).rejects.toMatchObject({
      stage: 'auth',
      message: expect.stringContaining('it accepts publickey, password') as string,
    });
  });

  it.each(['ssh', 'openssh'] as const)(
    'follows ssh_config and its jump hosts by %s',
    async (transport) => {
      // The second host is reached through the first, twice over.
      const config = join(box.dir, 'config');
      writeFileSync(
        config,
        `Host far
  HostName ${second.address}
  Port 2222
  ProxyJump deploy@mid,${box.address}:2222
Host mid
  HostName ${box.address}
  Port 2222
Host ${box.address}
  User deploy
Host aliased
  HostName ${box.address}
  Port 2222
  HostKeyAlias the-alias
Host *
  User deploy
  IdentityFile ${box.dir}/%%nothing
  IdentityFile ${box.key}
  IdentitiesOnly yes
  UserKnownHostsFile ${box.dir}/known_all
`,
      );
      second.authorize(readFileSync(`${box.key}.pub`, 'utf8'));
      writeFileSync(
        join(box.dir, 'known_all'),
        `${readFileSync(box.knownHosts, 'utf8')}${readFileSync(second.knownHosts, 'utf8')}the-alias ${box.hostKey()}\n`,
      );
      execFileSync('ssh-keygen', ['-q', '-H', '-f', join(box.dir, 'known_all')], {
        stdio: 'ignore',
      });
      const connections = connect({ sshConfig: config, transport });
      const host = (address: string): HostAddress => ({
        name: address,
        transport: 'ssh',
        address,
        port: undefined,
        user: undefined,
        keyPath: undefined,
      });
      const session = await connections.session(host('far'), login);
      const [answer] = await session.read(
        [{ script: 'id -un; cat /proc/sys/kernel/random/boot_id' }],
        limit,
      );
      const bootId = readFileSync(join(second.dir, 'boot_id'), 'utf8');
      expect(answer?.stdout).toBe(`deploy\n${bootId}`);
      expect(await whoami(connections, host('aliased'))).toBe('deploy');
    },
  );

  it('goes by ProxyCommand', async () => {
    const config = join(box.dir, 'config-command');
    writeFileSync(
      config,
      `Host via
  HostName ${box.address}
  Port 2222
  ProxyCommand ssh -F none -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${box.knownHosts} -i ${box.key} -p 2222 -W %h:%p deploy@${box.address}
`,
    );
    const connections = connect({ sshConfig: config, knownHosts: knownHosts() });
    expect(
      await whoami(connections, { ...box.host('deploy'), address: 'via', port: undefined }),
    ).toBe('deploy');
  });

  it.each(['ssh', 'openssh'] as const)(
    'refuses host keys it does not know by %s',
    async (transport) => {
      const unknown = join(box.dir, 'unknown');
      writeFileSync(unknown, '');
      await expect(
        whoami(connect({ knownHosts: [unknown], transport }), box.host()),
      ).rejects.toMatchObject({
        stage: 'host_key',
        retryable: false,
        hint: expect.stringContaining('runner trust') as string,
      });
      const changed = join(box.dir, 'changed');
      writeFileSync(changed, `\n[${box.address}]:2222 ${box.hostKey('other_host_key')}\n`);
      const failure = whoami(connect({ knownHosts: [changed], transport }), box.host());
      await expect(failure).rejects.toMatchObject({ stage: 'host_key' });
      if (transport === 'ssh') {
        const print = (name: string) =>
          execFileSync('ssh-keygen', ['-lf', join(box.dir, `${name}.pub`)])
            .toString()
            .split(' ')[1] ?? '';
        await expect(failure).rejects.toThrow(print('host_key'));
        await expect(failure).rejects.toThrow(print('other_host_key'));
        await expect(failure).rejects.toThrow(`${changed}:2`);
      }
      const revoked = join(box.dir, 'revoked');
      writeFileSync(
        revoked,
        `@revoked * ${box.hostKey()}\n${readFileSync(box.knownHosts, 'utf8')}`,
      );
      await expect(
        whoami(connect({ knownHosts: [revoked], transport }), box.host()),
      ).rejects.toMatchObject({ stage: 'host_key' });
    },
  );

  it('names --transport openssh for what only OpenSSH can do', async () => {
    const authority = join(box.dir, 'authority');
    writeFileSync(authority, `@cert-authority * ${box.hostKey('other_host_key')}\n`);
    await expect(whoami(connect({ knownHosts: [authority] }), box.host())).rejects.toMatchObject({
      hint: expect.stringContaining('--transport openssh') as string,
    });
    const fido = join(box.dir, 'fido');
    writeFileSync(
      fido,
      '-----BEGIN OPENSSH PRIVATE KEY-----\nnot readable\n-----END OPENSSH PRIVATE KEY-----\n',
    );
    writeFileSync(`${fido}.pub`, 'sk-ssh-ed25519@openssh.com AAAA x\n');
    await expect(
      whoami(connect({ knownHosts: knownHosts() }), { ...box.host(), keyPath: fido }),
    ).rejects.toMatchObject({
      stage: 'auth',
      hint: expect.stringContaining('--transport openssh') as string,
    });
  });

  it('accepts user and host certificates by openssh', async () => {
    const ca = join(box.dir, 'ca');
    const key = join(box.dir, 'certified');
    keygen(ca);
    keygen(key);
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'me', '-n', 'deploy', `${key}.pub`]);
    const certified = await Box.start({
      users: [{ name: 'deploy' }],
      sshd: [`TrustedUserCAKeys ${ca}.pub`],
    });
    try {
      const host = { ...certified.host('deploy'), keyPath: key };
      const files = { knownHosts: [certified.knownHosts] };
      expect(await whoami(connect({ ...files, transport: 'openssh' }), host)).toBe('deploy');
      await expect(whoami(connect(files), host)).rejects.toMatchObject({ stage: 'auth' });
    } finally {
      await certified.stop();
    }
  });

  it('says so when no key exchange is in common', async () => {
    const modern = await Box.start({ sshd: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    try {
      const files = { knownHosts: [modern.knownHosts] };
      await expect(whoami(connect(files), modern.host())).rejects.toMatchObject({
        stage: 'handshake',
        retryable: false,
        message: expect.stringContaining('key exchange') as string,
        hint: expect.stringContaining('--transport openssh') as string,
      });
      expect(await whoami(connect({ ...files, transport: 'openssh' }), modern.host())).toBe('root');
    } finally {
      await modern.stop();
    }
  });

  it('speaks IPv6', async () => {
    const six = await Box.start({ address: '::1' });
    try {
      expect(await whoami(connect({ knownHosts: [six.knownHosts] }), six.host())).toBe('root');
    } finally {
      await six.stop();
    }
  });

  it.each(['ssh', 'openssh'] as const)('lives with MaxSessions 1 by %s', async (transport) => {
    const narrow = await Box.start({
      sshd: ['MaxSessions 1'],
      users: [{ name: 'deploy' }],
      sudoers: ['deploy ALL=(ALL) NOPASSWD: ALL'],
    });
    try {
      const connections = connect({ knownHosts: [narrow.knownHosts], transport });
      const host = narrow.host('deploy');
      const root: Identity = { user: 'root', method: 'sudo', password: undefined };
      const [plain, become] = await Promise.all([
        connections.session(host, login),
        connections.session(host, root),
      ]);
      const answers = await Promise.all(
        [plain, become, plain, become].map((session) =>
          session.read([{ script: 'sleep 0.2; id -un' }], limit),
        ),
      );
      expect(answers.map(([one]) => one?.stdout)).toEqual([
        'deploy\n',
        'root\n',
        'deploy\n',
        'root\n',
      ]);
    } finally {
      await narrow.stop();
    }
  });

  it('connects 200 times at once to a host with the default MaxStartups', async () => {
    const connections = connect({ knownHosts: knownHosts() });
    const hosts = Array.from({ length: 200 }, (_, index) => box.host('root', `n${String(index)}`));
    const names = await Promise.all(hosts.map((host) => whoami(connections, host)));
    expect(new Set(names)).toEqual(new Set(['root']));
  }, 60_000);
});
