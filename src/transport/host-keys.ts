import { ConnectError } from '../core/errors.ts';
import { fingerprint, keyType, type KeyVerdict } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

export type HostKeyVerdict = KeyVerdict | { verdict: 'expected' } | { verdict: 'other' };

/** Compares the key of a host with the "hostKey" in the inventory, or else with known_hosts. */
export function judgeHostKey(target: SshTarget, key: Buffer): HostKeyVerdict {
  const { hostKey, knownHosts, keyName } = target;
  if (hostKey === undefined) return knownHosts.check(keyName, key);
  const expected = hostKey.trim().split(/\s+/).slice(0, 2).join(' ');
  const shown = [fingerprint(key), `${keyType(key)} ${key.toString('base64')}`];
  return { verdict: shown.includes(expected) ? 'expected' : 'other' };
}

/** The error for a host key that must not be trusted; undefined if the key is trusted. */
export function checkHostKey(target: SshTarget, key: Buffer): ConnectError | undefined {
  const { name, keyName, knownHosts } = target;
  const result = judgeHostKey(target, key);
  if (result.verdict === 'trusted' || result.verdict === 'expected') return undefined;
  const details = { host: name, stage: 'host_key' as const, retryable: false };
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  switch (result.verdict) {
    case 'other':
      return new ConnectError(
        `Host key verification failed: "${keyName}" has ${offered}, but "hostKey" in the inventory has another key.`,
        { ...details, hint: 'If the host was reinstalled, update "hostKey".' },
      );
    case 'unknown': {
      const authority = knownHosts.authority(keyName);
      return new ConnectError(
        `Host key verification failed: the key of "${keyName}" is unknown (${offered}).`,
        {
          ...details,
          hint: authority
            ? `Use --transport openssh: ${authority.file}:${String(authority.line)} trusts a certificate authority, which the built-in client does not support.`
            : `Compare the fingerprint with that on the host, then store the key with "runner trust ${name}".`,
        },
      );
    }
    case 'revoked':
      return new ConnectError(
        `Host key verification failed: the key of "${keyName}" (${offered}) is revoked in ${result.file}:${String(result.line)}.`,
        { ...details, hint: 'Find out why it was revoked before you connect.' },
      );
    case 'changed':
      return new ConnectError(
        `Host key verification failed: the key of "${keyName}" has changed. ${result.file}:${String(result.line)} has ${result.stored}, the host has ${offered}.`,
        {
          ...details,
          hint: `If the host was reinstalled, remove that line and run "runner trust ${name}". Otherwise do not connect: this can be a man-in-the-middle attack.`,
        },
      );
  }
}

/** Describes a trusted host key and where it is stored. */
export function describeTrust(target: SshTarget, key: Buffer): string {
  const { keyName } = target;
  const result = judgeHostKey(target, key);
  const by =
    result.verdict === 'trusted'
      ? `, by ${result.file}:${String(result.line)}`
      : result.verdict === 'expected'
        ? ', by "hostKey" of the inventory'
        : '';
  return `${keyType(key)} ${fingerprint(key)} is that of "${keyName}"${by}`;
}
