// Nodes and pods of the k0s stand-in on a real lab host.

export interface Node {
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations?: Record<string, string> | undefined;
    creationTimestamp: string;
  };
  spec?: { taints?: Taint[] | undefined; unschedulable?: true | undefined } | undefined;
  status: {
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion?: string };
    addresses?: { type: string; address: string }[] | undefined;
  };
  /** Milliseconds; absent in MKE 3 data. */
  lastReport?: number;
}

export interface Taint {
  key: string;
  value?: string | undefined;
  effect: string;
}

export interface NodeView {
  apiVersion: 'v1';
  kind: 'Node';
  metadata: Node['metadata'];
  spec: NonNullable<Node['spec']>;
  status: Node['status'] & {
    conditions: { lastHeartbeatTime: string; status: string; type: string }[];
  };
}

export const RUNTIME = 'containerd://1.7.13';

/** Arguments of "kubectl label", "annotate" and "taint": NAME=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT, and NAME-. */
export interface Marking {
  verb: 'label' | 'annotate' | 'taint' | 'cordon' | 'uncordon';
  changes: string[];
}

export function mark(node: Node, { verb, changes }: Marking): void {
  if (verb === 'cordon' || verb === 'uncordon') {
    node.spec = { ...node.spec, unschedulable: verb === 'cordon' ? true : undefined };
    return;
  }
  for (const change of changes) {
    const removed = change.endsWith('-') ? change.slice(0, -1) : undefined;
    if (verb === 'taint') {
      const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(change) ?? [];
      const kept = (node.spec?.taints ?? []).filter((taint) =>
        removed === undefined
          ? taint.key !== key || taint.effect !== effect
          : taint.key !== removed,
      );
      const taints = removed === undefined ? [...kept, { key, value, effect }] : kept;
      node.spec = { ...node.spec, taints: taints.length === 0 ? undefined : taints };
      continue;
    }
    const at = change.indexOf('=');
    const values = verb === 'label' ? node.metadata.labels : (node.metadata.annotations ??= {});
    if (removed === undefined) values[change.slice(0, at)] = change.slice(at + 1);
    else Reflect.deleteProperty(values, removed);
  }
}

export interface Pod {
  metadata: {
    namespace: string;
    name: string;
    labels: Record<string, string>;
    ownerReferences: { kind: string; name: string }[];
  };
  spec: {
    nodeName: string;
    hostNetwork?: true;
    containers: { ports: { protocol: string; containerPort: number }[] }[];
  };
  status: { phase: string; podIP: string };
}

/** The stand-in has no pod network, so the agent of a node is its SSH server. */
export function podsOf({ metadata: { name }, status }: NodeView): Pod[] {
  if (status.nodeInfo.containerRuntimeVersion !== RUNTIME) return [];
  const pod = (of: string, port: number): Pod => ({
    metadata: {
      namespace: 'kube-system',
      name: `${of}-${name}`,
      labels: { 'k8s-app': of },
      ownerReferences: [{ kind: 'DaemonSet', name: of }],
    },
    spec: {
      nodeName: name,
      ...(of === 'calico-node' ? { hostNetwork: true } : {}),
      containers: [{ ports: [{ protocol: 'TCP', containerPort: port }] }],
    },
    status: {
      phase: 'Running',
      podIP: status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
    },
  });
  return [pod('calico-node', 9091), pod('konnectivity-agent', 22)];
}
