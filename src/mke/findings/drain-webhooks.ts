import { objectOf, type JsonObject } from '../../core/json.ts';
import { selects } from '../webhooks.ts';
import {
  listOf,
  metadataOf,
  nameOf,
  ofKind,
  textOf,
  titled,
  wordsOf,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';

const KINDS = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];

/**
 * Finds webhooks with "failurePolicy: Fail" that can block a drain: a drain evicts their pods, and they intercept the drain's
 * requests or the creation of their own new pods. The check "webhooks" finds webhooks that keep k0s from starting.
 */
export function drainWebhooks(view: ClusterView): Finding[] {
  return KINDS.flatMap((kind) => ofKind(view, kind)).flatMap((configuration): Finding[] => {
    const found = listOf(configuration['webhooks']).flatMap((webhook, index) => {
      const service = objectOf(objectOf(webhook['clientConfig'])['service']);
      // "Fail" is the default. A webhook with a URL is outside the cluster.
      const fails = (webhook['failurePolicy'] ?? 'Fail') === 'Fail';
      const why =
        fails && service['name'] !== undefined ? concernOf(view, webhook, service) : undefined;
      return why === undefined ? [] : [{ index, why, name: textOf(webhook['name']), service }];
    });
    const [first] = found;
    if (!first) return [];
    const { namespace, name } = first.service;
    const patches = found.map(({ index }) => ({
      op: 'add',
      path: `/webhooks/${String(index)}/failurePolicy`,
      value: 'Ignore',
    }));
    return [
      {
        id: 'drain_webhook',
        severity: 'warning',
        blocking: false,
        object: titled(configuration),
        evidence: `Webhook ${first.name} intercepts ${first.why}, with failurePolicy Fail. Its pods run in the cluster (service ${textOf(namespace)}/${textOf(name)}). When a drain evicts the last of them, the requests fail and the drain cannot finish.`,
        remedy: `kubectl patch ${textOf(configuration['kind']).toLowerCase()} ${nameOf(configuration)} --type=json -p '${JSON.stringify(patches)}'`,
      },
    ];
  });
}

function concernOf(
  view: ClusterView,
  webhook: JsonObject,
  service: JsonObject,
): string | undefined {
  const rules = listOf(webhook['rules']);
  const asks = (resource: string, ...operations: string[]) =>
    rules.some((rule) => covers(rule, resource, operations));
  const canBeAny = (namespace: JsonObject) =>
    selects(objectOf(webhook['namespaceSelector']), namespace);
  if (asks('pods/eviction', 'CREATE')) return 'pod evictions';
  if (asks('nodes', 'UPDATE')) return 'node updates such as "kubectl cordon"';
  // The kubelet deletes the API object of a pod that has ended, and a drain waits for that.
  if (asks('pods', 'DELETE')) return 'pod deletions';
  const own = labelsOf(view, textOf(service['namespace']));
  const selectsPods = Object.keys(objectOf(webhook['objectSelector'])).length > 0;
  // A webhook that intercepts the creation of its own pods cannot recover by itself.
  return asks('pods', 'CREATE') && canBeAny(own) && !selectsPods
    ? 'the creation of pods, including its own'
    : undefined;
}

function covers(rule: JsonObject, resource: string, operations: readonly string[]): boolean {
  const groups = wordsOf(rule['apiGroups']);
  const asked = wordsOf(rule['operations']);
  const resources = wordsOf(rule['resources']);
  const [parent = '', child] = resource.split('/');
  const names =
    child === undefined ? [resource, '*', '*/*'] : [resource, `${parent}/*`, `*/${child}`, '*/*'];
  return (
    (groups.includes('*') || groups.includes('')) &&
    operations.some((one) => asked.includes(one) || asked.includes('*')) &&
    names.some((one) => resources.includes(one))
  );
}

function labelsOf(view: ClusterView, namespace: string): JsonObject {
  const found = ofKind(view, 'Namespace').find((one) => nameOf(one) === namespace);
  return {
    ...objectOf(found && metadataOf(found)['labels']),
    'kubernetes.io/metadata.name': namespace,
  };
}
