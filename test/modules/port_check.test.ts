import { port_check } from '../../src/modules/port_check.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(port_check, {
  settled: [
    { title: 'the check changes nothing', args: { ports: [1, 2] } },
    {
      title: 'ports are checked on all hosts',
      args: { host: ['a', 'b'], ports: [1, 2], state: 'reachable' },
    },
    { title: 'each target has its own port', args: { targets: ['10.0.0.1:53', '[fd00::1]:8093'] } },
  ],
  refused: [
    { title: 'no ports', args: {}, code: 'TASK_FAILED' },
    { title: 'a target without a port', args: { targets: ['10.0.0.1'] }, code: 'SCHEMA' },
    { title: 'a target with port 0', args: { targets: ['10.0.0.1:0'] }, code: 'TASK_FAILED' },
    {
      title: '"port" and "targets" together',
      args: { port: 1, targets: ['a:1'] },
      code: 'TASK_FAILED',
    },
    { title: 'a port above 65535', args: { port: 70_000 }, code: 'SCHEMA' },
  ],
});
