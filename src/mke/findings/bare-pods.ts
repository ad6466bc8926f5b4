import { objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import {
  kindOf,
  kubectlWordsOf,
  metadataOf,
  nameOf,
  namespaceOf,
  ofKind,
  specOf,
  textOf,
  titled,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';
import { controllerOf, hasEnded, isStaticPod } from './workload.ts';

/**
 * Pods that no controller would start again on another node, and ReplicaSets that lost their Deployment. The kubelet of k0s starts
 * a bare pod again on its node, but a drain or the loss of the node ends it for good.
 */
export function barePods(view: ClusterView): Finding[] {
  const known = ownersOf(view);
  return [
    ...ofKind(view, 'Pod').flatMap((pod) => ofPod(known, pod)),
    ...ofKind(view, 'ReplicaSet').flatMap((set) => ofReplicaSet(known, set)),
  ];
}

/** All objects that may own others: a large cluster has thousands, so they are not searched for each pod. */
interface Owners {
  complete: ReadonlySet<string>;
  /** UIDs by kind, namespace and name; undefined for an object without one. */
  uids: ReadonlyMap<string, JsonValue | undefined>;
}

const keyOf = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;

function ownersOf({ objects, complete }: ClusterView): Owners {
  const entries = objects.map(
    (one) => [keyOf(kindOf(one), namespaceOf(one), nameOf(one)), metadataOf(one)['uid']] as const,
  );
  return { complete, uids: new Map(entries) };
}

/** A controller that an object names and that is not there any more. */
function lostController({ complete, uids }: Owners, object: JsonObject): string | undefined {
  const owner = controllerOf(object);
  const [kind, name] = [textOf(owner?.['kind']), textOf(owner?.['name'])];
  if (!owner || !complete.has(kind)) return undefined;
  const keys = [keyOf(kind, namespaceOf(object), name), keyOf(kind, '', name)];
  // Another object of the same name does not adopt it.
  const isThere = keys.some(
    (key) => uids.has(key) && [undefined, owner['uid']].includes(uids.get(key)),
  );
  return isThere ? undefined : `${kind} ${name}`;
}

function ofPod(known: Owners, pod: JsonObject): Finding[] {
  if (isStaticPod(pod) || hasEnded(pod)) return [];
  const lost = lostController(known, pod);
  if (controllerOf(pod) && lost === undefined) return [];
  const { inNamespace, target } = kubectlWordsOf(pod);
  const why = lost === undefined ? 'The pod has no controller' : `${lost} of the pod is gone`;
  const file = `${nameOf(pod)}.yaml`;
  return [
    {
      id: 'bare_pod',
      severity: 'warning',
      blocking: false,
      object: titled(pod),
      evidence: `${why}, so nothing creates it again when it is deleted, its node is drained or the node is lost.`,
      remedy: `kubectl${inNamespace} get ${target} -o yaml > ${file} # make a Deployment or a Job of it`,
    },
  ];
}

function ofReplicaSet(known: Owners, set: JsonObject): Finding[] {
  if (specOf(set)['replicas'] === 0) return [];
  const lost = lostController(known, set);
  const labels = objectOf(metadataOf(set)['labels']);
  // The label is that of a Deployment: somebody who writes a ReplicaSet does not set it.
  const isLeft = !controllerOf(set) && Object.hasOwn(labels, 'pod-template-hash');
  if (lost === undefined && !isLeft) return [];
  const { inNamespace, target } = kubectlWordsOf(set);
  return [
    {
      id: 'orphaned_replicaset',
      severity: 'warning',
      blocking: false,
      object: titled(set),
      evidence: `${lost === undefined ? 'The Deployment that made it' : lost} is gone, and its pods still run. Nothing updates or restarts them: "kubectl rollout" does not know them.`,
      remedy: `kubectl${inNamespace} get ${target} -o yaml # create the Deployment again, or delete it: kubectl${inNamespace} delete ${target}`,
    },
  ];
}
