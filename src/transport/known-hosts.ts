import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

export type KeyVerdict =
  | { verdict: 'trusted'; file: string; line: number }
  | { verdict: 'unknown' }
  | { verdict: 'changed'; file: string; line: number; stored: string }
  | { verdict: 'revoked'; file: string; line: number };

interface Entry {
  file: string;
  line: number;
  marker: string | undefined;
  hosts: string[];
  type: string;
  key: Buffer;
}

/** SHA-256 fingerprint in the format of ssh. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** known_hosts files, see "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8): plain, hashed, wildcard and [host]:port names. */
export class KnownHosts {
  /** In the order in which they are read. `runner trust` writes to the first. */
  readonly files: string[];
  /** Index of entries with only plain names. With thousands of hosts, comparing each entry for each host would take seconds. */
  readonly #plain = new Map<string, Entry[]>();
  /** Entries with hashed names or wildcards, which must be compared one by one. */
  readonly #others: Entry[] = [];
  readonly #answers = new Map<string, Entry[]>();

  constructor(files: string[]) {
    this.files = files;
    for (const entry of files.filter((file) => existsSync(file)).flatMap(readEntries)) {
      if (entry.hosts.some((name) => /[*?!|]/.test(name))) {
        this.#others.push(entry);
        continue;
      }
      for (const name of entry.hosts.map((one) => one.toLowerCase()))
        this.#plain.set(name, [...(this.#plain.get(name) ?? []), entry]);
    }
  }

  #matching(name: string): Entry[] {
    let found = this.#answers.get(name);
    if (!found) {
      found = [
        ...(this.#plain.get(name.toLowerCase()) ?? []),
        ...this.#others.filter((entry) => matchesHost(entry.hosts, name)),
      ];
      this.#answers.set(name, found);
    }
    return found;
  }

  /** @param name result of `hostToken`, or a HostKeyAlias */
  check(name: string, key: Buffer): KeyVerdict {
    const matching = this.#matching(name);
    const same = matching.find((entry) => entry.key.equals(key));
    const revoked = matching.find((entry) => entry.marker === '@revoked' && entry.key.equals(key));
    if (revoked) return { verdict: 'revoked', file: revoked.file, line: revoked.line };
    if (same && same.marker === undefined)
      return { verdict: 'trusted', file: same.file, line: same.line };
    const other = matching.find(
      (entry) => entry.marker === undefined && entry.type === keyType(key),
    );
    if (other) {
      return {
        verdict: 'changed',
        file: other.file,
        line: other.line,
        stored: fingerprint(other.key),
      };
    }
    return { verdict: 'unknown' };
  }

  /** Key types stored for a host. The client prefers these types. */
  types(name: string): string[] {
    return this.#matching(name)
      .filter((entry) => entry.marker === undefined)
      .map((entry) => entry.type);
  }

  /** The first line that trusts a certificate authority for this host. */
  authority(name: string): { file: string; line: number } | undefined {
    return this.#matching(name).find((entry) => entry.marker === '@cert-authority');
  }
}

/** A line for a known_hosts file. @param salt if given, the name is hashed with it */
export function knownHostsLine(name: string, key: Buffer, salt?: Buffer): string {
  return `${salt ? hashedName(name, salt) : name} ${keyType(key)} ${key.toString('base64')}\n`;
}

function hashedName(name: string, salt: Buffer): string {
  const digest = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${salt.toString('base64')}|${digest}`;
}

export function hostToken(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${String(port)}`;
}

/** The key type, which is the first string of the key blob (RFC 4253). */
export function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

function readEntries(file: string): Entry[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((text, index) => {
    const words = text.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#')) return [];
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts, type, key] = words;
    if (hosts === undefined || type === undefined || key === undefined) return [];
    return [
      {
        file,
        line: index + 1,
        marker,
        hosts: hosts.split(','),
        type,
        key: Buffer.from(key, 'base64'),
      },
    ];
  });
}

function matchesHost(patterns: string[], token: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), token)) return false;
    } else if (matchesPattern(pattern, token)) {
      matched = true;
    }
  }
  return matched;
}

function matchesPattern(pattern: string, token: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern);
  if (hashed) {
    const [, salt = '', hash = ''] = hashed;
    const wanted = Buffer.from(hash, 'base64');
    const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(token).digest();
    return wanted.length === found.length && timingSafeEqual(wanted, found);
  }
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(token);
}
