import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';
import { matchHosts } from '../../src/util/patterns.ts';
import { quote } from '../../src/util/shell.ts';
import { didYouMean, printable } from '../../src/util/text.ts';

describe('host patterns', () => {
  const hosts = ['web1', 'web2', 'db1', 'db2'];
  const groups = new Map([
    ['web', ['web1', 'web2']],
    ['new', ['web2', 'db2']],
  ]);
  it.each([
    ['all', hosts],
    ['web:db1', ['web1', 'web2', 'db1']],
    ['web:&new', ['web2']],
    ['all:!new', ['web1', 'db1']],
    ['db*', ['db1', 'db2']],
    ['~^w.*1$', ['web1']],
    ['web[0]', ['web1']],
    ['all[1:2]', ['web2', 'db1']],
    ['db2,web1', ['web1', 'db2']],
  ])('%s', (pattern, wanted) => {
    expect(matchHosts(pattern, hosts, groups)).toEqual(wanted);
  });
  it('suggests the group that was meant', () => {
    expect(() => matchHosts('neww', hosts, groups)).toThrow(
      expect.objectContaining({ hint: 'Did you mean "new"?' }) as Error,
    );
  });
});

describe('inventories', () => {
  const dir = mkdtempSync(join(tmpdir(), 'runner-inventory-'));
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const file = (text: string) => {
    const path = join(dir, 'hosts.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('read the hosts file of mkectl', () => {
    const { hosts } = loadInventory(
      file(
        'hosts:\n- address: 10.0.0.1\n  port: 2222\n  user: ops\n  keyPath: keys/id\n- address: 10.0.0.2\n',
      ),
    );
    expect(hosts.get('10.0.0.1')?.address).toMatchObject({
      port: 2222,
      user: 'ops',
      keyPath: join(dir, 'keys/id'),
    });
    expect(hosts.get('10.0.0.2')?.address).toMatchObject({ port: undefined, transport: 'ssh' });
  });

  it('report every problem of it with its position', () => {
    const error = (() => {
      try {
        loadInventory(file('hosts:\n- address: a\n  usr: x\n- port: "many"\n'));
      } catch (caught) {
        return String(caught);
      }
      return '';
    })();
    expect(error).toContain('hosts.yaml:3:3');
    expect(error).toContain('Did you mean "user"?');
    expect(error).toContain('"port" must be a number');
    expect(error).toContain('needs "address"');
  });

  it('read groups and variables of Ansible; the deeper group takes precedence', () => {
    const { hosts, groups } = loadInventory(
      file(
        'all:\n  vars: { a: 1, b: 1 }\n  children:\n    web:\n      vars: { b: 2 }\n      hosts:\n        w1: { ansible_host: 10.1.1.1, c: 3 }\n',
      ),
    );
    expect(groups.get('web')).toEqual(['w1']);
    expect(hosts.get('w1')?.vars).toMatchObject({ a: 1, b: 2, c: 3 });
    expect(hosts.get('w1')?.address.address).toBe('10.1.1.1');
  });

  it('take a list from the command line', () => {
    const { hosts } = loadInventory('root@a:2200,[::1]:22,');
    expect(
      [...hosts.values()].map(({ address }) => [address.user, address.address, address.port]),
    ).toEqual([
      ['root', 'a', 2200],
      [undefined, '::1', 22],
    ]);
  });
});

describe('text', () => {
  it('quotes text that a shell would split', () => {
    expect([quote('plain-1.2'), quote("it's"), quote(''), quote('a b')]).toEqual([
      'plain-1.2',
      String.raw`'it'\''s'`,
      "''",
      "'a b'",
    ]);
  });
  it('makes control characters visible', () => {
    expect(printable('a\u001b[2Jb\r\n\tc')).toBe('a\\x1b[2Jb\n\tc');
  });
  it('suggests only similar words', () => {
    expect([didYouMean('servce', ['service', 'copy']), didYouMean('xyz', ['service'])]).toEqual([
      'Did you mean "service"?',
      '',
    ]);
  });
});
