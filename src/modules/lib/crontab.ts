import { exec, type Action } from '../../core/action.ts';
import { linesOf, textOf } from './text.ts';

/** Comment line before a job, the same as Ansible's, so that jobs of Ansible are found. */
const MARK = '#Ansible: ';

/** Writes a crontab; an empty one is removed. Only root may use `-u`. */
export function writeTable(user: string, text: string): Action {
  const whose = 'if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi';
  const words = text === '' ? '-r' : '-';
  return {
    ...exec('/bin/sh', '-c', `${whose}; exec crontab "$@"`, 'crontab', user, words),
    ...(text === '' ? {} : { stdin: text }),
  };
}

/** The line of a job in a crontab. */
export function jobOf(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const at = lines.indexOf(`${MARK}${name}`);
  return at === -1 ? undefined : (lines[at + 1] ?? '');
}

/** Index of the line of a variable, or -1. */
function placeOf(lines: readonly string[], name: string): number {
  return lines.findIndex((line) => new RegExp(`^\\s*${name}\\s*=`).test(line));
}

/** The line of a variable in a crontab, and its index. */
export function variableOf(text: string, name: string): { line?: string; place?: number } {
  const lines = linesOf(text);
  const place = placeOf(lines, name);
  const line = lines[place];
  return line === undefined ? {} : { line, place };
}

/** Sets the line of a variable, or removes it if `wanted` is undefined. `place` is the index of a new line. */
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

/** Sets the line of a job, or removes the job if `wanted` is undefined. */
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
