import { gzipSync } from 'node:zlib';
import { nodeNamed, textAt, type MkeNode } from './cluster.ts';
import { checkConfig } from './k0s-config.ts';
import { apiAddress, DATA, install, versionOf } from './k0s-service.ts';
import { kubectl } from './kubectl.ts';
import { refuse, unknown } from './refusal.ts';
import { isActive } from './units.ts';

/** The k0s binary. Returns the output. */
export function k0s(node: MkeNode, words: readonly string[]): string {
  const version = versionOf(node);
  const [command = '', ...rest] = words;
  switch (command) {
    case 'version':
      return `${version}\n`;
    case 'config': {
      if (rest[0] !== 'validate' || rest[1] !== '--config') unknown('k0s', words);
      checkConfig(node.host.tree, rest[2] ?? '', 'failed to read config: ');
      return '';
    }
    case 'install':
      return install(node, rest);
    case 'sysinfo':
      return `Machine ID: "${node.hostname}" (from machine) (pass)\nOperating system: Linux (pass)\n  Max. file descriptors per process: current: 1024 / max: 4096 (warning: < 65536)\n`;
    case 'kubectl':
      return kubectl(node, rest);
    case 'token':
      return rest[0] === 'create' ? createToken(node, rest.slice(1)) : invalidate(node, rest);
    case 'etcd':
      return members(node);
    case 'kubeconfig':
      return (
        textAt(node.host.tree, `${DATA}/pki/admin.conf`) ??
        refuse(
          `Error: failed to read admin config, check if the control plane is initialized on this node: open ${DATA}/pki/admin.conf: no such file or directory`,
        )
      );
    default:
      return unknown('k0s', words);
  }
}

function createToken(node: MkeNode, words: readonly string[]): string {
  const flag = (name: string): string =>
    words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
  const role = flag('role');
  if (
    words.length !== 2 ||
    !['controller', 'worker'].includes(role) ||
    !/^\d+[smh]$/.test(flag('expiry'))
  )
    unknown('k0s token create', words);
  const { cluster } = node;
  if (!isActive(node, 'k0scontroller.service') || !cluster.plane)
    refuse(
      `Error: failed to get k0s status: status: can't get "status" via "/run/k0s/status.sock": connect: no such file or directory`,
    );
  const id = (++cluster.serial).toString(16).padStart(6, '0');
  const secret = id.padEnd(16, '5');
  cluster.plane.tokens.set(id, { role, secret });
  const [port, user] =
    role === 'worker' ? ['6443', 'kubelet-bootstrap'] : ['9443', 'controller-bootstrap'];
  const config = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: bGFi
    server: https://${apiAddress(node)}:${port}
  name: k0s
contexts:
- context:
    cluster: k0s
    user: ${user}
  name: k0s
current-context: k0s
kind: Config
preferences: {}
users:
- name: ${user}
  user:
    token: ${id}.${secret}
`;
  return `${gzipSync(config).toString('base64')}\n`;
}

function invalidate(node: MkeNode, [verb, ...ids]: readonly string[]): string {
  if (verb !== 'invalidate') unknown('k0s token', [verb ?? '', ...ids]);
  if (!node.host.tree.get(`${DATA}/pki/admin.conf`))
    refuse(`Error: stat ${DATA}/pki/admin.conf: no such file or directory`);
  if (!isActive(node, 'k0scontroller.service'))
    refuse(
      'The connection to the server localhost:6443 was refused - did you specify the right host or port?',
    );
  for (const id of ids) node.cluster.plane?.tokens.delete(id);
  return ids.map((id) => `token ${id} deleted successfully\n`).join('');
}

function members(node: MkeNode): string {
  if (!node.host.tree.get(`${DATA}/pki/apiserver-etcd-client.crt`))
    refuse(
      `Error: can't list etcd cluster members: open ${DATA}/pki/apiserver-etcd-client.crt: no such file or directory`,
    );
  // Like the real program, it waits for etcd forever, until the caller kills it.
  if (!isActive(node, 'k0scontroller.service')) refuse('', 124);
  const { cluster } = node;
  const named = [...(cluster.plane?.controllers ?? [])]
    .sort()
    .map((hostname) => [hostname, `https://${nodeNamed(cluster, hostname)?.address ?? ''}:2380`]);
  return `${JSON.stringify({ members: Object.fromEntries(named) as unknown })}\n`;
}
