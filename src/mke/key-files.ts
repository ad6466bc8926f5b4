import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

/** Parses the flags of a component, `--name=value` or `--name value`. Repeated flags keep the order of their values. */
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

/** The path on the host of a file in a container; undefined if it is in no mount. `mounts` is from `docker inspect`. */
export function pathOnHost(path: string, mounts: readonly JsonObject[]): string | undefined {
  const covering = mounts
    .map(({ Source: source, Destination: target }) => [String(source), String(target)] as const)
    .filter(([, target]) => path === target || path.startsWith(`${target.replace(/\/$/, '')}/`))
    .sort(([, a], [, b]) => b.length - a.length)[0];
  return covering && covering[0] + path.slice(covering[1].replace(/\/$/, '').length);
}

/** All public keys as PEM in one file for kube-apiserver, beginning with that of the signing key. */
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

/** Key lengths in bytes that kube-apiserver accepts (k8s.io/apiserver, pkg/apis/apiserver/validation). */
const keyLengths: Record<string, readonly number[]> = {
  aescbc: [16, 24, 32],
  aesgcm: [16, 24, 32],
  secretbox: [32],
};

/** Problems of an EncryptionConfiguration; empty if the k0s kube-apiserver can use it. Messages never contain a key. */
export function encryptionProblems(text: string): string[] {
  let document: JsonValue;
  try {
    document = parse(text) as JsonValue;
  } catch {
    return ['it is not valid YAML'];
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
    return [`its provider "${name}" needs an MKE 3 service, or k0s does not support it`];
  const keys = isJsonObject(settings) ? settings['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length === 0) return [`its provider "${name}" has no keys`];
  return keys.filter(isJsonObject).flatMap(({ name: key, secret }) => {
    const { length } = Buffer.from(String(secret), 'base64');
    return lengths.includes(length)
      ? []
      : [
          `key "${String(key)}" of provider "${name}" has ${String(length)} bytes, expected ${lengths.join(' or ')}`,
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
 * The value of "api-audiences" with which k0s also accepts MKE 3 tokens. Their audience is the issuer unless MKE 3 sets
 * audiences. Undefined if the k0s default suffices.
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
