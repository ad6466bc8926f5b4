import { isJsonObject, objectOf, parseJson, type JsonObject } from '../../core/json.ts';
import {
  groupOf,
  kindOf,
  listOf,
  metadataOf,
  nameOf,
  named,
  namespaceOf,
  ofKind,
  textOf,
  titled,
  wordsOf,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';
import { REMOVED_APIS, minorOf, removedApi, type RemovedApi } from './removed-api-table.ts';
import { controllerOf } from './workload.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Finds objects whose manifest has an API version that the new release does not serve. The object itself is kept, because the
 * API serves it in other versions, but the next "kubectl apply" of the manifest fails.
 *
 * @param release Kubernetes version, such as "v1.29.15+k0s.0"
 */
export function removedApis({ objects }: ClusterView, release: string): Finding[] {
  return objects.flatMap((object): Finding[] => {
    // Objects created by a controller have no manifest.
    if (controllerOf(object)) return [];
    const applied = textOf(objectOf(metadataOf(object)['annotations'])[LAST_APPLIED]);
    const manifest = parseJson(applied);
    const given = isJsonObject(manifest) ? manifest : object;
    const removed =
      removedApi(textOf(object['apiVersion']), kindOf(object), release) ??
      removedApi(textOf(given['apiVersion']), textOf(given['kind']), release);
    if (!removed) return [];
    const found = isJsonObject(manifest)
      ? `It was last applied from a manifest with ${removed.apiVersion}`
      : `Its API version is ${removed.apiVersion}`;
    return [
      {
        id: 'removed_api',
        severity: 'warning',
        blocking: false,
        object: titled(object),
        evidence: `${found}, which Kubernetes ${removed.removedIn} and later do not serve. The object is kept, but the next "kubectl apply" of the manifest fails.`,
        remedy: remedyFor(object, removed),
      },
    ];
  });
}

function remedyFor(object: JsonObject, { replacement }: RemovedApi): string {
  const namespace = namespaceOf(object);
  const inNamespace = namespace === '' ? '' : ` -n ${namespace}`;
  if (replacement === '')
    return 'kubectl label namespace --all --dry-run=server pod-security.kubernetes.io/enforce=baseline # use Pod Security Admission instead of the policy';
  return `kubectl${inNamespace} get ${versioned(kindOf(object), replacement)} ${nameOf(object)} -o yaml # prints the manifest in ${replacement}`;
}

/** Resource with an explicit version for kubectl: `cronjob.v1.batch`. */
function versioned(kind: string, apiVersion: string): string {
  const [version = ''] = apiVersion.split('/').slice(-1);
  return `${kind.toLowerCase()}.${version}.${groupOf(apiVersion)}`;
}

/** Finds CustomResourceDefinitions with objects stored in a version that is deprecated or no longer served. */
export function storedVersions(view: ClusterView): Finding[] {
  return ofKind(view, 'CustomResourceDefinition').flatMap((definition): Finding[] => {
    const spec = objectOf(definition['spec']);
    const versions = listOf(spec['versions']);
    const stored = wordsOf(objectOf(definition['status'])['storedVersions']);
    const version = (name: string) => versions.find((one) => one['name'] === name);
    const lost = stored.filter((name) => version(name)?.['served'] !== true);
    const old = stored.filter((name) => {
      const found = version(name);
      return found?.['served'] === true && found['deprecated'] === true && !found['storage'];
    });
    if (lost.length + old.length === 0) return [];
    const name = nameOf(definition);
    const current = textOf(versions.find((one) => one['storage'] === true)?.['name']);
    const plural = textOf(objectOf(spec['names'])['plural']);
    const group = textOf(spec['group']);
    const isNamespaced = spec['scope'] === 'Namespaced';
    const resource = `${plural}.${current}.${group}${isNamespaced ? ' -A' : ''}`;
    const why =
      lost.length > 0
        ? `Objects can be stored in ${named(lost)}, which the definition does not serve.`
        : `Objects can be stored in ${named(old)}, which the definition marks as deprecated.`;
    return [
      {
        id: 'stored_version',
        severity: lost.length > 0 ? 'warning' : 'info',
        blocking: false,
        object: titled(definition),
        evidence: `${why} storedVersions is ${named(stored)}, and new objects are stored in ${current}. An operator release that drops the old version cannot update the definition until all objects are stored in ${current}.`,
        remedy: `kubectl get ${resource} -o yaml | kubectl replace -f - && kubectl patch crd ${name} --subresource=status --type=merge -p '{"status":{"storedVersions":["${current}"]}}'`,
      },
    ];
  });
}

const METRIC = 'apiserver_requested_deprecated_apis';

/**
 * Finds API versions that clients request and that the new release does not serve, from the metrics of the API.
 *
 * @param metrics in the Prometheus text format
 */
export function apiCallers(metrics: string, release: string): Finding[] {
  const found = new Map<string, Finding>();
  for (const line of metrics.split('\n')) {
    const labels = labelsOf(line);
    if (!labels) continue;
    const { group = '', version = '', resource = '', removed_release: removedIn = '' } = labels;
    if (removedIn === '' || !(minorOf(removedIn) <= minorOf(release))) continue;
    const api = `${resource}.${version}${group === '' ? '' : `.${group}`}`;
    const { replacement = '' } = replacementOf(`${group}/${version}`, resource) ?? {};
    found.set(api, {
      id: 'removed_api_caller',
      severity: 'warning',
      blocking: false,
      object: `API ${api}`,
      evidence: `Since the API server started, a client has requested ${resource} in ${group}/${version}, which Kubernetes ${removedIn} and later do not serve.${replacement === '' ? '' : ` It must use ${replacement}.`} The metrics do not name the client.`,
      remedy: `kubectl get --raw /metrics | grep '^${METRIC}' # to find the client, turn on auditing and search for the annotation "k8s.io/deprecated"`,
    });
  }
  return [...found.values()];
}

/** The labels of a line of the metric; undefined for other lines and for the value 0. */
function labelsOf(line: string): Record<string, string> | undefined {
  const [, labels, value] = new RegExp(`^${METRIC}\\{(.*)\\}\\s+(\\S+)`).exec(line) ?? [];
  if (labels === undefined || !(Number(value) > 0)) return undefined;
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(pairs.map(([, name = '', text = '']) => [name, text]));
}

function replacementOf(apiVersion: string, resource: string): RemovedApi | undefined {
  return REMOVED_APIS.find(
    (one) => one.apiVersion === apiVersion && isResourceOf(one.kind, resource),
  );
}

function isResourceOf(kind: string, resource: string): boolean {
  const lower = kind.toLowerCase();
  return [`${lower}s`, `${lower}es`, `${lower.replace(/y$/, '')}ies`].includes(resource);
}
