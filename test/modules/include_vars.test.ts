import { include_vars } from '../../src/modules/include_vars.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(include_vars, {
  settled: [
    {
      title: 'sets a variable for each name',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': 'x: 1' },
    },
    {
      title: 'sets one variable from a file beside the playbook',
      args: { file: 'a.json', name: 'all' },
      files: { 'a.json': '{"x": 1}' },
    },
    {
      title: 'reads a directory up to a depth; later files override earlier ones',
      args: { dir: 'more', depth: 2, extensions: ['yml', '.json'], name: 'all' },
      directories: {
        'vars/more': ['a.yml', 'b/c.json', 'b/c/d.yml', 'b/notes.txt', 'z.yaml'].map((path) => ({
          ...{ path, type: 'file', mode: '0644' },
        })),
      },
      files: {
        '/controller/vars/more/a.yml': 'x: 1\ny: 1',
        '/controller/vars/more/b/c.json': '{"x": 2}',
      },
    },
  ],
  refused: [
    { title: '"depth" for a file', args: { file: 'a.yml', depth: 1 }, code: 'SCHEMA' },
    { title: 'a file in "dir"', args: { dir: 'a.yml' }, code: 'TASK_FAILED' },
    {
      title: 'a file that contains a list',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': '- 1' },
      code: 'TASK_FAILED',
    },
    {
      title: 'connection variables',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': 'x: 1\nansible_become_user: app' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file that is not YAML',
      args: { file: 'a.yml' },
      files: { 'vars/a.yml': 'a: [' },
      code: 'TASK_FAILED',
    },
  ],
});
