import type { MkeNode } from './cluster.ts';
import { refuse, unknown } from './refusal.ts';

export const VOLUMES = '/var/lib/docker/volumes';

export const objectKinds = ['volume', 'network', 'service', 'config', 'secret'] as const;
type ObjectKind = (typeof objectKinds)[number];

/** Names of all objects of a kind, in the order of `ls`. */
function namesOf(node: MkeNode, kind: ObjectKind): string[] {
  const { swarm } = node.cluster;
  switch (kind) {
    case 'volume': {
      const below = node.host.tree.below(VOLUMES).map((path) => path.slice(VOLUMES.length + 1));
      return below.filter((name) => name !== '' && !name.includes('/'));
    }
    case 'network':
      return [...[...node.networks].sort(), ...[...swarm.networks].sort()];
    case 'service':
      return [...swarm.services.keys()].sort();
    case 'config':
      return [...swarm.configs].sort();
    case 'secret':
      return [...swarm.secrets].sort();
  }
}

/** Output of `ls`. Ids are made from names; a volume has no id. */
export function listObjects(node: MkeNode, kind: ObjectKind, words: readonly string[]): string {
  const text = words.join(' ');
  const shown =
    text === '-q'
      ? kind === 'volume'
        ? ''
        : 'i-'
      : text === '--format {{.Name}}'
        ? ''
        : unknown(`docker ${kind} ls`, words);
  return namesOf(node, kind)
    .map((name) => `${shown}${name}\n`)
    .join('');
}

export function inspectObjects(node: MkeNode, kind: ObjectKind, wanted: readonly string[]): string {
  const names = namesOf(node, kind);
  const found = wanted.map(
    (one) =>
      names.find((name) => one === name || one === `i-${name}`) ??
      refuse(`Error response from daemon: no such ${kind}: ${one}`),
  );
  return `${JSON.stringify(found.map((name) => described(node, kind, name)))}\n`;
}

function described({ networks, cluster }: MkeNode, kind: ObjectKind, name: string): unknown {
  switch (kind) {
    case 'volume':
      return {
        ...{ Name: name, Driver: 'local', Scope: 'local' },
        ...{ Mountpoint: `${VOLUMES}/${name}/_data`, Labels: null, Options: null },
      };
    case 'network': {
      const [Scope, Driver] = networks.has(name) ? ['local', 'bridge'] : ['swarm', 'overlay'];
      const held = { Ingress: false, Labels: {}, Containers: {} };
      return { ...{ Name: name, Id: `i-${name}`, Scope, Driver }, ...held };
    }
    case 'service':
      return { ID: `i-${name}`, Spec: cluster.swarm.services.get(name) };
    case 'config':
    case 'secret':
      return { ID: `i-${name}`, Spec: { Name: name, Labels: {} } };
  }
}

export function removeObjects(node: MkeNode, kind: ObjectKind, names: readonly string[]): string {
  const { swarm } = node.cluster;
  const known = namesOf(node, kind);
  return names
    .map((name) => {
      if (!known.includes(name)) refuse(`Error response from daemon: ${kind} ${name} not found`);
      if (kind === 'volume') {
        const user = [...node.containers].find(([, { mounts }]) =>
          mounts.some((mount) => mount.Name === name),
        );
        if (user)
          refuse(`Error response from daemon: remove ${name}: volume is in use - [${user[0]}]`);
        node.host.tree.remove(`${VOLUMES}/${name}`);
      }
      if (kind === 'network' && !node.networks.delete(name)) swarm.networks.delete(name);
      if (kind === 'service') swarm.services.delete(name);
      if (kind === 'config') swarm.configs.delete(name);
      if (kind === 'secret') swarm.secrets.delete(name);
      return `${name}\n`;
    })
    .join('');
}
