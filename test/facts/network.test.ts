import { execFileSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { addressAnswers } from '../../src/facts/network.ts';
import { itWith } from '../helpers/programs.ts';

type Args = [device: string, destination: string, ...addresses: string[]];

/** Runs the command of the fact on this machine, and parses the answer. */
function ask(args: Args, path = process.env['PATH']) {
  const { script = '' } = addressAnswers.command(...args) as { script?: string };
  const stdout = execFileSync('/bin/sh', ['-c', script], { env: { PATH: path } }).toString();
  return addressAnswers.parse({ code: 0, stdout, stderr: '' }, ...args);
}

/** An external address of this machine, according to Node.js. */
const outside = Object.entries(networkInterfaces()).flatMap(([device, list = []]) =>
  list
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => ({ device, address })),
)[0];

describe('addresses of a host', () => {
  itWith('ip')('are those that the kernel routes locally', () => {
    const asked = [
      '127.0.0.1',
      '127.77.3.11',
      '198.51.100.7',
      ...(outside ? [outside.address] : []),
    ];
    const { own } = ask(['', '', ...asked]);
    expect([...own]).toEqual(asked.filter((one) => one !== '198.51.100.7'));
  });

  itWith('ip')('of an interface and of a route are those that Node.js lists', () => {
    // A machine without a network has only the loopback interface, which other hosts cannot reach.
    const { ofInterface, towards } = ask([outside?.device ?? 'lo', outside?.address ?? '']);
    expect({ ofInterface, towards }).toEqual({
      ofInterface: outside?.address,
      towards: outside?.address,
    });
    expect(ask(['none0', '']).ofInterface).toBeUndefined();
  });

  it('are read from the routing table of the kernel on a host without "ip"', () => {
    const asked = [
      '127.0.0.1',
      '127.77.3.11',
      '198.51.100.7',
      ...(outside ? [outside.address] : []),
    ];
    const { own } = addressAnswers.parse(
      {
        code: 0,
        stderr: '',
        stdout: `\n==trie\n${execFileSync('cat', ['/proc/net/fib_trie']).toString()}`,
      },
      '',
      '198.51.100.7',
      ...asked,
    );
    expect([...own]).toEqual(asked.filter((one) => one !== '198.51.100.7'));
    expect(() =>
      addressAnswers.parse({ code: 0, stdout: '\n==trie\n', stderr: '' }, 'eth0', ''),
    ).toThrow('"ip" is not installed');
  });

  it('are an error if "ip" does not support JSON', () => {
    expect(() =>
      addressAnswers.parse(
        { code: 0, stdout: '\n==own 10.0.0.1\nlocal 10.0.0.1 dev lo\n', stderr: '' },
        '',
        '',
        '10.0.0.1',
      ),
    ).toThrow('did not print JSON');
  });
});
