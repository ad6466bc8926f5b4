import type { Problem } from '../core/errors.ts';
import type { SourceObject } from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import type { GroupTree } from './groups.ts';
import { iniValue, iniWords } from './ini-values.ts';

/** Whether a text is an Ansible inventory in INI format, not YAML. */
export function looksLikeIni(text: string): boolean {
  const lines = text.split('\n').map((line) => line.trim());
  const [first = ''] = lines.filter((line) => line !== '' && !/^[#;]/.test(line));
  return (
    /^\[[^\]]+\](:\d+)?\s*(#.*)?$/.test(first) ||
    /^\[[^\],]+\](:\d+)?\s+\w+=/.test(first) ||
    /^[^\s:,{["']+(:\d+)?\s+\w+=/.test(first) ||
    (first !== '' && !/:(\s|$)|^[-{[]/.test(first))
  );
}

/**
 * Parses an Ansible inventory in INI format: `[group]`, `[group:children]`, `[group:vars]`, and
 * hosts as `NAME key=value …` with ranges such as `[01:10]` and `[a:f]`. Values of hosts and groups
 * have the same syntax.
 */
export function parseIni(
  text: string,
  file: string,
  { problems, tree }: { problems: Problem[]; tree: GroupTree },
): void {
  tree.group('all');
  tree.markAnsible();
  let group = 'ungrouped';
  let kind: 'hosts' | 'children' | 'vars' = 'hosts';
  const named = new Map<string, Problem>();
  const sections = new Set(['all', 'ungrouped']);
  for (const [index, raw] of text.split('\n').entries()) {
    const at = { file, line: index + 1, column: 1 };
    const line = raw.trim();
    if (/^([#;]|$)/.test(line)) continue;
    const [, name, section] = /^\[([^\]:]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line) ?? [];
    if (name !== undefined) {
      group = name;
      kind = section === 'children' || section === 'vars' ? section : 'hosts';
      if (section !== undefined && kind === 'hosts')
        problems.push({
          message: `Unknown section suffix ":${section}". Use ":children" or ":vars".`,
          at,
        });
      if (kind !== 'vars') sections.add(name);
      else if (!tree.has(name)) named.set(name, noGroup(name, at));
      if (kind !== 'vars') tree.group(group);
      continue;
    }
    if (kind === 'children') {
      const child = line.replace(/\s*#.*$/, '');
      if (!tree.has(child)) named.set(child, noGroup(child, at));
      tree.addChild(group, child);
    } else if (kind === 'vars') {
      const [, key, value] = /^([\w.-]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined) problems.push({ message: `"${line}" is not NAME=VALUE.`, at });
      else tree.setGroupVars(group, { [key]: iniValue(value ?? '') }, new Map([[key, at]]));
    } else {
      addHosts({ tree, group, at }, line, (message) => problems.push({ message, at }));
    }
  }
  for (const [name, problem] of named) if (!sections.has(name)) problems.push(problem);
}

/** A group without a section is an error, as in Ansible: usually, its name is misspelled. */
function noGroup(name: string, at: SourceRef): Problem {
  const message = `There is no group "${name}".`;
  return { message, at, hint: `Add a section [${name}], or correct the name.` };
}

function addHosts(
  { tree, group, at }: { tree: GroupTree; group: string; at: SourceRef },
  line: string,
  problem: (message: string) => void,
): void {
  const read = iniWords(line);
  if (typeof read === 'string') {
    problem(read);
    return;
  }
  const [pattern = '', ...words] = read;
  const vars: SourceObject = {};
  for (const word of words) {
    const split = word.indexOf('=');
    if (split < 1) problem(`"${word}" is not NAME=VALUE.`);
    else vars[word.slice(0, split)] = iniValue(word.slice(split + 1));
  }
  const { names, port } = hostsNamed(pattern);
  if (port !== undefined) vars['ansible_port'] ??= port;
  if (names === undefined) problem(rangeProblem(pattern));
  const places = new Map(Object.keys(vars).map((name) => [name, at]));
  for (const name of names ?? []) {
    const message = tree.portConflict(name, port);
    if (message !== undefined) problem(message);
    tree.addHost(group, name, vars, places);
  }
}

/**
 * Names and port of `web[01:10]`, `web1:2222` or `[2001:db8::1]:22`. Names are undefined if a range
 * is invalid.
 */
export function hostsNamed(pattern: string): { names: string[] | undefined; port?: number } {
  const [, inner = '', behind] = /^\[([^\]]+)\](?::(\d+))?$/.exec(pattern) ?? [];
  if (inner !== '' && (!inner.includes(':') || isIpv6(inner)))
    return { names: [inner], ...(behind === undefined ? {} : { port: Number(behind) }) };
  const [, bare = pattern, port] = /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(pattern) ?? [];
  return { names: expandRange(bare), ...(port === undefined ? {} : { port: Number(port) }) };
}

/** Distinguishes an IPv6 address from a range such as `[a:f:2]`. */
function isIpv6(text: string): boolean {
  return (
    /^[0-9a-f:.]+(%[\w-]+)?$/i.test(text) && (text.includes('::') || text.split(':').length === 8)
  );
}

/** Maximum number of hosts of one pattern, so that a mistyped range cannot exhaust memory. */
const RANGE_LIMIT = 100_000;

export function rangeProblem(pattern: string): string {
  return `"${pattern}" has an invalid range, or one with more than ${String(RANGE_LIMIT)} hosts.`;
}

/**
 * Expands ranges such as `web[01:03]`, `db-[a:c]` and `[0:10:2]`. Undefined if a range is invalid
 * or too large.
 */
export function expandRange(pattern: string): string[] | undefined {
  const [, before = '', from = '', to = '', step = '1', after = ''] =
    /^([^[]*)\[([0-9a-zA-Z]+):([0-9a-zA-Z]+)(?::(\d+))?\](.*)$/.exec(pattern) ?? [];
  if (from === '') return /[[\]]/.test(pattern) ? undefined : [pattern];
  const numeric = /^\d+$/.test(from) && /^\d+$/.test(to);
  const letters =
    /^[a-z]$/.test(from) === /^[a-z]$/.test(to) && from.length === 1 && to.length === 1;
  if (!numeric && !letters) return undefined;
  const [low, high] = numeric ? [Number(from), Number(to)] : [from.charCodeAt(0), to.charCodeAt(0)];
  // Above the safe integers, adding 1 has no effect, and the loop would not end.
  if (low > high || Number(step) === 0 || !Number.isSafeInteger(high + Number(step)))
    return undefined;
  const rest = expandRange(after);
  if (!rest) return undefined;
  const count = Math.floor((high - low) / Number(step)) + 1;
  if (count * rest.length > RANGE_LIMIT) return undefined;
  const names: string[] = [];
  for (let value = low; value <= high; value += Number(step)) {
    const part = numeric ? String(value).padStart(from.length, '0') : String.fromCharCode(value);
    names.push(...rest.map((end) => `${before}${part}${end}`));
  }
  return names;
}
