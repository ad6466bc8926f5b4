/** Profiles that the upgrade adds to those of MKE 3. */
const own = ['default', 'mke-manager'];

/**
 * Maps MKE 3 kubelet profile names to names that k0s accepts. k0s uses the profile name in the name of a ConfigMap, which
 * allows fewer characters than MKE 3.
 */
export function profileNames(names: readonly string[]): Map<string, string> {
  const taken = new Set(own);
  const result = new Map<string, string>();
  // Legal names are kept, so they are assigned first.
  const legalFirst = [...names].sort(
    (one, other) => Number(legal(other) === other) - Number(legal(one) === one),
  );
  for (const name of legalFirst) {
    const chosen = freeName(legal(name), (one) => taken.has(one));
    taken.add(chosen);
    result.set(name, chosen);
  }
  return result;
}

export function freeName(name: string, isTaken: (name: string) => boolean): string {
  return isTaken(name) ? freeName(`mke-${name}`, isTaken) : name;
}

function legal(name: string): string {
  const text = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 200);
  return text === '' ? 'profile' : text;
}
