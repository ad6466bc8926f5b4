import { wait_for } from '../../src/modules/wait_for.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(wait_for, {
  settled: [
    { title: 'waits for a path', args: { path: '/a', timeout: 5 } },
    { title: 'waits for a port', args: { port: 6443, host: 'db', state: 'stopped' } },
  ],
  refused: [
    { title: '"path" and "port" together', args: { path: '/a', port: 1 }, code: 'SCHEMA' },
    {
      title: '"drained" for a path',
      args: { path: '/a', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: '"drained" for another host',
      args: { port: 80, host: 'db', state: 'drained' },
      code: 'TASK_FAILED',
    },
    {
      title: '"started" for a path',
      args: { path: '/a', state: 'started' },
      code: 'TASK_FAILED',
    },
  ],
});
