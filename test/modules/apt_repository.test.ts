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
      title: 'the repository exists',
      args: { repo },
      facts: fileOf(list, `# ours\n${repo}\n`),
      result: { path: list },
    },
    {
      title: 'the repository exists with different whitespace',
      args: { repo },
      facts: fileOf(list, `${repo.replaceAll(' ', '  ')}\n`),
    },
    {
      title: 'a repository to remove does not exist',
      args: { repo, state: 'absent' },
      facts: fileOf(list, undefined),
    },
  ],
  changes: [
    {
      title: 'creates the file and updates the package index',
      args: { repo },
      facts: fileOf(list, undefined),
      actions: [`write ${list}`, update],
      restore: [{ module: 'restore_path', args: { path: list, state: 'absent' } }],
    },
    {
      title: 'adds a line to the file named in "filename"',
      args: { repo, filename: 'site', update_cache: false, mode: '0640' },
      facts: fileOf('/etc/apt/sources.list.d/site.list', 'deb https://other.example.com x y\n'),
      actions: ['write /etc/apt/sources.list.d/site.list mode 0640'],
    },
    {
      title: 'removes the file with its last repository',
      args: { repo, state: 'absent' },
      facts: fileOf(list, `${repo}\n`),
      actions: [`remove ${list}`, update],
    },
    {
      title: 'keeps other repositories in the file',
      args: { repo, state: 'absent' },
      facts: fileOf(list, `${repo}\ndeb https://other.example.com x y\n`),
      actions: [`write ${list}`, update],
    },
  ],
  refused: [
    {
      title: 'a line that is not in the format of sources.list',
      args: { repo: 'ppa:x/y' },
      code: 'SCHEMA',
    },
  ],
});
