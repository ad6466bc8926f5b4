import { add_host } from '../../src/modules/add_host.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(add_host, {
  settled: [
    {
      title: 'adds a host with groups and variables',
      args: { name: 'late', groups: ['a', 'b'], ansible_host: '10.0.0.9' },
      result: {
        add_host: { name: 'late', groups: ['a', 'b'], vars: { ansible_host: '10.0.0.9' } },
      },
    },
  ],
  refused: [{ title: 'a name that is a pattern', args: { name: 'a:b' }, code: 'SCHEMA' }],
});
