import { textOf, named, type ClusterView } from './cluster-view.ts';
import type { Finding } from './finding.ts';
import type { HostFacts } from './host-facts.ts';
import { containersOf, workloadsOf } from './workload.ts';

/** The full name of an image: docker.io/library/web:latest for "web". A digest replaces the tag. */
export function fullImageName(image: string): string {
  const [named = '', digest] = image.split('@');
  const slash = named.lastIndexOf('/');
  const hasTag = named.indexOf(':', slash) !== -1;
  const tag = hasTag ? named.slice(named.indexOf(':', slash)) : ':latest';
  const path = hasTag ? named.slice(0, named.indexOf(':', slash)) : named;
  const first = path.split('/')[0] ?? '';
  const isHost = path.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const withHost = isHost
    ? path.replace(/^index\.docker\.io\//, 'docker.io/')
    : `docker.io/${path}`;
  const whole = /^docker\.io\/[^/]+$/.test(withHost)
    ? withHost.replace('docker.io/', 'docker.io/library/')
    : withHost;
  return digest === undefined ? `${whole}${tag}` : `${whole}@${digest}`;
}

interface Found {
  hosts: string[];
  inRegistry: boolean;
}

/**
 * Finds pods with images that were built or loaded on a host and are in no registry. containerd starts without images, so
 * these are missing after the upgrade.
 */
export function localImages(view: ClusterView, hosts: readonly HostFacts[]): Finding[] {
  const known = new Map<string, Found>();
  for (const { host, images } of hosts) {
    for (const { name, in_registry } of images) {
      const whole = fullImageName(name);
      const found = known.get(whole) ?? { hosts: [], inRegistry: false };
      found.hosts.push(host);
      found.inRegistry ||= in_registry;
      known.set(whole, found);
    }
  }
  return workloadsOf(view).flatMap(({ title, pod }): Finding[] => {
    const missing = containersOf(pod).flatMap((container) => {
      const image = textOf(container['image']);
      if (image === '') return [];
      const found = known.get(fullImageName(image));
      const why = reason(image, textOf(container['imagePullPolicy']), found);
      return why === undefined ? [] : [{ image, why, hosts: found?.hosts ?? [] }];
    });
    const [first] = missing;
    if (!first) return [];
    const [host = 'a host that has the image'] = first.hosts;
    return [
      {
        id: 'local_image',
        severity: 'error',
        blocking: false,
        object: title,
        evidence: `${missing.map(({ why }) => why).join(' ')} containerd starts without images, so these pods cannot start after the upgrade.`,
        remedy: `docker save -o /root/${fileOf(first.image)} ${first.image} # on ${host}; after the upgrade, on each node: k0s ctr images import /root/${fileOf(first.image)}`,
      },
    ];
  });
}

const fileOf = (image: string): string => `${image.replaceAll(/[^A-Za-z0-9.-]+/g, '_')}.tar`;

function reason(image: string, policy: string, found: Found | undefined): string | undefined {
  const where = found ? ` It is on ${named([...new Set(found.hosts)].sort())}.` : '';
  if (policy === 'Never') return `Image ${image} is never pulled (imagePullPolicy: Never).${where}`;
  if (!found || found.inRegistry || policy === 'Always') return undefined;
  return `Image ${image} has no registry digest on any host, so it was built or loaded there and cannot be pulled.${where}`;
}
