import { get_url } from '../../src/modules/get_url.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const url = 'https://example.com/tool';

const dest = '/usr/local/bin/tool';

testModule(get_url, {
  settled: [
    {
      title: 'the file exists',
      args: { url, dest },
      facts: { [`file.state ${dest}`]: fileFact({}) },
    },
    {
      title: 'the file has the checksum',
      args: { url, dest, checksum: 'sha256:AB', force: true },
      facts: { [`file.state ${dest}`]: fileFact({}), [`file.sum ${dest} sha256`]: 'ab' },
    },
  ],
  changes: [
    {
      title: 'downloads a missing file',
      args: { url, dest, mode: '0755' },
      facts: { [`file.state ${dest}`]: absent },
      actions: [`download ${url} -> ${dest} mode 0755`],
      restore: [{ module: 'restore_path', args: { path: dest, state: 'absent' } }],
    },
    {
      title: 'replaces a file with another checksum',
      args: { url, dest, checksum: 'sha256:ab' },
      facts: { [`file.state ${dest}`]: fileFact({}), [`file.sum ${dest} sha256`]: 'cd' },
      actions: [`download ${url} -> ${dest}`],
    },
    {
      title: 'sets only the mode of a file with the checksum',
      args: { url, dest, mode: '0700' },
      facts: { [`file.state ${dest}`]: fileFact({}) },
      actions: [`chmod 0700 ${dest}`],
    },
  ],
  refused: [
    {
      title: 'a header with a line break',
      args: { url, dest, headers: { 'X-A': 'b\noutput = /etc/passwd' } },
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory as the destination',
      args: { url, dest },
      facts: { [`file.state ${dest}`]: fileFact({ type: 'directory' }) },
      code: 'TASK_FAILED',
    },
  ],
});
