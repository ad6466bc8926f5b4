import { apt_repository } from '../../src/modules/apt_repository.ts';
import { testModule } from '../helpers/module-tester.ts';
import { fileOf } from '../helpers/file-facts.ts';

const repo = 'deb [arch=amd64] https://example.com/debian bookworm main';

const list = '/etc/apt/sources.list.d/example_com_debian.list';

const update =
  'exec apt-get -q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold update';

testModule(apt_repository, {
  settled: [
    {
      title: 'is there',
      args: { repo },
      facts: fileOf(list, `# ours\n${repo}\n`),
      result: { path: list },
    },
    {
      title: 'is there with other blanks',
      args: { repo },
      facts: fileOf(list, `${repo.replaceAll(' ', '  ')}\n`),
    },
    { title: 'is not there', args: { repo, state: 'absent' }, facts: fileOf(list, undefined) },
  ],
  changes: [
    {
      title: 'makes the file and reads the lists',
      args: { repo },
      facts: fileOf(list, undefined),
      actions: [`write ${list}`, update],
      restore: [{ module: 'restore_path', args: { path: list, state: 'absent' } }],
    },
    {
      title: 'adds to a file of a name',
      args: { repo, filename: 'site', update_cache: false, mode: '0640' },
      facts: fileOf('/etc/apt/sources.list.d/site.list', 'deb https://other.example.com x y\n'),
      actions: ['write /etc/apt/sources.list.d/site.list mode 0640'],
    },
    {
      title: 'takes the file away with its last source',
      args: { repo, state: 'absent' },
      facts: fileOf(list, `${repo}\n`),
      actions: [`remove ${list}`, update],
    },
    {
      title: 'leaves the other sources',
      args: { repo, state: 'absent' },
      facts: fileOf(list, `${repo}\ndeb https://other.example.com x y\n`),
      actions: [`write ${list}`, update],
    },
  ],
  refused: [{ title: 'what is no source', args: { repo: 'ppa:x/y' }, code: 'SCHEMA' }],
});
