import { objectOf, type JsonObject } from '../../core/json.ts';
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
  return [...ofKind(view, 'Pod').flatMap((pod) => ofPod(view, pod)), ...orphans(view)];
}

/** A controller that an object names and that is not there any more. */
function lostController(view: ClusterView, object: JsonObject): string | undefined {
  const owner = controllerOf(object);
  const kind = textOf(owner?.['kind']);
  if (!owner || !view.complete.has(kind)) return undefined;
  const isThere = ofKind(view, kind).some(
    (one) =>
      nameOf(one) === owner['name'] &&
      (namespaceOf(one) === '' || namespaceOf(one) === namespaceOf(object)) &&
      // Another object of the same name does not adopt it.
      [undefined, owner['uid']].includes(metadataOf(one)['uid']),
  );
  return isThere ? undefined : `${kind} ${textOf(owner['name'])}`;
}

function ofPod(view: ClusterView, pod: JsonObject): Finding[] {
  if (isStaticPod(pod) || hasEnded(pod)) return [];
  const lost = lostController(view, pod);
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

function orphans(view: ClusterView): Finding[] {
  return ofKind(view, 'ReplicaSet').flatMap((set): Finding[] => {
    if (specOf(set)['replicas'] === 0) return [];
    const lost = lostController(view, set);
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
        remedy: `kubectl${inNamespace} get ${target} -o yaml # create the ${kindOf(set) === 'ReplicaSet' ? 'Deployment' : 'owner'} again, or delete it: kubectl${inNamespace} delete ${target}`,
      },
    ];
  });
}
