import { dirname, isAbsolute, resolve } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import type { JsonObject } from '../core/json.ts';
import { expandHome } from './paths.ts';

/** How a host is reached, by its variables: Ansible's names and mkectl's. @param file where they stand, for relative paths */
export function addressFromVars(name: string, vars: JsonObject, file: string): HostAddress {
  const text = (...keys: string[]): string | undefined => {
    const value = keys.map((key) => vars[key]).find((one) => one !== undefined && one !== null);
    return value === undefined ? undefined : String(value);
  };
  const connection = text('ansible_connection', 'connection');
  const port = text('ansible_port', 'ansible_ssh_port', 'port');
  return {
    name,
    transport: connection === 'local' || connection === 'openssh' ? connection : 'ssh',
    ...(connection === undefined ? {} : { transportGiven: true as const }),
    address: text('ansible_host', 'ansible_ssh_host', 'address') ?? name,
    port: port === undefined ? undefined : Number(port),
    user: text('ansible_user', 'ansible_ssh_user', 'user'),
    keyPath: keyFile(text('ansible_ssh_private_key_file', 'keyPath'), file),
  };
}

/** A path counts from the file it stands in. */
export function keyFile(path: string | undefined, file: string): string | undefined {
  if (path === undefined) return undefined;
  const expanded = expandHome(path);
  return isAbsolute(expanded) ? expanded : resolve(dirname(file), expanded);
}
