import { PlaybookError } from '../core/errors.ts';
import { isJsonObject, objectOf, type JsonObject } from '../core/json.ts';
import { keyFile } from '../util/host-address.ts';
import type { GroupTree } from './groups.ts';

/** Which file of which tool a document is; undefined for others. */
export function clusterTool(document: JsonObject): 'k0sctl' | 'launchpad' | 'mke4' | undefined {
  const version = String(document['apiVersion'] ?? '');
  if (version.startsWith('k0sctl.k0sproject.io/')) return 'k0sctl';
  if (version.startsWith('launchpad.mirantis.com/')) return 'launchpad';
  return document['kind'] === 'MkeConfig' ? 'mke4' : undefined;
}

const connectionKeys = new Set(['ssh', 'openSSH', 'localhost']);

/** Keys that also become variables under the names that a hosts.yaml of mkectl gives them. */
const addressKeys: Record<string, string> = {
  privateAddress: 'private_address',
  privateInterface: 'private_interface',
};

/** Roles in these files, and the groups their hosts get. */
const groupsOf: Record<string, string[]> = {
  controller: ['controllers'],
  'controller+worker': ['controllers', 'workers'],
  single: ['controllers', 'workers'],
  worker: ['workers'],
  manager: ['managers'],
  msr: ['msrs'],
};

/**
 * Hosts of a k0sctl.yaml, launchpad.yaml or mke4.yaml: `spec.hosts[]` with `role`, and the connection in `ssh`, in
 * `openSSH`, or as `localhost`. Whatever else a host says are its variables.
 */
export function fromCluster(document: JsonObject, file: string, tree: GroupTree): void {
  const at = { file, line: 1, column: 1 };
  const spec = document['spec'];
  const list = isJsonObject(spec) ? spec['hosts'] : undefined;
  if (!Array.isArray(list))
    throw new PlaybookError([{ message: 'The file has no list "spec.hosts".', at }]);
  for (const [index, item] of list.entries()) {
    const host = isJsonObject(item) ? item : {};
    const name = hostName(host);
    if (name === undefined) {
      const message = `Host ${String(index + 1)} of "spec.hosts" has no address.`;
      throw new PlaybookError([{ message, at }]);
    }
    const own = Object.entries(host)
      .filter(([key]) => !connectionKeys.has(key))
      .map(([key, value]) => [addressKeys[key] ?? key, value] as const);
    const role = String(host['role'] ?? '');
    for (const group of ['all', ...(groupsOf[role] ?? [])])
      tree.addHost(group, name, {
        ...Object.fromEntries(own),
        ...connection(host, file),
      });
  }
}

function hostName(host: JsonObject): string | undefined {
  const address = objectOf(host['ssh'])['address'] ?? objectOf(host['openSSH'])['address'];
  if (typeof address === 'string') return address;
  return isJsonObject(host['localhost']) || host['localhost'] === true ? 'localhost' : undefined;
}

function connection(host: JsonObject, file: string): JsonObject {
  if (host['localhost'] !== undefined) return { ansible_connection: 'local' };
  const ssh = isJsonObject(host['ssh']) ? host['ssh'] : objectOf(host['openSSH']);
  const { address, user, port } = ssh;
  const key = keyFile(typeof ssh['keyPath'] === 'string' ? ssh['keyPath'] : undefined, file);
  return {
    ...(host['openSSH'] === undefined ? {} : { ansible_connection: 'openssh' }),
    ...(address === undefined ? {} : { ansible_host: address }),
    ...(user === undefined ? {} : { ansible_user: user }),
    ...(port === undefined ? {} : { ansible_port: port }),
    ...(key === undefined ? {} : { ansible_ssh_private_key_file: key }),
  };
}
