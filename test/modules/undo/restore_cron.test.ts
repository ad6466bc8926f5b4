import { restore_cron } from '../../../src/modules/undo/restore_cron.ts';
import { testModule } from '../../helpers/module-tester.ts';

const table = 'MAILTO=ops\n#Ansible: clean\n0 3 * * * /usr/bin/clean\n';

const jobs = (text: string | undefined) => ({ 'system.crontab root': text });

const whose =
  'exec /bin/sh -c if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi; exec crontab "$@" crontab root';

testModule(restore_cron, {
  settled: [
    {
      title: 'the job is unchanged',
      args: { user: 'root', name: 'clean', had_table: true, line: '0 3 * * * /usr/bin/clean' },
      facts: jobs(table),
    },
    {
      title: 'the user had no crontab and has none',
      args: { user: 'root', name: 'clean', had_table: false },
      facts: jobs(undefined),
    },
  ],
  changes: [
    {
      title: 'removes the crontab that the step created',
      args: { user: 'root', name: 'clean', had_table: false },
      facts: jobs('#Ansible: clean\n0 3 * * * x\n'),
      actions: [`${whose} -r`],
    },
    {
      title: 'restores the previous line',
      args: { user: 'root', name: 'clean', had_table: true, line: '1 1 * * * y' },
      facts: jobs(table),
      actions: [`${whose} -`],
    },
  ],
});
