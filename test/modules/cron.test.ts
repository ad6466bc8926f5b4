import { cron } from '../../src/modules/cron.ts';
import { testModule } from '../helpers/module-tester.ts';
import { fileOf } from '../helpers/file-facts.ts';

const table = 'MAILTO=ops\n#Ansible: clean\n0 3 * * * /usr/bin/clean\n';

const jobs = (text: string | undefined) => ({ 'system.crontab root': text });

const clean = { name: 'clean', job: '/usr/bin/clean', minute: 0, hour: '3' };

const whose =
  'exec /bin/sh -c if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi; exec crontab "$@" crontab root';

testModule(cron, {
  settled: [
    { title: 'is there', args: clean, facts: jobs(table) },
    { title: 'is not there', args: { name: 'other', state: 'absent' }, facts: jobs(table) },
    {
      title: 'there is no table',
      args: { name: 'clean', state: 'absent' },
      facts: jobs(undefined),
    },
    {
      title: 'a variable is there',
      args: { name: 'MAILTO', job: 'ops@a', env: true },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'a variable is not there',
      args: { name: 'PATH', env: true, state: 'absent' },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'is in a file',
      args: { ...clean, cron_file: 'ops', user: 'eva' },
      facts: fileOf('/etc/cron.d/ops', '#Ansible: clean\n0 3 * * * eva /usr/bin/clean\n'),
    },
  ],
  changes: [
    {
      title: 'is added to no table',
      args: clean,
      facts: jobs(undefined),
      actions: [`${whose} -`],
      restore: [
        { module: 'restore_cron', args: { user: 'root', name: 'clean', had_table: false } },
      ],
    },
    {
      title: 'gets another time',
      args: { name: 'clean', job: '/usr/bin/clean', special_time: 'daily' },
      facts: jobs(table),
      actions: [`${whose} -`],
      restore: [
        {
          module: 'restore_cron',
          args: { user: 'root', name: 'clean', had_table: true, line: '0 3 * * * /usr/bin/clean' },
        },
      ],
    },
    {
      title: 'a variable goes, and will come back where it was',
      args: { name: 'TZ', env: true, state: 'absent' },
      facts: jobs(`${table}TZ=x\n`),
      actions: [`${whose} -`],
      restore: [
        {
          module: 'restore_cron',
          args: {
            ...{ user: 'root', name: 'TZ', had_table: true },
            ...{ env: true, line: 'TZ=x', place: table.trimEnd().split('\n').length },
          },
        },
      ],
    },
    {
      title: 'the last one goes with the table',
      args: { name: 'clean', state: 'absent' },
      facts: jobs('#Ansible: clean\n0 3 * * * x\n'),
      actions: [`${whose} -r`],
    },
    {
      title: 'a file of its own',
      args: { ...clean, cron_file: 'ops' },
      facts: fileOf('/etc/cron.d/ops', undefined),
      actions: ['write /etc/cron.d/ops'],
      restore: [{ module: 'restore_path', args: { path: '/etc/cron.d/ops', state: 'absent' } }],
    },
  ],
  refused: [
    { title: 'a name of no variable', args: { name: 'a(', env: true }, code: 'TASK_FAILED' },
    { title: 'a time of a variable', args: { name: 'A', env: true, hour: 3 }, code: 'TASK_FAILED' },
    { title: 'no command', args: { name: 'clean' }, code: 'TASK_FAILED' },
    {
      title: 'a time and a special one',
      args: { ...clean, special_time: 'daily' },
      code: 'TASK_FAILED',
    },
    { title: 'a job of two lines', args: { name: 'a', job: 'b\nc' }, code: 'SCHEMA' },
  ],
});
