/** What the checks know of one host, besides the objects of Kubernetes. */
export interface HostFacts {
  /** Name of the host in the inventory. */
  host: string;
  /** Text of /etc/docker/daemon.json; empty where there is none. */
  daemon_json: string;
  images: HostImage[];
}

export interface HostImage {
  /** Such as "registry.example.com/shop/web:1". */
  name: string;
  /** The engine knows a digest of it in a registry: it was pulled or pushed. */
  in_registry: boolean;
}

/** Of what `docker image ls --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}'` prints. */
export function imagesOf(lines: string): HostImage[] {
  const found = new Map<string, HostImage>();
  for (const line of lines.split('\n')) {
    const [repository = '', tag = '', digest = ''] = line.trim().split(/\s+/);
    if (repository === '' || repository === '<none>') continue;
    const name = tag === '' || tag === '<none>' ? repository : `${repository}:${tag}`;
    const known = found.get(name)?.in_registry === true;
    found.set(name, { name, in_registry: known || digest.startsWith('sha256:') });
  }
  return [...found.values()];
}
