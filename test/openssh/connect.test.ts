import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostAddress, Identity } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { eventually } from '../helpers/eventually.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { connectionsOfTest, login, output, transports } from '../helpers/openssh/sessions.ts';
import { itWith } from '../helpers/programs.ts';

/** Name of the user that commands run as. */
const whoami = async (connections: HostConnections, address: HostAddress): Promise<string> => {
  const name = await output(await connections.session(address, login), 'id -un');
  return name?.trim() ?? '';
};
/** Makes a key pair and returns the public key. One round of the key derivation keeps a passphrase quick. */
const keygen = (file: string, passphrase = '') => {
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', [
    ...['-q', '-t', 'ed25519', '-a', '1'],
    ...['-N', passphrase, '-f', file],
  ]);
  return readFileSync(`${file}.pub`, 'utf8');
};
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describeBox('A connection to a real sshd', () => {
  const connect = connectionsOfTest();
  let box: Box;
  let second: Box;
  let agent: { socket: string; process: ChildProcess };
  beforeAll(async () => {
    box = await Box.start({
      users: [{ name: 'deploy' }, { name: 'pw', password: 'let me in 1' }],
      // The default is 10:30:100. With the lower limit, a client that opens 21 connections at a time is refused for sure.
      sshd: ['MaxStartups 10:30:20'],
    });
    second = await Box.start({ users: [{ name: 'deploy' }] });
    second.authorize(readFileSync(`${box.key}.pub`, 'utf8'));
    const socket = join(box.dir, 'agent');
    agent = { socket, process: spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }) };
    // ssh-add exits with 1 when the agent answers and holds no key.
    await eventually(() => spawnSync('ssh-add', ['-l'], agentEnvironment()).status === 1);
  });
  beforeEach(() => {
    execFileSync('ssh-add', ['-q', '-D'], agentEnvironment());
  });
  afterAll(async () => {
    agent.process.kill();
    await box.stop();
    await second.stop();
  });
  const agentEnvironment = () => ({ env: { ...process.env, SSH_AUTH_SOCK: agent.socket } });
  const add = (file: string) => execFileSync('ssh-add', ['-q', file], agentEnvironment());
  const keyless = (): HostAddress => ({ ...box.host('deploy'), keyPath: undefined });
  const knownHosts = () => [box.knownHosts];
  const file = (name: string, text: string) => {
    const path = join(box.dir, name);
    writeFileSync(path, text);
    return path;
  };
  const fingerprint = (name: string) =>
    execFileSync('ssh-keygen', ['-lf', join(box.dir, `${name}.pub`)])
      .toString()
      .split(' ')[1] ?? '';

  it('uses the key of the inventory', async () => {
    expect(await whoami(connect({ knownHosts: knownHosts() }), box.host('deploy'))).toBe('deploy');
  });

  it('uses a key of the agent', async () => {
    add(box.key);
    const connections = connect({ knownHosts: knownHosts(), agent: agent.socket });
    expect(await whoami(connections, keyless())).toBe('deploy');
  });

  it('tries the files of IdentityFile in their order and skips a missing one', async () => {
    const wrong = join(box.dir, 'wrong');
    keygen(wrong);
    const files = [join(box.dir, 'none'), wrong, box.key];
    const config = `Host *\n${files.map((one) => `  IdentityFile ${one}\n`).join('')}`;
    const connections = connect({
      knownHosts: knownHosts(),
      agent: agent.socket,
      sshConfig: file('config-keys', config),
    });
    expect(await whoami(connections, keyless())).toBe('deploy');
  });

  it('prompts for the passphrase of a key once for several hosts, and again after a wrong one', async () => {
    const locked = join(box.dir, 'locked');
    box.authorize(keygen(locked, 'open sesame'));
    const asked: string[] = [];
    const connections = connect({
      knownHosts: knownHosts(),
      passphrase: (path, retry) => {
        asked.push(path);
        return retry ? 'open sesame' : 'wrong';
      },
    });
    const hosts = ['a', 'b', 'c'].map((name) => ({ ...box.host('deploy', name), keyPath: locked }));
    const names = await Promise.all(hosts.map((host) => whoami(connections, host)));
    expect(names).toEqual(['deploy', 'deploy', 'deploy']);
    expect(asked).toEqual([locked, locked]);
  });

  it('suggests ssh-add when a key is encrypted and no passphrase is available', async () => {
    const locked = join(box.dir, 'locked-without-prompt');
    box.authorize(keygen(locked, 'open sesame'));
    const connections = connect({ knownHosts: knownHosts() });
    const host = { ...box.host('deploy'), keyPath: locked };
    await expect(whoami(connections, host)).rejects.toMatchObject({
      stage: 'auth',
      message: expect.stringContaining('locked-without-prompt (encrypted)') as string,
      hint: expect.stringContaining('ssh-add') as string,
    });
  });

  it('does not prompt for the passphrase of a key that the agent holds', async () => {
    const held = join(box.dir, 'held');
    box.authorize(keygen(held));
    add(held);
    execFileSync('ssh-keygen', ['-q', '-p', '-a', '1', '-P', '', '-N', 'open sesame', '-f', held]);
    const connections = connect({
      knownHosts: knownHosts(),
      agent: agent.socket,
      passphrase: () => {
        throw new Error('there is a prompt');
      },
    });
    expect(await whoami(connections, { ...box.host('deploy'), keyPath: held })).toBe('deploy');
  });

  it('offers no other key of the agent when the inventory names a key', async () => {
    // sshd disconnects after the sixth wrong key.
    for (let number = 0; number < 6; number++) {
      const wrong = join(box.dir, `wrong${String(number)}`);
      keygen(wrong);
      add(wrong);
    }
    const options = { knownHosts: knownHosts(), agent: agent.socket };
    expect(await whoami(connect(options), box.host('deploy'))).toBe('deploy');
    await expect(whoami(connect(options), keyless())).rejects.toMatchObject({
      stage: 'auth',
      retryable: false,
      hint: expect.stringContaining('IdentitiesOnly') as string,
    });
  });

  it('logs in with a password', async () => {
    const connections = connect({ knownHosts: knownHosts(), password: 'let me in 1' });
    expect(await whoami(connections, { ...box.host('pw'), keyPath: undefined })).toBe('pw');
  });

  it('names the methods that the host accepts when the password is wrong', async () => {
    const connections = connect({ knownHosts: knownHosts(), password: 'wrong' });
    const host = { ...box.host('pw'), keyPath: undefined };
    await expect(whoami(connections, host)).rejects.toMatchObject({
      stage: 'auth',
      message: expect.stringContaining('it accepts publickey, password') as string,
    });
  });

  it.each(transports)(
    'with transport %s follows HostName, ProxyJump over two hosts and HostKeyAlias of ssh_config',
    async (transport) => {
      const config = file(
        'config',
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
      const known = file(
        'known_all',
        `${readFileSync(box.knownHosts, 'utf8')}${readFileSync(second.knownHosts, 'utf8')}the-alias ${box.hostKey()}\n`,
      );
      execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
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
      const bootId = readFileSync(join(second.dir, 'boot_id'), 'utf8');
      expect(await output(session, 'id -un; cat /proc/sys/kernel/random/boot_id')).toBe(
        `deploy\n${bootId}`,
      );
      expect(await whoami(connections, host('aliased'))).toBe('deploy');
    },
  );

  it('follows ProxyCommand of ssh_config', async () => {
    const config = file(
      'config-command',
      `Host via
  HostName ${box.address}
  Port 2222
  ProxyCommand ssh -F none -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${box.knownHosts} -i ${box.key} -p 2222 -W %h:%p deploy@${box.address}
`,
    );
    const connections = connect({ sshConfig: config, knownHosts: knownHosts() });
    const host = { ...box.host('deploy'), address: 'via', port: undefined };
    expect(await whoami(connections, host)).toBe('deploy');
  });

  it.each(transports)('with transport %s refuses an unknown host key', async (transport) => {
    const connections = connect({ knownHosts: [file('unknown', '')], transport });
    await expect(whoami(connections, box.host())).rejects.toMatchObject({
      stage: 'host_key',
      retryable: false,
      hint: expect.stringContaining('runner trust') as string,
    });
  });

  it.each(transports)('with transport %s refuses a changed host key', async (transport) => {
    const changed = file('changed', `\n[${box.address}]:2222 ${box.hostKey('other_host_key')}\n`);
    const failure = whoami(connect({ knownHosts: [changed], transport }), box.host());
    await expect(failure).rejects.toMatchObject({ stage: 'host_key' });
    // ssh has its own message, without the fingerprints.
    if (transport === 'openssh') return;
    await expect(failure).rejects.toThrow(fingerprint('host_key'));
    await expect(failure).rejects.toThrow(fingerprint('other_host_key'));
    await expect(failure).rejects.toThrow(`${changed}:2`);
  });

  it.each(transports)('with transport %s refuses a revoked host key', async (transport) => {
    const revoked = file(
      'revoked',
      `@revoked * ${box.hostKey()}\n${readFileSync(box.knownHosts, 'utf8')}`,
    );
    const connections = connect({ knownHosts: [revoked], transport });
    await expect(whoami(connections, box.host())).rejects.toMatchObject({ stage: 'host_key' });
  });

  it('suggests --transport openssh when known_hosts trusts a certificate authority', async () => {
    const authority = file('authority', `@cert-authority * ${box.hostKey('other_host_key')}\n`);
    await expect(whoami(connect({ knownHosts: [authority] }), box.host())).rejects.toMatchObject({
      hint: expect.stringContaining('--transport openssh') as string,
    });
  });

  it('suggests --transport openssh when the key is on a FIDO token', async () => {
    const fido = file(
      'fido',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nnot readable\n-----END OPENSSH PRIVATE KEY-----\n',
    );
    file('fido.pub', 'sk-ssh-ed25519@openssh.com AAAA x\n');
    const connections = connect({ knownHosts: knownHosts() });
    await expect(whoami(connections, { ...box.host(), keyPath: fido })).rejects.toMatchObject({
      stage: 'auth',
      hint: expect.stringContaining('--transport openssh') as string,
    });
  });

  it('logs in with a user certificate with transport openssh only', async () => {
    const ca = join(box.dir, 'ca');
    const key = join(box.dir, 'certified');
    const authority = keygen(ca);
    keygen(key);
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'me', '-n', 'deploy', `${key}.pub`]);
    const certified = await Box.start({
      users: [{ name: 'deploy' }],
      etc: { 'user_ca.pub': authority },
      sshd: ['TrustedUserCAKeys /etc/user_ca.pub'],
    });
    try {
      const host = { ...certified.host('deploy'), keyPath: key };
      const options = { knownHosts: [certified.knownHosts] };
      expect(await whoami(connect({ ...options, transport: 'openssh' }), host)).toBe('deploy');
      await expect(whoami(connect(options), host)).rejects.toMatchObject({ stage: 'auth' });
    } finally {
      await certified.stop();
    }
  });

  it('suggests --transport openssh if no key exchange matches, and that transport connects', async () => {
    const modern = await Box.start({ sshd: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    try {
      const options = { knownHosts: [modern.knownHosts] };
      await expect(whoami(connect(options), modern.host())).rejects.toMatchObject({
        stage: 'handshake',
        retryable: false,
        message: expect.stringContaining('key exchange') as string,
        hint: expect.stringContaining('--transport openssh') as string,
      });
      const openssh = connect({ ...options, transport: 'openssh' });
      expect(await whoami(openssh, modern.host())).toBe('root');
    } finally {
      await modern.stop();
    }
  });

  it.skipIf(!hasIpv6)(
    `reaches a host by its IPv6 address${hasIpv6 ? '' : ' [needs the IPv6 address ::1]'}`,
    async () => {
      const six = await Box.start({ address: '::1' });
      try {
        expect(await whoami(connect({ knownHosts: [six.knownHosts] }), six.host())).toBe('root');
      } finally {
        await six.stop();
      }
    },
  );

  for (const transport of transports) {
    itWith('sudo')(
      `with transport ${transport} runs four commands of two users at a time though MaxSessions is 1`,
      async () => {
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
          // Each command waits for the other three.
          const script =
            'umask 0; echo >>/var/tmp/here; until [ "$(wc -l </var/tmp/here)" = 4 ]; do sleep 0.05; done; id -un';
          const answers = [plain, become, plain, become].map((session) => output(session, script));
          expect(await Promise.all(answers)).toEqual(['deploy\n', 'root\n', 'deploy\n', 'root\n']);
        } finally {
          await narrow.stop();
        }
      },
    );
  }

  it('opens 40 connections at once to an sshd with MaxStartups 10:30:20', async () => {
    const connections = connect({ knownHosts: knownHosts() });
    const hosts = Array.from({ length: 40 }, (_, index) => box.host('root', `n${String(index)}`));
    const names = await Promise.all(hosts.map((host) => whoami(connections, host)));
    expect(new Set(names)).toEqual(new Set(['root']));
  });
});
