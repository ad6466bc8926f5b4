import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { quote } from '../util/shell.ts';

/** What the kernel of a host reports about addresses. */
export interface AddressAnswers {
  /** The queried addresses that belong to the host. */
  own: ReadonlySet<string>;
  /** First address of the queried interface; undefined if it has none. */
  ofInterface: string | undefined;
  /** Source address of packets to the queried destination; undefined without a route. */
  towards: string | undefined;
}

const PROBE_SECONDS = 10;

/**
 * Results of `ip -j route get` and `ip -j addr show`. An address belongs to the host if the kernel routes it locally. An empty
 * device or destination is not queried. Without `ip`, /proc/net/fib_trie is read for IPv4 addresses, and no route is found.
 */
export const addressAnswers: Fact<
  [device: string, destination: string, ...addresses: string[]],
  AddressAnswers
> = {
  name: 'network.addresses',
  command: (device, destination, ...addresses) => {
    const ask = (label: string, words: string): string =>
      `printf '\\n==%s\\n' ${quote(label)}; $rw ip -j ${words} 2>/dev/null || :`;
    const asked = [
      ...addresses.map((address) => ask(`own ${address}`, `route get ${quote(address)}`)),
      ...(device === '' ? [] : [ask('interface', `addr show dev ${quote(device)}`)]),
      ...(destination === '' ? [] : [ask('towards', `route get ${quote(destination)}`)]),
    ];
    return {
      script: `if command -v ip >/dev/null; then
rw=; if command -v timeout >/dev/null; then rw='timeout ${String(PROBE_SECONDS)}'; fi
${asked.join('\n')}
else printf '\\n==trie\\n'; cat /proc/net/fib_trie; fi`,
    };
  },
  parse({ code, stdout, stderr }, device, destination, ...addresses) {
    if (code !== 0) throw new TaskError(`Cannot read the addresses of the host: ${stderr.trim()}`);
    const sections = new Map(
      stdout.split('\n==').map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1)];
      }),
    );
    const trie = sections.get('trie');
    if (trie !== undefined) {
      if (device !== '')
        throw new TaskError('The program "ip" is not installed.', { hint: 'Install iproute2.' });
      const local = localPrefixes(trie);
      return {
        own: new Set(addresses.filter((address) => local.some((one) => one(address)))),
        ofInterface: undefined,
        towards: undefined,
      };
    }
    return {
      own: new Set(
        addresses.filter((address) => firstOf(sections.get(`own ${address}`))['type'] === 'local'),
      ),
      ofInterface: firstAddress(firstOf(sections.get('interface'))),
      towards: text(firstOf(sections.get('towards'))['prefsrc']),
    };
  },
};

/** First object of a JSON list; an empty object if `ip` printed nothing. */
function firstOf(json: string | undefined): JsonObject {
  if (json === undefined || json.trim() === '') return {};
  let list: JsonValue;
  try {
    list = JSON.parse(json) as JsonValue;
  } catch {
    throw new TaskError('"ip -j" did not print JSON.', { hint: 'Update iproute2.' });
  }
  const first = Array.isArray(list) ? list[0] : undefined;
  return isJsonObject(first) ? first : {};
}

function firstAddress({ addr_info: list }: JsonObject): string | undefined {
  if (!Array.isArray(list)) return undefined;
  const global = list.filter(isJsonObject).filter(({ scope }) => scope === 'global');
  const chosen = global.find(({ family }) => family === 'inet') ?? global[0];
  return text(chosen?.['local']);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Tests for the prefixes that /proc/net/fib_trie lists as "host LOCAL" (Linux, Documentation/networking/fib_trie.rst). */
function localPrefixes(trie: string): ((address: string) => boolean)[] {
  return [...trie.matchAll(/\|-- (\S+)\n((?:\s+\/\d+ .*\n?)+)/g)].flatMap(
    ([, base = '', leaves = '']) =>
      [...leaves.matchAll(/\/(\d+) host LOCAL/g)].map(([, bits = '32']) => {
        const shift = 2 ** (32 - Number(bits));
        const block = Math.floor(number4(base) / shift);
        return (address: string) =>
          isIpv4(address) && Math.floor(number4(address) / shift) === block;
      }),
  );
}

function isIpv4(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
}

function number4(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
