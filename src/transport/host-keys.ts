import { ConnectError } from '../core/errors.ts';
import { fingerprint, keyType } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

/** Why the key that a host showed must not be trusted; undefined when it may. */
export function checkHostKey(target: SshTarget, key: Buffer): ConnectError | undefined {
  const { name, keyName, knownHosts } = target;
  const result = knownHosts.check(keyName, key);
  if (result.verdict === 'trusted') return undefined;
  const details = { host: name, stage: 'host_key' as const, retryable: false };
  const offered = `${keyType(key)} ${fingerprint(key)}`;
  switch (result.verdict) {
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
export function describeTrust({ keyName, knownHosts }: SshTarget, key: Buffer): string {
  const result = knownHosts.check(keyName, key);
  const by = result.verdict === 'trusted' ? `, by ${result.file}:${String(result.line)}` : '';
  return `${keyType(key)} ${fingerprint(key)} is that of "${keyName}"${by}`;
}
