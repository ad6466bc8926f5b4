import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { port_check } from '../../src/modules/port_check.ts';
import { port_states } from '../../src/modules/port_states.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';
import { describeWith, has } from '../helpers/programs.ts';

testModule(port_states, {
  settled: [
    {
      title: 'every port is checked on every host',
      args: { host: ['lb.example.com', '::1'], ports: [1, 2], connect_timeout: 3 },
      facts: {
        'network.ports 3 1@lb.example.com 2@lb.example.com 1@::1 2@::1': [
          { host: 'lb.example.com', port: 1, state: 'refused' },
        ],
      },
      result: { ports: [{ host: 'lb.example.com', port: 1, state: 'refused' }] },
    },
  ],
  refused: [{ title: 'an empty list of ports', args: { host: 'a', ports: [] }, code: 'SCHEMA' }],
});

// In a separate network namespace: port 7001 is refused, ports 7002 and 7003 are filtered.
const FILTER =
  'ip link set lo up; iptables -A INPUT -p tcp --dport 7002 -j DROP && iptables -A INPUT -p tcp --dport 7003 -j REJECT --reject-with icmp-admin-prohibited';

const inOwnNetwork = (script: string, ...words: string[]) =>
  spawnSync('unshare', ['-n', 'sh', '-c', script, 'sh', ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });

/** The kernel may lack the modules even if the program is installed. */
const filters = has('iptables') && inOwnNetwork(FILTER).status === 0;

describeWith(
  'root',
  'ip',
  'iptables',
)('port_check for a reachable port', () => {
  it.runIf(filters).each([
    [7001, 0, ''],
    [7002, 1, 'port 7002 of 127.0.0.2 is blocked'],
    [7003, 1, 'port 7003 of 127.0.0.2 is blocked'],
  ])('distinguishes refused from filtered ports: %i', async (port, code, message) => {
    const {
      actions: [action],
    } = await port_check.plan({ host: '127.0.0.2', port, state: 'reachable' }, fakeHost({}));
    if (action?.kind !== 'exec') throw new Error('no command');
    const { status, stderr } = inOwnNetwork(`${FILTER}; exec "$@"`, ...action.argv);
    expect(status, stderr).toBe(code);
    expect(stderr).toContain(message);
  });
});
