import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';

/** What the checks of workloads look at. All of it is plain data, so a check asks nobody. */
export interface ClusterView {
  /** Objects of Kubernetes as its API shows them, each with `apiVersion` and `kind`. */
  objects: readonly JsonObject[];
  /** Kinds whose objects were all read: one that is not listed does not exist. */
  complete: ReadonlySet<string>;
}

export const listOf = (value: JsonValue | undefined): JsonObject[] => arrayOf(value).map(objectOf);
export const wordsOf = (value: JsonValue | undefined): string[] =>
  arrayOf(value).filter((word) => typeof word === 'string');
export const textOf = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : '';

export const metadataOf = (object: JsonObject): JsonObject => objectOf(object['metadata']);
export const specOf = (object: JsonObject): JsonObject => objectOf(object['spec']);
export const kindOf = (object: JsonObject): string => textOf(object['kind']);
export const nameOf = (object: JsonObject): string => textOf(metadataOf(object)['name']);
export const namespaceOf = (object: JsonObject): string => textOf(metadataOf(object)['namespace']);
export const ofKind = ({ objects }: ClusterView, kind: string): JsonObject[] =>
  objects.filter((one) => kindOf(one) === kind);

/** The group of an API version: empty for "v1". */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** An object as findings name it, such as `DaemonSet logging/fluent-bit` or `Node worker1`. */
export function titleOf(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

export const titled = (object: JsonObject): string =>
  titleOf(kindOf(object), namespaceOf(object), nameOf(object));

/** Groups of Kubernetes itself, whose kinds kubectl knows by their short names. */
const OWN_GROUPS = new Set(['', 'apps', 'batch', 'policy', 'autoscaling', 'extensions']);

/** Words of kubectl for an object: `-n logging` and `daemonset/fluent-bit`. */
export function kubectlWords(object: {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
}): { inNamespace: string; target: string } {
  const group = groupOf(object.apiVersion);
  const isOwn = OWN_GROUPS.has(group) || group.endsWith('.k8s.io');
  const kind = `${object.kind.toLowerCase()}${isOwn ? '' : `.${group}`}`;
  return {
    inNamespace: object.namespace === '' ? '' : ` -n ${object.namespace}`,
    target: `${kind}/${object.name}`,
  };
}

export function kubectlWordsOf(object: JsonObject): { inNamespace: string; target: string } {
  return kubectlWords({
    apiVersion: textOf(object['apiVersion']),
    kind: kindOf(object),
    namespace: namespaceOf(object),
    name: nameOf(object),
  });
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function named(words: readonly string[], most = 5): string {
  const rest = words.length - most;
  if (rest > 0) return `${words.slice(0, most).join(', ')} and ${String(rest)} more`;
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
