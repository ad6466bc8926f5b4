import { port_check } from '../../src/modules/port_check.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(port_check, {
  settled: [
    { title: 'it only looks', args: { ports: [1, 2] } },
    { title: 'ports of all hosts', args: { host: ['a', 'b'], ports: [1, 2], state: 'reachable' } },
    { title: 'ports of several hosts', args: { targets: ['10.0.0.1:53', '[fd00::1]:8093'] } },
  ],
  refused: [
    { title: 'no port', args: {}, code: 'TASK_FAILED' },
    { title: 'a target without a port', args: { targets: ['10.0.0.1'] }, code: 'SCHEMA' },
    { title: 'a target with port 0', args: { targets: ['10.0.0.1:0'] }, code: 'TASK_FAILED' },
    { title: 'port and targets', args: { port: 1, targets: ['a:1'] }, code: 'TASK_FAILED' },
    { title: 'what is none', args: { port: 70_000 }, code: 'SCHEMA' },
  ],
});
