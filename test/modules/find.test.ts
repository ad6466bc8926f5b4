import { find } from '../../src/modules/find.ts';
import { testModule } from '../helpers/module-tester.ts';

const found = (path: string, size: number, mtime: number, type = 'file') => ({
  path,
  type,
  mode: '0644',
  uid: 0,
  gid: 0,
  owner: 'root',
  group: 'root',
  size,
  mtime,
});

const logs = {
  files: [
    found('/var/log/b.log', 2048, 1000),
    found('/var/log/a.log', 10, 2000),
    found('/var/log/.hidden.log', 1, 1),
    found('/var/log/apt', 1, 1, 'directory'),
  ],
  skipped: [],
};

const look = { 'system.find ["/var/log"] 1 false ': logs, 'system.clock': 4000 };

const list = (...paths: string[]) => ({
  files: paths.map((path) => ({ path }) as never),
  matched: paths.length,
});

testModule(find, {
  settled: [
    {
      title: 'lists files in order, without hidden ones',
      args: { paths: '/var/log' },
      facts: look,
      result: list('/var/log/a.log', '/var/log/b.log'),
    },
    {
      title: 'selects by name',
      args: { paths: ['/var/log'], patterns: ['*.log'], excludes: 'b*', hidden: true },
      facts: look,
      result: list('/var/log/.hidden.log', '/var/log/a.log'),
    },
    {
      title: 'selects by regular expression, type and limit',
      args: { paths: '/var/log', patterns: '^a', use_regex: true, file_type: 'any', limit: 1 },
      facts: look,
      result: list('/var/log/a.log'),
    },
    {
      title: 'selects old files',
      args: { paths: '/var/log', age: '50m' },
      facts: look,
      result: list('/var/log/b.log'),
    },
    {
      title: 'selects recent, small files',
      args: { paths: '/var/log', age: '-2000s', size: '-1k' },
      facts: look,
      result: list('/var/log/a.log'),
    },
    {
      title: 'selects large files',
      args: { paths: '/var/log', size: '2k' },
      facts: look,
      result: list('/var/log/b.log'),
    },
  ],
  refused: [
    { title: 'a relative path', args: { paths: 'log' }, code: 'TASK_FAILED' },
    { title: 'an invalid size', args: { paths: '/a', size: '10 MB' }, code: 'SCHEMA' },
    {
      title: 'an invalid regular expression',
      args: { paths: '/var/log', patterns: '(', use_regex: true },
      facts: look,
      code: 'TASK_FAILED',
    },
  ],
});
