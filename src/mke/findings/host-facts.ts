/** Facts about a host that the checks need in addition to the Kubernetes objects. */
export interface HostFacts {
  /** Name of the host in the inventory. */
  host: string;
  /** Content of /etc/docker/daemon.json; empty if the file does not exist. */
  daemon_json: string;
  images: HostImage[];
}

export interface HostImage {
  /** Such as "registry.example.com/shop/web:1". */
  name: string;
  /** Whether the engine has a registry digest for it, because it was pulled or pushed. */
  in_registry: boolean;
}

/** Parses the output of `docker image ls --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}'`. */
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
