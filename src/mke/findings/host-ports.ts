import { objectOf, type JsonObject } from '../../core/json.ts';
import { listOf, metadataOf, named, nameOf, ofKind, specOf, textOf } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Finding } from './finding.ts';
import { containersOf, workloadsOf, type Workload } from './workload.ts';

/** Ports that the new cluster needs on its nodes, with the component that uses them. */
export interface NeededPorts {
  controllers: Readonly<Record<number, string>>;
  nodes: Readonly<Record<number, string>>;
  /** UDP ports; the others are TCP. */
  udp: Readonly<Record<number, string>>;
}

/**
 * Ports that the role mke3_preflight does not check. From https://docs.k0sproject.io/stable/networking/ and, for the ingress
 * controller, from the generated MKE 4 configuration.
 */
export const NEEDED_PORTS: NeededPorts = {
  controllers: {
    2379: 'etcd',
    2380: 'etcd',
    6443: 'the Kubernetes API',
    8132: 'konnectivity',
    8133: 'konnectivity',
    9443: 'the k0s join API',
    10257: 'the controller manager',
    10259: 'the scheduler',
  },
  udp: { 4789: 'Calico (VXLAN)' },
  nodes: {
    9099: 'Calico',
    10248: 'the kubelet',
    10249: 'kube-proxy',
    10250: 'the kubelet',
    10256: 'kube-proxy',
    33000: 'the MKE 4 ingress controller',
    33001: 'the MKE 4 ingress controller',
  },
};

interface Taken {
  port: number;
  user: string;
  onControllers: boolean;
}

/** Finds pods that use a host port that k0s or MKE 4 needs. */
export function hostPorts(view: ClusterView, needed: NeededPorts = NEEDED_PORTS): Finding[] {
  const nodes = view.complete.has('Node') ? ofKind(view, 'Node') : [];
  return workloadsOf(view).flatMap((workload): Finding[] => {
    const place = placeOf(workload, nodes);
    const taken = portsOf(workload.pod).flatMap(({ port, isUdp }): Taken[] => {
      const onNodes = (isUdp ? needed.udp : needed.nodes)[port];
      if (onNodes !== undefined) return [{ port, user: onNodes, onControllers: false }];
      const user = isUdp ? undefined : needed.controllers[port];
      return user === undefined || place === 'workers' ? [] : [{ port, user, onControllers: true }];
    });
    if (taken.length === 0) return [];
    const blocking = place === 'managers' && taken.some((one) => one.onControllers);
    const how = workload.pod['hostNetwork'] === true ? 'hostNetwork' : 'hostPort';
    const ports = taken.map(
      ({ port, user, onControllers }) =>
        `${String(port)}, which ${user} needs on ${onControllers ? 'managers' : 'every node'}`,
    );
    const nodesNamed = workload.nodes.length > 0 ? ` It runs on ${named(workload.nodes)}.` : '';
    return [
      {
        id: 'host_port',
        severity: 'error',
        blocking,
        object: workload.title,
        evidence: `The pods use a host port (${how}): ${named(ports)}.${nodesNamed}`,
        remedy: `kubectl${workload.inNamespace} edit ${workload.target} # use another ${how === 'hostPort' ? 'hostPort' : 'port, or remove hostNetwork'}`,
      },
    ];
  });
}

/** Host ports in the container specifications, without duplicates. */
function portsOf(pod: JsonObject): { port: number; isUdp: boolean }[] {
  const key = pod['hostNetwork'] === true ? 'containerPort' : 'hostPort';
  const found = new Map<string, { port: number; isUdp: boolean }>();
  for (const one of containersOf(pod).flatMap(({ ports }) => listOf(ports))) {
    const { [key]: port, protocol = 'TCP' } = one;
    if (typeof port === 'number' && (protocol === 'TCP' || protocol === 'UDP'))
      found.set(`${String(port)} ${protocol}`, { port, isUdp: protocol === 'UDP' });
  }
  return [...found.values()];
}

/** `managers` if a pod runs on a manager, `workers` if no pod can run on one, empty if it is uncertain. */
function placeOf(workload: Workload, nodes: readonly JsonObject[]): 'managers' | 'workers' | '' {
  const managers = nodes.filter(isManager);
  if (managers.some((node) => workload.nodes.includes(nameOf(node)))) return 'managers';
  return managers.length > 0 && !managers.some((node) => mayRunOn(workload.pod, node))
    ? 'workers'
    : '';
}

function isManager(node: JsonObject): boolean {
  const labels = objectOf(metadataOf(node)['labels']);
  const roles = ['node-role.kubernetes.io/master', 'node-role.kubernetes.io/control-plane'];
  return (
    roles.some((role) => Object.hasOwn(labels, role)) ||
    taintsOf(node).some(({ key }) => key === 'com.docker.ucp.manager')
  );
}

const taintsOf = (node: JsonObject): JsonObject[] => listOf(specOf(node)['taints']);

function mayRunOn(pod: JsonObject, node: JsonObject): boolean {
  const labels = objectOf(metadataOf(node)['labels']);
  const isSelected = Object.entries(objectOf(pod['nodeSelector'])).every(
    ([key, value]) => labels[key] === value,
  );
  const tolerations = listOf(pod['tolerations']);
  const isTolerated = taintsOf(node)
    .filter(({ effect }) => effect !== 'PreferNoSchedule')
    .every((taint) => tolerations.some((one) => tolerates(one, taint)));
  return isSelected && isTolerated;
}

function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const { key, operator, value, effect } = toleration;
  const sameEffect = effect === undefined || effect === '' || effect === taint['effect'];
  if (!sameEffect) return false;
  if (operator === 'Exists') return key === undefined || key === '' || key === taint['key'];
  return key === taint['key'] && textOf(value) === textOf(taint['value']);
}
