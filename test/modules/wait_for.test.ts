import { wait_for } from '../../src/modules/wait_for.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(wait_for, {
  settled: [
    { title: 'a path', args: { path: '/a', timeout: 5 } },
    { title: 'a port', args: { port: 6443, host: 'db', state: 'stopped' } },
  ],
  refused: [
    { title: 'path and port', args: { path: '/a', port: 1 }, code: 'SCHEMA' },
    {
      title: 'a path that is drained',
      args: { path: '/a', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: 'connections of another host',
      args: { port: 80, host: 'db', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a path that is "started"',
      args: { path: '/a', state: 'started' },
      code: 'TASK_FAILED',
    },
  ],
});
