import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectTimeoutOf, recordedFlags, withLogin } from '../../../src/cli/flags/connect.ts';
import { loadInventory } from '../../../src/inventory/load.ts';

describe('--connect-timeout', () => {
  it('is in seconds, 20 when left out', () => {
    expect(connectTimeoutOf({})).toBe(20_000);
    expect(connectTimeoutOf({ connectTimeout: '0.5' })).toBe(500);
  });

  it.each(['0', '-1', '3601', 'x'])('"%s" is refused', (connectTimeout) => {
    expect(() => connectTimeoutOf({ connectTimeout })).toThrow('--connect-timeout takes seconds');
  });
});

describe('--user and --private-key', () => {
  const inventory = loadInventory('h1,eva@h2,');
  const logins = (flags: Parameters<typeof withLogin>[1]) =>
    [...withLogin(inventory, flags).hosts.values()].map(({ address }) => [
      address.user,
      address.keyPath,
    ]);

  it('hold where the inventory has no login', () => {
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

  it('leave the inventory alone when they are not given', () => {
    expect(withLogin(inventory, {})).toBe(inventory);
  });
});

describe('what a journal records of the connection', () => {
  it('does not depend on the working directory, and has no password', () => {
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

  it('keeps "--ssh-config none", which is no file', () => {
    expect(recordedFlags({ sshConfig: 'none' })).toEqual({ sshConfig: 'none' });
  });
});
