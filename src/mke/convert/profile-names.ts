/** Profiles that k0s gets besides those of MKE 3. */
const own = ['default', 'mke-manager'];

/**
 * Names of kubelet profiles as k0s can have them, by those of MKE 3: a ConfigMap has the name of the profile in its own,
 * which allows less than MKE 3 does.
 */
export function profileNames(names: readonly string[]): Map<string, string> {
  const taken = new Set(own);
  const result = new Map<string, string>();
  // A name that is legal stays.
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
