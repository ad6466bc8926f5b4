import { stat } from '../../src/modules/stat.ts';
import { found, path } from '../helpers/file-facts.ts';
import { absent, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

testModule(stat, {
  settled: [
    {
      title: 'reports the target of a link, with another checksum',
      args: { path: '/link', follow: true, checksum_algorithm: 'md5' },
      facts: { 'file.real /link': path, ...found('a'), [`file.sum ${path} md5`]: 'abc' },
      result: { stat: { isreg: true, checksum: 'abc' } },
    },
    {
      title: 'reports a broken link as missing',
      args: { path: '/link', follow: true },
      facts: { 'file.real /link': undefined },
      result: { stat: { exists: false } },
    },
    {
      title: 'reports a file without a checksum',
      args: { path, get_checksum: false },
      facts: found('a'),
      result: { stat: { mode: '0644' } },
    },
    {
      title: 'reports a file',
      args: { path },
      facts: found('a'),
      result: { stat: { exists: true, isreg: true } },
    },
    {
      title: 'reports a missing path',
      args: { path },
      facts: missing,
      result: { stat: { exists: false } },
    },
  ],
  refused: [{ title: 'a relative path', args: { path: 'x' }, code: 'SCHEMA' }],
});
