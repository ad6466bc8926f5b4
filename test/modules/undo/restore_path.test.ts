import { restore_path } from '../../../src/modules/undo/restore_path.ts';
import { found, path, sha } from '../../helpers/file-facts.ts';
import { absent, testModule } from '../../helpers/module-tester.ts';

testModule(restore_path, {
  settled: [
    {
      title: 'still absent',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: absent },
    },
    {
      title: 'still as found',
      args: { path, state: 'file', checksum: sha('a'), mode: '0644' },
      facts: found('a'),
    },
  ],
  changes: [
    {
      title: 'removes what was not there',
      args: { path, state: 'absent' },
      facts: found('a'),
      actions: [`remove ${path}`],
    },
    {
      title: 'copies the kept file back',
      args: { path, state: 'file', checksum: sha('a'), copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('a')[`file.state ${path}`] },
      actions: [`copy /keep/1 -> ${path}`],
    },
    {
      title: 'takes the copy of the controller when that of the host is damaged',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('c')[`file.state ${path}`] },
      files: { '/keep/1': 'a' },
      actions: [`write ${path} mode 0600`],
    },
    {
      title: 'sets the mode back',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: found('a'),
      actions: [`chmod 0600 ${path}`],
    },
  ],
  refused: [
    {
      title: 'no copy',
      args: { path, state: 'file', checksum: sha('a') },
      facts: found('b'),
      code: 'TASK_FAILED',
    },
    {
      title: 'a damaged copy',
      args: { path, state: 'file', checksum: sha('a'), copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('c')[`file.state ${path}`] },
      code: 'TASK_FAILED',
    },
  ],
});
