import { node_address } from '../../src/modules/node_address.ts';
import { testModule } from '../helpers/module-tester.ts';

const answers = (own: string[], ofInterface?: string, towards?: string) => ({
  own: new Set(own),
  ofInterface,
  towards,
});

testModule(node_address, {
  settled: [
    {
      title: 'uses the address that the operator chose',
      args: { address: '10.0.0.5', candidates: ['192.0.2.5'], route_to: '10.0.0.1' },
      facts: { 'network.addresses  10.0.0.1 10.0.0.5': answers(['10.0.0.5']) },
      result: { address: '10.0.0.5', source: 'address' },
    },
    {
      title: 'uses the first address of the chosen interface',
      args: { interface: 'eth1', candidates: ['192.0.2.5'] },
      facts: { 'network.addresses eth1  192.0.2.5': answers(['192.0.2.5'], '10.0.0.5') },
      result: { address: '10.0.0.5', source: 'interface' },
    },
    {
      title: 'prefers the first candidate on the host to the route',
      args: { candidates: ['', '203.0.113.9', '10.0.0.5', '10.1.0.5'], route_to: '10.0.0.1' },
      facts: {
        'network.addresses  10.0.0.1 203.0.113.9 10.0.0.5 10.1.0.5': answers(
          ['10.0.0.5', '10.1.0.5'],
          undefined,
          '10.1.0.5',
        ),
      },
      result: { address: '10.0.0.5', source: 'candidate' },
    },
    {
      title: 'uses the route if no candidate is on the host',
      args: { candidates: ['203.0.113.9'], route_to: '10.0.0.1' },
      facts: {
        'network.addresses  10.0.0.1 203.0.113.9': answers([], undefined, '10.0.0.5'),
      },
      result: { address: '10.0.0.5', source: 'route' },
    },
  ],
  refused: [
    {
      title: 'a chosen address that is not on the host',
      args: { address: '203.0.113.9' },
      facts: { 'network.addresses   203.0.113.9': answers([]) },
      code: 'TASK_FAILED',
    },
    {
      title: 'an interface without an address',
      args: { interface: 'eth9' },
      facts: { 'network.addresses eth9 ': answers([]) },
      code: 'TASK_FAILED',
    },
    {
      title: 'a host without candidates and route',
      args: { candidates: ['203.0.113.9'] },
      facts: { 'network.addresses   203.0.113.9': answers([]) },
      code: 'TASK_FAILED',
    },
    { title: 'a hostname as the address', args: { address: 'web1' }, code: 'TASK_FAILED' },
    {
      title: '"address" and "interface" together',
      args: { address: '10.0.0.5', interface: 'eth0' },
      code: 'TASK_FAILED',
    },
  ],
});
