import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { crontab } from '../facts/system.ts';
import { fileDiff, restorePath } from './shared.ts';
import { latin1, planEdit } from './text.ts';

const field = (description: string) =>
  ({ type: ['string', 'integer'], pattern: '^\\S+$', description }) as const;

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[^\\n]+$',
      description: 'Name of the job, by which it is found again.',
    },
    job: {
      type: 'string',
      pattern: '^[^\\n]*$',
      description: 'The command, or the value of the variable.',
    },
    env: {
      type: 'boolean',
      description:
        'It is a variable that jobs below it get, called "name", not a job. Default: false.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    minute: field('Default: *.'),
    hour: field('Default: *.'),
    day: field('Day of the month. Default: *.'),
    month: field('Default: *.'),
    weekday: field('0 is Sunday. Default: *.'),
    special_time: {
      enum: ['reboot', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'annually'],
      description: 'Instead of the times.',
    },
    disabled: { type: 'boolean', description: 'Keep the job as a comment. Default: false.' },
    user: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
      description: 'Whose job it is. Default: root.',
    },
    cron_file: {
      type: 'string',
      pattern: '^(/.*/)?[A-Za-z0-9_-]+$',
      description: 'File in /etc/cron.d, or its path, instead of the table of the user.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

/** The line before a job. It is the one that Ansible writes, so that its jobs are found. */
const MARK = '#Ansible: ';

export const cron: Module<Args> = {
  name: 'cron',
  summary: 'Keep a scheduled job of cron, or keep it out.',
  schema,

  async plan(args, host) {
    const { user = 'root', state = 'present' } = args;
    if (args.env === true && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(args.name))
      throw new TaskError(`"${args.name}" is no name of a variable.`);
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
      ...(host.wantsDiff && actions.length > 0 ? { diff } : {}),
    };
  },

  async restore(args, host, captured) {
    const path = fileOf(args);
    if (path !== undefined) return restorePath(path, host, captured);
    const { user = 'root', name } = args;
    const before = await host.fact(crontab, user);
    const line = jobOf(before ?? '', name);
    const found = line === undefined ? {} : { line };
    return [
      {
        module: 'restore_cron',
        args: {
          user,
          name,
          had_table: before !== undefined,
          ...(args.env === true ? { env: true, ...variableOf(before ?? '', name) } : found),
        },
      },
    ];
  },
};

function fileOf({ cron_file: file }: Args): string | undefined {
  return file === undefined || file.startsWith('/') ? file : `/etc/cron.d/${file}`;
}

/** Without lines there is no table. `-u` is for root alone. */
export function writeTable(user: string, text: string): Action {
  const whose = 'if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi';
  const words = text === '' ? '-r' : '-';
  return {
    ...exec('/bin/sh', '-c', `${whose}; exec crontab "$@"`, 'crontab', user, words),
    ...(text === '' ? {} : { stdin: text }),
  };
}

function lineOf(args: Args): string {
  const { env, name, job = '', ...others } = args;
  if (env !== true) return jobLine(args);
  const odd = Object.keys(others).find((one) => !['user', 'cron_file', 'state'].includes(one));
  if (odd !== undefined) throw new TaskError(`"${odd}" is for a job, not for a variable.`);
  // Cron takes blanks around a value away, quotes keep them.
  return `${name}="${job}"`;
}

function jobLine(args: Args): string {
  const { job, special_time: special, user = 'root', cron_file: file, disabled } = args;
  if (job === undefined || job === '') throw new TaskError('A job needs "job", the command.');
  const times = [args.minute, args.hour, args.day, args.month, args.weekday];
  if (special !== undefined && times.some((time) => time !== undefined))
    throw new TaskError('"special_time" stands instead of minute, hour, day, month and weekday.');
  const when =
    special === undefined ? times.map((time) => String(time ?? '*')).join(' ') : `@${special}`;
  const whose = file === undefined ? '' : `${user} `;
  return `${disabled ? '#' : ''}${when} ${whose}${job}`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The line of a job in a table. */
export function jobOf(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const at = lines.indexOf(`${MARK}${name}`);
  return at === -1 ? undefined : (lines[at + 1] ?? '');
}

/** Where the line of a variable is, -1 for nowhere. */
function placeOf(lines: readonly string[], name: string): number {
  return lines.findIndex((line) => new RegExp(`^\\s*${name}\\s*=`).test(line));
}

/** The line of a variable in a table, and which line it is. */
function variableOf(text: string, name: string): { line?: string; place?: number } {
  const lines = linesOf(text);
  const place = placeOf(lines, name);
  const line = lines[place];
  return line === undefined ? {} : { line, place };
}

/** The table with the line of a variable, a new one above all others unless told; without it when `wanted` is undefined. */
export function withVariable(
  text: string,
  name: string,
  wanted: string | undefined,
  place = 0,
): string {
  const lines = linesOf(text);
  const at = placeOf(lines, name);
  if (wanted === undefined ? at === -1 : lines[at] === wanted) return text;
  const entry = wanted === undefined ? [] : [wanted];
  if (at === -1) lines.splice(place, 0, ...entry);
  else lines.splice(at, 1, ...entry);
  return lines.map((line) => `${line}\n`).join('');
}

/** The table in which a job has the line `wanted`, or is not there when that is undefined. */
export function withJob(text: string, name: string, wanted: string | undefined): string {
  const lines = linesOf(text);
  const mark = `${MARK}${name}`;
  const at = lines.indexOf(mark);
  if (wanted === undefined && at === -1) return text;
  if (wanted !== undefined && at !== -1 && lines[at + 1] === wanted) return text;
  const entry = wanted === undefined ? [] : [mark, wanted];
  if (at === -1) lines.push(...entry);
  else lines.splice(at, 2, ...entry);
  return lines.map((line) => `${line}\n`).join('');
}
