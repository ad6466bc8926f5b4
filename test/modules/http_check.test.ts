import { http_check } from '../../src/modules/http_check.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(http_check, {
  settled: [{ title: 'the check changes nothing', args: { url: 'https://a/', contains: 'ok' } }],
  refused: [
    {
      title: 'a header with a line break',
      args: { url: 'https://a/', headers: { A: 'b\nc' } },
      code: 'TASK_FAILED',
    },
    { title: 'a file URL', args: { url: 'file:///etc/passwd' }, code: 'SCHEMA' },
  ],
});
