import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectTimeoutOf, recordedFlags, withLogin } from '../../../src/cli/flags/connect.ts';
import { loadInventory } from '../../../src/inventory/load.ts';

describe('--connect-timeout', () => {
  it('is in seconds, with 20 as the default', () => {
    expect(connectTimeoutOf({})).toBe(20_000);
    expect(connectTimeoutOf({ connectTimeout: '0.5' })).toBe(500);
  });

  it.each(['0', '-1', '3601', 'x'])('refuses "%s"', (connectTimeout) => {
    expect(() => connectTimeoutOf({ connectTimeout })).toThrow('--connect-timeout must be above 0');
  });
});

describe('--user and --private-key', () => {
  const inventory = loadInventory('h1,eva@h2,');
  const logins = (flags: Parameters<typeof withLogin>[1]) =>
    [...withLogin(inventory, flags).hosts.values()].map(({ address }) => [
      address.user,
      address.keyPath,
    ]);

  it('apply to hosts without a login in the inventory', () => {
    expect(logins({ user: 'max' })).toEqual([
      ['max', undefined],
      ['eva', undefined],
    ]);
    const key = join(homedir(), 'key');
    expect(logins({ privateKey: '~/key' })).toEqual([
      [undefined, key],
      ['eva', key],
    ]);
  });

  it('do not change the inventory if they are not given', () => {
    expect(withLogin(inventory, {})).toBe(inventory);
  });
});

describe('the connection options in a journal', () => {
  it('contain absolute paths and no passwords', () => {
    expect(
      recordedFlags({
        knownHosts: 'known',
        sshConfig: 'config',
        transport: 'openssh',
        becomePasswordFile: 'password',
        askPass: true,
      }),
    ).toEqual({
      knownHosts: join(process.cwd(), 'known'),
      sshConfig: join(process.cwd(), 'config'),
      transport: 'openssh',
    });
  });

  it('keep "--ssh-config none", which is not a path', () => {
    expect(recordedFlags({ sshConfig: 'none' })).toEqual({ sshConfig: 'none' });
  });
});
