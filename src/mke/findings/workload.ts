import { objectOf, type JsonObject } from '../../core/json.ts';
import { imageParts } from '../mke3-objects.ts';
import {
  kindOf,
  kubectlWords,
  listOf,
  metadataOf,
  nameOf,
  namespaceOf,
  specOf,
  textOf,
  titleOf,
  wordsOf,
  type ClusterView,
} from './cluster-view.ts';

/** A topmost controller and its pods: a Deployment rather than its ReplicaSets. A pod without controller is a workload too. */
export interface Workload {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  /** Its name in findings. */
  title: string;
  /** ` -n NAMESPACE` for kubectl, with a leading space. */
  inNamespace: string;
  /** `KIND/NAME` for kubectl. */
  target: string;
  labels: JsonObject;
  /** Desired number of pods; undefined for kinds without replicas, such as DaemonSets. */
  replicas: number | undefined;
  /** The pod's `spec`. */
  pod: JsonObject;
  /** Nodes on which its pods run. */
  nodes: string[];
}

/** Kinds of controllers, with the path of their pod template. */
const TEMPLATES: Record<string, readonly string[]> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const WITH_REPLICAS = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController'];

export const isController = (kind: string): boolean => Object.hasOwn(TEMPLATES, kind);

export function controllerOf(object: JsonObject): JsonObject | undefined {
  return listOf(metadataOf(object)['ownerReferences']).find((one) => one['controller'] === true);
}

/** Whether the kubelet starts the pod from a file or URL: the API has only a mirror of it. */
export function isStaticPod(pod: JsonObject): boolean {
  const annotations = objectOf(metadataOf(pod)['annotations']);
  return (
    Object.hasOwn(annotations, 'kubernetes.io/config.mirror') ||
    controllerOf(pod)?.['kind'] === 'Node'
  );
}

/** Whether a pod or job has ended for good, or an object is being deleted. */
export function hasEnded(object: JsonObject): boolean {
  const status = objectOf(object['status']);
  if (metadataOf(object)['deletionTimestamp'] !== undefined) return true;
  if (kindOf(object) === 'Pod') return ['Succeeded', 'Failed'].includes(textOf(status['phase']));
  return listOf(status['conditions']).some(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
}

const keyOf = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;

/** Controllers by kind, namespace and name. */
export function controllersOf({ objects }: ClusterView): Map<string, JsonObject> {
  const own = objects.filter((one) => isController(kindOf(one)));
  return new Map(own.map((one) => [keyOf(kindOf(one), namespaceOf(one), nameOf(one)), one]));
}

/** The topmost controller of an object that is in the view, and a reference to its own controller if that is not in the view. */
function topOf(object: JsonObject, controllers: ReadonlyMap<string, JsonObject>) {
  let found = object;
  // The limit prevents an endless loop if objects name each other as owners.
  for (let depth = 0; depth < 10; depth++) {
    const owner = controllerOf(found);
    if (!owner || isStaticPod(found)) return { object: found, reference: undefined };
    const key = keyOf(textOf(owner['kind']), namespaceOf(found), textOf(owner['name']));
    const parent = controllers.get(key);
    if (!parent) return { object: found, reference: owner };
    found = parent;
  }
  return { object: found, reference: undefined };
}

function templateOf(object: JsonObject): JsonObject {
  const kind = kindOf(object);
  let found = object;
  for (const key of TEMPLATES[kind] ?? []) found = objectOf(found[key]);
  return found;
}

function describe(
  identity: { apiVersion: string; kind: string; namespace: string; name: string },
  object: JsonObject,
): Workload {
  const template = templateOf(object);
  const { kind, namespace, name } = identity;
  const replicas = specOf(object)['replicas'];
  return {
    ...identity,
    ...kubectlWords(identity),
    title: titleOf(kind, namespace, name),
    labels: objectOf(metadataOf(template)['labels']),
    replicas: WITH_REPLICAS.includes(kindOf(object))
      ? typeof replicas === 'number'
        ? replicas
        : 1
      : kindOf(object) === 'Pod'
        ? 1
        : undefined,
    pod: specOf(template),
    nodes: [],
  };
}

/** Short-lived kinds. Findings name their controller instead, even if only its name is known. */
const TRANSIENT = ['Pod', 'ReplicaSet', 'Job'];

/** The identity of a workload in findings, and a key that distinguishes pod templates of the same controller. */
function identityOf(
  object: JsonObject,
  view: ClusterView,
  controllers: ReadonlyMap<string, JsonObject>,
) {
  const top = topOf(object, controllers);
  // Ignore the reference if the controller no longer exists. If its kind was not read, it can exist.
  const isGone = top.reference && view.complete.has(textOf(top.reference['kind']));
  const reference = isGone || !TRANSIENT.includes(kindOf(top.object)) ? undefined : top.reference;
  const identity = {
    apiVersion: textOf((reference ?? top.object)['apiVersion']),
    kind: reference ? textOf(reference['kind']) : kindOf(top.object),
    namespace: namespaceOf(top.object),
    name: reference ? textOf(reference['name']) : nameOf(top.object),
  };
  const key = keyOf(identity.kind, identity.namespace, identity.name);
  const parts = reference === undefined ? '' : signatureOf(specOf(templateOf(top.object)));
  return { top: top.object, identity, key: `${key} ${parts}` };
}

/** Distinguishes pods of a controller that is not in the view: it can create pods from several templates. */
function signatureOf(pod: JsonObject): string {
  const containers = containersOf(pod);
  const paths = listOf(pod['volumes']).map(({ hostPath }) => objectOf(hostPath)['path'] ?? '');
  return JSON.stringify([
    containers.map(({ image }) => image ?? ''),
    containers.map(({ ports }) => ports ?? ''),
    paths.filter((path) => path !== ''),
  ]);
}

/** Workloads of users, without MKE 3 itself and without finished pods. */
export function workloadsOf(view: ClusterView): Workload[] {
  const controllers = controllersOf(view);
  const found = new Map<string, Workload>();
  const add = (object: JsonObject): Workload => {
    const { top, identity, key } = identityOf(object, view, controllers);
    const known = found.get(key) ?? describe(identity, top);
    found.set(key, known);
    return known;
  };
  for (const controller of controllers.values()) {
    const isIdle = kindOf(controller) === 'ReplicaSet' && specOf(controller)['replicas'] === 0;
    if (!isIdle && !hasEnded(controller)) add(controller);
  }
  for (const pod of view.objects) {
    if (kindOf(pod) !== 'Pod' || hasEnded(pod)) continue;
    const workload = add(pod);
    const node = textOf(specOf(pod)['nodeName']);
    if (node !== '' && !workload.nodes.includes(node)) workload.nodes.push(node);
  }
  return [...found.values()].filter((one) => !isOfMke3(one));
}

function isOfMke3({ namespace, pod }: Workload): boolean {
  const images = containersOf(pod).map((one) => imageParts(textOf(one['image'])).name);
  return (
    namespace === 'kube-system' &&
    images.length > 0 &&
    images.every((name) => name.startsWith('ucp-'))
  );
}

/** All containers of a pod, including init and ephemeral containers. */
export function containersOf(pod: JsonObject): JsonObject[] {
  return [
    ...['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => listOf(pod[key])),
  ];
}

/** The command and arguments of a container, and its environment as `NAME=value`. */
export function wordsOfContainer(container: JsonObject): string[] {
  return [
    ...wordsOf(container['command']),
    ...wordsOf(container['args']),
    ...listOf(container['env']).map(({ name, value }) => `${textOf(name)}=${textOf(value)}`),
  ];
}
