import type { JsonObject } from '../../core/json.ts';

/** What the checks know of one host, besides the objects of Kubernetes. */
export interface HostFacts {
  /** Name of the host in the inventory. */
  host: string;
  /** Text of /etc/docker/daemon.json; empty where there is none. */
  daemon_json: string;
  /** What `docker image ls` lists, one object for each name and tag. */
  images: HostImage[];
}

export interface HostImage {
  /** Such as "registry.example.com/shop/web:1". */
  name: string;
  /** The engine knows a digest of it in a registry: it was pulled or pushed. */
  in_registry: boolean;
}

/** `docker image ls --digests --format '{{json .}}'` prints an object a line. */
export function imagesOf(rows: readonly JsonObject[]): HostImage[] {
  const found = new Map<string, HostImage>();
  for (const { Repository: repository, Tag: tag, Digest: digest } of rows) {
    if (typeof repository !== 'string' || repository === '<none>') continue;
    const isTagged = typeof tag === 'string' && tag !== '<none>';
    const name = `${repository}${isTagged ? `:${tag}` : ''}`;
    const isPublished = typeof digest === 'string' && digest.startsWith('sha256:');
    const known = found.get(name)?.in_registry === true;
    found.set(name, { name, in_registry: known || isPublished });
  }
  return [...found.values()];
}
