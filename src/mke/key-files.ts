import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

/** Values of the flags of a component, in their order: `--name=value` or `--name value`. */
export function flagValues(args: readonly string[]): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  for (const [index, arg] of args.entries()) {
    const [, name, value] = /^--([A-Za-z0-9][A-Za-z0-9.-]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (name === undefined) continue;
    const next = args[index + 1];
    const given = value ?? (next === undefined || next.startsWith('--') ? 'true' : next);
    flags.set(name, [...(flags.get(name) ?? []), given]);
  }
  return flags;
}

/** Where the host has a file of a container; undefined if no mount covers it. Mounts as `docker inspect` lists them. */
export function pathOnHost(path: string, mounts: readonly JsonObject[]): string | undefined {
  const covering = mounts
    .map(({ Source: source, Destination: target }) => [String(source), String(target)] as const)
    .filter(([, target]) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`))
    .sort(([, a], [, b]) => b.length - a.length)[0];
  return covering && covering[0] + path.slice(covering[1].replace(/\/$/, '').length);
}

/** Public keys as PEM of one file for kube-apiserver, the first that of the signing key. */
export function publicKeys(signing: string, others: readonly string[]): string {
  const derived = pemOf(createPublicKey(createPrivateKey(signing)));
  const more = others.flatMap((text) =>
    [...text.matchAll(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g)].map(([block]) =>
      pemOf(createPublicKey(block)),
    ),
  );
  return [...new Set([derived, ...more])].join('');
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** Lengths in bytes that kube-apiserver takes (k8s.io/apiserver, pkg/apis/apiserver/validation). */
const keyLengths: Record<string, readonly number[]> = {
  aescbc: [16, 24, 32],
  aesgcm: [16, 24, 32],
  secretbox: [32],
};

/** What is wrong with an EncryptionConfiguration; empty if kube-apiserver of k0s can use it. No message holds a key. */
export function encryptionProblems(text: string): string[] {
  let document: JsonValue;
  try {
    document = parse(text) as JsonValue;
  } catch {
    return ['it is not YAML'];
  }
  const resources = isJsonObject(document) ? document['resources'] : undefined;
  if (!Array.isArray(resources) || resources.length === 0) return ['it has no list "resources"'];
  return resources.flatMap((resource) => {
    const providers = isJsonObject(resource) ? resource['providers'] : undefined;
    if (!Array.isArray(providers)) return ['a resource has no list "providers"'];
    return providers.flatMap((provider) =>
      isJsonObject(provider) ? Object.entries(provider).flatMap(providerProblems) : [],
    );
  });
}

function providerProblems([name, settings]: [string, JsonValue]): string[] {
  if (name === 'identity') return [];
  const lengths = keyLengths[name];
  if (lengths === undefined)
    return [`its provider "${name}" needs a service of MKE 3 or is unknown to k0s`];
  const keys = isJsonObject(settings) ? settings['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length === 0) return [`its provider "${name}" has no keys`];
  return keys.filter(isJsonObject).flatMap(({ name: key, secret }) => {
    const { length } = Buffer.from(String(secret), 'base64');
    return lengths.includes(length)
      ? []
      : [
          `key "${String(key)}" of "${name}" has ${String(length)} bytes instead of ${lengths.join(', ')}`,
        ];
  });
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The issuer of k0s, and the audiences that its kube-apiserver accepts (k0s v1.29, pkg/component/controller/apiserver.go). */
export const K0S_ISSUER = 'https://kubernetes.default.svc';
const K0S_AUDIENCES = [K0S_ISSUER, 'system:konnectivity-server'];

/**
 * Value of "api-audiences" with which k0s also accepts tokens of MKE 3, which are made out to their issuer unless audiences are
 * given; undefined when those of k0s are enough.
 */
export function apiAudiences(
  issuer: string | undefined,
  given: readonly string[] | undefined,
): string | undefined {
  const all = [
    ...new Set([...K0S_AUDIENCES, ...(given ?? (issuer === undefined ? [] : [issuer]))]),
  ];
  return all.length === K0S_AUDIENCES.length ? undefined : all.join(',');
}
