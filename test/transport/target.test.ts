import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { HostAddress } from '../../src/core/host.ts';
import { SshConfig } from '../../src/transport/ssh-config.ts';
import { TargetResolver, type SshTarget } from '../../src/transport/target.ts';
import { describeWith } from '../helpers/programs.ts';

const dir = mkdtempSync(join(tmpdir(), 'runner-target-'));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function resolve(config: string, host: Partial<HostAddress>): Promise<SshTarget> {
  const file = join(dir, 'config');
  writeFileSync(file, config);
  const resolver = new TargetResolver({
    config: new SshConfig(file),
    knownHostsFiles: undefined,
    user: 'me',
    keyFiles: [],
    agent: '/run/agent',
    connectTimeoutMs: 1000,
  });
  return resolver.resolve({
    name: 'n1',
    address: 'n1.example',
    port: undefined,
    user: undefined,
    keyPath: undefined,
    ...host,
  });
}

describeWith('ssh')('the connection parameters of a host', () => {
  it('are from the inventory first, then from ssh_config', async () => {
    const config =
      'Host n1.example\n HostName 10.0.0.1\n Port 2200\n User deploy\n IdentityFile ~/k-%h-%r\nHost *\n Port 99\n';
    expect(await resolve(config, {})).toMatchObject({
      address: '10.0.0.1',
      port: 2200,
      user: 'deploy',
      keyName: '[10.0.0.1]:2200',
      keysGiven: false,
      agent: '/run/agent',
    });
    const target = await resolve(config, { port: 22, user: 'root', keyPath: '/k' });
    expect(target).toMatchObject({
      address: '10.0.0.1',
      port: 22,
      user: 'root',
      keyFiles: ['/k'],
      keysGiven: true,
      identitiesOnly: true,
      keyName: '10.0.0.1',
    });
    const { keyFiles } = await resolve(config, {});
    expect(keyFiles[0]).toMatch(/\/k-10\.0\.0\.1-deploy$/);
  });

  it('have jump hosts in order, each with its own settings', async () => {
    const config =
      'Host n1.example\n ProxyJump a@one:2201,two\nHost two\n HostName 10.0.0.2\n User b\n Port 2202\n';
    const { jumps } = await resolve(config, {});
    expect(jumps.map(({ user, address, port }) => `${user}@${address}:${String(port)}`)).toEqual([
      'a@one:2201',
      'b@10.0.0.2:2202',
    ]);
  });

  it('resolve a jump host that has its own jump host, and reject circular ones', async () => {
    const chain = 'Host n1.example\n ProxyJump one\nHost one\n ProxyJump two\n';
    const { jumps } = await resolve(chain, {});
    expect(jumps.map(({ address }) => address)).toEqual(['two', 'one']);
    await expect(resolve('Host *\n ProxyJump other\n', {})).rejects.toMatchObject({
      stage: 'resolve',
      message: expect.stringContaining('circular') as string,
    });
  });

  it('use the bastions of the inventory even if ssh_config has others', async () => {
    const jumps = [
      {
        ...{ name: 'b', address: 'b', port: 2, user: 'u', keyPath: '/k', hostKey: 'SHA256:x' },
        jumps: [{ name: 'c', address: 'c', port: undefined, user: undefined, keyPath: undefined }],
      },
    ];
    const target = await resolve('Host n1.example\n ProxyJump other\nHost c\n User v\n', { jumps });
    expect(target.jumps).toMatchObject([
      { address: 'c', port: 22, user: 'v', keysGiven: false },
      { address: 'b', port: 2, user: 'u', keyFiles: ['/k'], hostKey: 'SHA256:x' },
    ]);
  });

  it('use SSH arguments of the inventory, which override ssh_config', async () => {
    const other = join(dir, 'other');
    writeFileSync(other, 'Host jump\n Port 2300\n');
    // ssh ignores keys that do not exist.
    const key = join(dir, 'key');
    writeFileSync(key, '');
    const config = 'Host *\n User a\n Port 99\n';
    const words = ['-o', 'User=b', '-o', 'ConnectTimeout=3', '-J', 'jump', '-i', key];
    const target = await resolve(config, { sshArgs: words });
    expect(target).toMatchObject({
      user: 'b',
      port: 99,
      keyFiles: [key],
      connectTimeoutMs: 3000,
      jumps: [{ address: 'jump', port: 99 }],
    });
    // Another configuration file also applies to the jump host.
    const { jumps } = await resolve(config, { sshArgs: [...words, '-F', other] });
    expect(jumps).toMatchObject([{ address: 'jump', port: 2300 }]);
  });

  it('respect HostKeyAlias, IdentityAgent, IdentitiesOnly and keepalive settings', async () => {
    const config =
      'Host *\n HostKeyAlias the-one\n IdentityAgent none\n IdentitiesOnly yes\n ServerAliveInterval 7\n ServerAliveCountMax 2\n UserKnownHostsFile /a /b\n GlobalKnownHostsFile none\n';
    const target = await resolve(config, {});
    expect(target).toMatchObject({
      keyName: 'the-one',
      identitiesOnly: true,
      keepalive: { intervalMs: 7000, misses: 2 },
    });
    expect(target.agent).toBeUndefined();
    expect(target.knownHosts.files).toEqual(['/a', '/b']);
    expect((await resolve('Host *\n IdentityAgent /run/other\n', {})).agent).toBe('/run/other');
  });

  it('expand the tokens of ssh_config', async () => {
    const { proxyCommand } = await resolve('Host *\n ProxyCommand connect %h %p %r %u %n %%\n', {
      user: 'root',
    });
    expect(proxyCommand).toBe(`connect n1.example 22 root ${userInfo().username} n1.example %`);
  });

  it('cannot be resolved if the configuration is not valid', async () => {
    await expect(resolve('Hostt x\n', {})).rejects.toMatchObject({ code: 'USAGE' });
  });
});
