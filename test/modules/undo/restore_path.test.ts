import { restore_path } from '../../../src/modules/undo/restore_path.ts';
import { found, path, sha } from '../../helpers/file-facts.ts';
import { absent, testModule } from '../../helpers/module-tester.ts';

testModule(restore_path, {
  settled: [
    {
      title: 'the path still does not exist',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: absent },
    },
    {
      title: 'the file is unchanged',
      args: { path, state: 'file', checksum: sha('a'), mode: '0644' },
      facts: found('a'),
    },
  ],
  changes: [
    {
      title: 'removes a path that did not exist',
      args: { path, state: 'absent' },
      facts: found('a'),
      actions: [`remove ${path}`],
    },
    {
      title: 'restores a file from its copy',
      args: { path, state: 'file', checksum: sha('a'), copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('a')[`file.state ${path}`] },
      actions: [`copy /keep/1 -> ${path}`],
    },
    {
      title: 'uses the copy on the controller if the one on the host is damaged',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('c')[`file.state ${path}`] },
      files: { '/keep/1': 'a' },
      actions: [`write ${path} mode 0600`],
    },
    {
      title: 'restores the mode',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: found('a'),
      actions: [`chmod 0600 ${path}`],
    },
  ],
  refused: [
    {
      title: 'a missing copy',
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
