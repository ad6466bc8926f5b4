import { exec, type Action } from '../../core/action.ts';
import { linesOf, textOf } from './text.ts';

/** The line before a job. It is the one that Ansible writes, so that its jobs are found. */
const MARK = '#Ansible: ';

/** Without lines there is no table. `-u` is for root alone. */
export function writeTable(user: string, text: string): Action {
  const whose = 'if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi';
  const words = text === '' ? '-r' : '-';
  return {
    ...exec('/bin/sh', '-c', `${whose}; exec crontab "$@"`, 'crontab', user, words),
    ...(text === '' ? {} : { stdin: text }),
  };
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
export function variableOf(text: string, name: string): { line?: string; place?: number } {
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
  return textOf(lines);
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
  return textOf(lines);
}
