import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module, PlannedUndo } from '../core/module.ts';
import { crontab } from '../facts/system.ts';
import { jobOf, variableOf, withJob, withVariable, writeTable } from './lib/crontab.ts';
import { fileDiff } from './lib/file-plan.ts';
import { latin1, planEdit } from './lib/text.ts';

const field = (description: string) =>
  ({ type: ['string', 'integer'], pattern: '^\\S+$', description }) as const;

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^\\n]+$',
      description: 'Name of the job, which identifies it in later runs.',
    },
    job: {
      type: 'string',
      pattern: '^[^\\n]*$',
      description: 'Command of the job, or value of the variable.',
    },
    env: {
      type: 'boolean',
      description:
        'Set an environment variable called "name" for the jobs below it, instead of a job. Default: false.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    minute: field('Minute. Default: *.'),
    hour: field('Hour. Default: *.'),
    day: field('Day of the month. Default: *.'),
    month: field('Month. Default: *.'),
    weekday: field('Day of the week; 0 is Sunday. Default: *.'),
    special_time: {
      enum: ['reboot', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'annually'],
      description: 'Special time, instead of minute, hour, day, month and weekday.',
    },
    disabled: { type: 'boolean', description: 'Comment the job out. Default: false.' },
    user: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
      description: 'User who runs the job. Default: root.',
    },
    cron_file: {
      type: 'string',
      pattern: '^(/.*/)?[A-Za-z0-9_-]+$',
      description: 'File in /etc/cron.d, or an absolute path, instead of the crontab of the user.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const cron: Module<Args> = {
  name: 'cron',
  summary: 'Add or remove a cron job or a variable of a crontab.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { user = 'root', state = 'present' } = args;
    if (args.env === true && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(args.name))
      throw new TaskError(`"${args.name}" is not a valid variable name.`);
    const wanted = state === 'absent' ? undefined : lineOf(args);
    const put = args.env === true ? withVariable : withJob;
    const path = fileOf(args);
    if (path !== undefined) {
      return planEdit({ path, create: true, absentIsFine: wanted === undefined }, host, (text) =>
        put(text, latin1(args.name), wanted === undefined ? undefined : latin1(wanted)),
      );
    }
    const before = await host.fact(crontab, user);
    const after = put(before ?? '', args.name, wanted);
    const actions = after === (before ?? '') ? [] : [writeTable(user, after)];
    const diff = [fileDiff(`crontab of ${user}`, Buffer.from(before ?? ''), Buffer.from(after))];
    return {
      actions,
      result: { name: args.name, state },
      undo: undoOf(args, before),
      ...(host.wantsDiff && actions.length > 0 ? { diff } : {}),
    };
  },
};

function undoOf({ user = 'root', name, env }: Args, before: string | undefined): PlannedUndo {
  const line = jobOf(before ?? '', name);
  const found = line === undefined ? {} : { line };
  const args = {
    user,
    name,
    had_table: before !== undefined,
    ...(env === true ? { env: true, ...variableOf(before ?? '', name) } : found),
  };
  return { calls: [{ module: 'restore_cron', args }] };
}

function fileOf({ cron_file: file }: Args): string | undefined {
  return file === undefined || file.startsWith('/') ? file : `/etc/cron.d/${file}`;
}

function lineOf(args: Args): string {
  const { env, name, job = '', ...others } = args;
  if (env !== true) return jobLine(args);
  const odd = Object.keys(others).find((one) => !['user', 'cron_file', 'state'].includes(one));
  if (odd !== undefined) throw new TaskError(`"${odd}" applies to jobs, not to variables.`);
  // Cron strips spaces around a value unless it is quoted.
  return `${name}="${job}"`;
}

function jobLine(args: Args): string {
  const { job, special_time: special, user = 'root', cron_file: file, disabled } = args;
  if (job === undefined || job === '') throw new TaskError('A job needs a command in "job".');
  const times = [args.minute, args.hour, args.day, args.month, args.weekday];
  if (special !== undefined && times.some((time) => time !== undefined))
    throw new TaskError(
      '"special_time" cannot be combined with minute, hour, day, month or weekday.',
    );
  const when =
    special === undefined ? times.map((time) => String(time ?? '*')).join(' ') : `@${special}`;
  const whose = file === undefined ? '' : `${user} `;
  return `${disabled ? '#' : ''}${when} ${whose}${job}`;
}
