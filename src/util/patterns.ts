import { UsageError } from '../core/errors.ts';
import { didYouMean } from './text.ts';

/**
 * Hosts a pattern names, in inventory order. `a:b` or `a,b` is a union, `:&` an intersection, `:!` an exclusion;
 * a part is a host, a group, a wildcard, or `~` and a regular expression; `[0]` and `[0:2]` slice it.
 * @throws UsageError for a name that is neither host nor group
 */
export function matchHosts(
  pattern: string,
  hosts: readonly string[],
  groups: ReadonlyMap<string, readonly string[]>,
): string[] {
  let chosen: Set<string> | undefined;
  for (const part of splitPattern(pattern)) {
    if (part.startsWith('!')) {
      const members = new Set(membersOf(part.slice(1), hosts, groups));
      chosen = new Set([...(chosen ?? hosts)].filter((host) => !members.has(host)));
    } else if (part.startsWith('&')) {
      const members = new Set(membersOf(part.slice(1), hosts, groups));
      chosen = new Set([...(chosen ?? hosts)].filter((host) => members.has(host)));
    } else {
      chosen = new Set([...(chosen ?? []), ...membersOf(part, hosts, groups)]);
    }
  }
  const inOrder = hosts.filter((host) => chosen?.delete(host));
  // The remaining host is the controller, if the inventory does not contain it.
  return [...(chosen ?? []), ...inOrder];
}

/** A colon inside brackets belongs to a slice or an IPv6 address. */
function splitPattern(pattern: string): string[] {
  const parts = pattern.includes(',')
    ? pattern.split(',')
    : (pattern.match(/(?:\[[^\]]*\]|[^:])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function membersOf(
  part: string,
  hosts: readonly string[],
  groups: ReadonlyMap<string, readonly string[]>,
): string[] {
  // In a regular expression brackets are a set of letters.
  const slice = part.startsWith('~') ? null : /^(.+)\[(-?\d+)(?::(-?\d*))?\]$/.exec(part);
  if (slice) {
    const [, name = '', first = '0', last] = slice;
    const members = membersOf(name, hosts, groups);
    if (last === undefined) return members.slice(Number(first)).slice(0, 1);
    return members.slice(Number(first), last === '' ? undefined : Number(last) + 1);
  }
  if (part === 'all' || part === '*') return [...hosts];
  const group = groups.get(part);
  if (group) return [...group];
  if (hosts.includes(part)) return [part];
  if (part === 'localhost') return ['localhost'];
  if (part.startsWith('~')) {
    const expression = new RegExp(part.slice(1));
    return hosts.filter((host) => expression.test(host));
  }
  if (part.includes('*') || part.includes('?')) {
    const wanted = globPattern(part);
    return hosts.filter((host) => wanted.test(host));
  }
  throw new UsageError(`There is no host or group "${part}".`, {
    hint: didYouMean(part, [...hosts, ...groups.keys()]) || undefined,
  });
}

/** A shell pattern for one name: `*`, `?` and `[…]`. */
export function globPattern(pattern: string): RegExp {
  const source = pattern.replaceAll(
    /\[([!^]?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g,
    (part, not, set) => {
      if (part === '*') return '.*';
      if (part === '?') return '.';
      if (typeof set === 'string')
        return `[${not === '' ? '' : '^'}${set.replaceAll('\\', String.raw`\\`)}]`;
      return `\\${part}`;
    },
  );
  return new RegExp(`^${source}$`, 's');
}
