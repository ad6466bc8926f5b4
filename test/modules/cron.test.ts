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
    { title: 'the job exists', args: clean, facts: jobs(table) },
    {
      title: 'a job to remove does not exist',
      args: { name: 'other', state: 'absent' },
      facts: jobs(table),
    },
    {
      title: 'the user of a job to remove has no crontab',
      args: { name: 'clean', state: 'absent' },
      facts: jobs(undefined),
    },
    {
      title: 'the variable exists',
      args: { name: 'MAILTO', job: 'ops@a', env: true },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'a variable to remove does not exist',
      args: { name: 'PATH', env: true, state: 'absent' },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'the job exists in a file',
      args: { ...clean, cron_file: 'ops', user: 'eva' },
      facts: fileOf('/etc/cron.d/ops', '#Ansible: clean\n0 3 * * * eva /usr/bin/clean\n'),
    },
  ],
  changes: [
    {
      title: 'creates a crontab with the job',
      args: clean,
      facts: jobs(undefined),
      actions: [`${whose} -`],
      restore: [
        { module: 'restore_cron', args: { user: 'root', name: 'clean', had_table: false } },
      ],
    },
    {
      title: 'changes the time of the job',
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
      title: 'removes a variable; the undo restores its place',
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
      title: 'removes the crontab with its last job',
      args: { name: 'clean', state: 'absent' },
      facts: jobs('#Ansible: clean\n0 3 * * * x\n'),
      actions: [`${whose} -r`],
    },
    {
      title: 'creates a file with the job',
      args: { ...clean, cron_file: 'ops' },
      facts: fileOf('/etc/cron.d/ops', undefined),
      actions: ['write /etc/cron.d/ops'],
      restore: [{ module: 'restore_path', args: { path: '/etc/cron.d/ops', state: 'absent' } }],
    },
  ],
  refused: [
    { title: 'an invalid variable name', args: { name: 'a(', env: true }, code: 'TASK_FAILED' },
    {
      title: 'a time for a variable',
      args: { name: 'A', env: true, hour: 3 },
      code: 'TASK_FAILED',
    },
    { title: 'a job without a command', args: { name: 'clean' }, code: 'TASK_FAILED' },
    {
      title: '"special_time" together with a time',
      args: { ...clean, special_time: 'daily' },
      code: 'TASK_FAILED',
    },
    { title: 'a command with a line break', args: { name: 'a', job: 'b\nc' }, code: 'SCHEMA' },
  ],
});
