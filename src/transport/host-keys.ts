import { ConnectError } from '../core/errors.ts';
import { fingerprint, keyType, type KeyVerdict } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

export type HostKeyVerdict = KeyVerdict | { verdict: 'expected' } | { verdict: 'other' };

/** What is known of the key that a host showed: by the inventory where that gives one, otherwise by known_hosts. */
export function judgeHostKey(target: SshTarget, key: Buffer): HostKeyVerdict {
  const { hostKey, knownHosts, keyName } = target;
  if (hostKey === undefined) return knownHosts.check(keyName, key);
  const expected = hostKey.trim().split(/\s+/).slice(0, 2).join(' ');
  const shown = [fingerprint(key), `${keyType(key)} ${key.toString('base64')}`];
  return { verdict: shown.includes(expected) ? 'expected' : 'other' };
}

/** Why the key that a host showed must not be trusted; undefined when it may. */
export function checkHostKey(target: SshTarget, key: Buffer): ConnectError | undefined {
  const { name, keyName, knownHosts } = target;
  const result = judgeHostKey(target, key);
  if (result.verdict === 'trusted' || result.verdict === 'expected') return undefined;
  const details = { host: name, stage: 'host_key' as const, retryable: false };
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  switch (result.verdict) {
    case 'other':
      return new ConnectError(
        `The host key of "${keyName}" is ${offered}, not the "hostKey" of the inventory.`,
        { ...details, hint: 'If the host was reinstalled, correct "hostKey".' },
      );
    case 'unknown': {
      const authority = knownHosts.authority(keyName);
      return new ConnectError(`The host key of "${keyName}" is not known: ${offered}.`, {
        ...details,
        hint: authority
          ? `${authority.file}:${String(authority.line)} trusts certificates of an authority, which our own client cannot check: --transport openssh.`
          : `Compare the fingerprint with the host's own, then store it: runner trust ${name}.`,
      });
    }
    case 'revoked':
      return new ConnectError(
        `The host key of "${keyName}" (${offered}) is revoked by ${result.file}:${String(result.line)}.`,
        { ...details, hint: 'Do not connect before you know why.' },
      );
    case 'changed':
      return new ConnectError(
        `The host key of "${keyName}" has changed: stored is ${result.stored} (${result.file}:${String(result.line)}), offered was ${offered}.`,
        {
          ...details,
          hint: `If the host was reinstalled, remove that line and run: runner trust ${name}. If not, somebody may be listening.`,
        },
      );
  }
}

/** The key of a trusted host and the line that says so. */
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
