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
 * Finds pods that no controller would recreate on another node, and ReplicaSets without their Deployment. The k0s kubelet
 * restarts a bare pod on its node, but it is lost when the node is drained or fails.
 */
export function barePods(view: ClusterView): Finding[] {
  const known = ownersOf(view);
  return [
    ...ofKind(view, 'Pod').flatMap((pod) => ofPod(known, pod)),
    ...ofKind(view, 'ReplicaSet').flatMap((set) => ofReplicaSet(known, set)),
  ];
}

/** Index of all objects by name. A large cluster has thousands of objects, too many to search for each pod. */
interface Owners {
  complete: ReadonlySet<string>;
  /** UIDs by kind, namespace and name; undefined for an object without UID. */
  uids: ReadonlyMap<string, JsonValue | undefined>;
}

const keyOf = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;

function ownersOf({ objects, complete }: ClusterView): Owners {
  const entries = objects.map(
    (one) => [keyOf(kindOf(one), namespaceOf(one), nameOf(one)), metadataOf(one)['uid']] as const,
  );
  return { complete, uids: new Map(entries) };
}

/** The controller that an object refers to, if that no longer exists. */
function lostController({ complete, uids }: Owners, object: JsonObject): string | undefined {
  const owner = controllerOf(object);
  const [kind, name] = [textOf(owner?.['kind']), textOf(owner?.['name'])];
  if (!owner || !complete.has(kind)) return undefined;
  const keys = [keyOf(kind, namespaceOf(object), name), keyOf(kind, '', name)];
  // An object with the same name but another UID is not its controller.
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
  const why =
    lost === undefined ? 'The pod has no controller' : `Its controller ${lost} no longer exists`;
  const file = `${nameOf(pod)}.yaml`;
  return [
    {
      id: 'bare_pod',
      severity: 'warning',
      blocking: false,
      object: titled(pod),
      evidence: `${why}, so it is not recreated when it is deleted, or when its node is drained or fails.`,
      remedy: `kubectl${inNamespace} get ${target} -o yaml > ${file} # convert it to a Deployment or Job`,
    },
  ];
}

function ofReplicaSet(known: Owners, set: JsonObject): Finding[] {
  if (specOf(set)['replicas'] === 0) return [];
  const lost = lostController(known, set);
  const labels = objectOf(metadataOf(set)['labels']);
  // Deployments set this label on their ReplicaSets. Users do not set it.
  const isLeft = !controllerOf(set) && Object.hasOwn(labels, 'pod-template-hash');
  if (lost === undefined && !isLeft) return [];
  const { inNamespace, target } = kubectlWordsOf(set);
  return [
    {
      id: 'orphaned_replicaset',
      severity: 'warning',
      blocking: false,
      object: titled(set),
      evidence: `${lost === undefined ? 'The Deployment that created it' : lost} no longer exists, but its pods still run. "kubectl rollout" cannot update or restart them.`,
      remedy: `kubectl${inNamespace} get ${target} -o yaml # create the Deployment again, or delete it: kubectl${inNamespace} delete ${target}`,
    },
  ];
}
