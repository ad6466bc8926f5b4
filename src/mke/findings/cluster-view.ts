import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';

/** The Kubernetes objects that the workload checks examine. Checks send no requests. */
export interface ClusterView {
  /** Kubernetes objects as the API returns them, each with `apiVersion` and `kind`. */
  objects: readonly JsonObject[];
  /** Kinds that were read completely: if `objects` does not contain an object of such a kind, it does not exist. */
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

/** The group of an API version; empty for "v1". */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** The name of an object in findings, such as `DaemonSet logging/fluent-bit` or `Node worker1`. */
export function titleOf(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

export const titled = (object: JsonObject): string =>
  titleOf(kindOf(object), namespaceOf(object), nameOf(object));

/** Built-in groups, whose kinds need no group name in kubectl. */
const OWN_GROUPS = new Set(['', 'apps', 'batch', 'policy', 'autoscaling', 'extensions']);

/** kubectl arguments for an object: ` -n logging` and `daemonset/fluent-bit`. */
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

/** Joins words: `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function named(words: readonly string[], most = 5): string {
  const rest = words.length - most;
  if (rest > 0) return `${words.slice(0, most).join(', ')} and ${String(rest)} more`;
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
