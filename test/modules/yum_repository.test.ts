import { yum_repository } from '../../src/modules/yum_repository.ts';
import { testModule } from '../helpers/module-tester.ts';
import { fileOf } from '../helpers/file-facts.ts';

const site = '/etc/yum.repos.d/site.repo';

const written = '[site]\nname=Site\nbaseurl=https://a\n    https://b\nenabled=1\ngpgcheck=0\n';

const wanted = {
  name: 'site',
  description: 'Site',
  baseurl: ['https://a', 'https://b'],
  gpgcheck: false,
};

testModule(yum_repository, {
  settled: [
    { title: 'the repository exists', args: wanted, facts: fileOf(site, written) },
    {
      title: 'the repository exists after another one',
      args: wanted,
      facts: fileOf(site, `[other]\nname=o\n\n${written}`),
    },
    {
      title: 'a repository to remove does not exist',
      args: { name: 'site', state: 'absent' },
      facts: fileOf(site, undefined),
    },
  ],
  changes: [
    {
      title: 'creates the file',
      args: { ...wanted, mode: '0644' },
      facts: fileOf(site, undefined),
      actions: [`write ${site} mode 0644`],
      restore: [{ module: 'restore_path', args: { path: site, state: 'absent' } }],
    },
    {
      title: 'changes the repository',
      args: { ...wanted, enabled: false },
      facts: fileOf(site, written),
      actions: [`write ${site}`],
    },
    {
      title: 'removes the file with its last repository',
      args: { name: 'site', state: 'absent' },
      facts: fileOf(site, written),
      actions: [`remove ${site}`],
    },
    {
      title: 'keeps the other repositories',
      args: { name: 'site', state: 'absent' },
      facts: fileOf(site, `${written}\n[other]\nname=o\n`),
      actions: [`write ${site}`],
    },
  ],
  refused: [
    {
      title: 'a repository without a URL',
      args: { name: 'site' },
      facts: fileOf(site, undefined),
      code: 'TASK_FAILED',
    },
  ],
});
