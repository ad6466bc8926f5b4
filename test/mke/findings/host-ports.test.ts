import { describe, expect, it } from 'vitest';
import { hostPorts } from '../../../src/mke/findings/host-ports.ts';
import { viewOf } from './views.ts';

const NODES = `
apiVersion: v1
kind: Node
metadata: { name: m1, labels: { zone: a } }
spec: { taints: [{ key: com.docker.ucp.manager, effect: NoSchedule }] }
---
apiVersion: v1
kind: Node
metadata: { name: w1, labels: { zone: b } }
---`;
const set = (pod: string) => `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: x, namespace: ops }
spec: { template: { spec: { ${pod} } } }
---`;
const runs = (node: string) => `
apiVersion: v1
kind: Pod
metadata:
  { name: x-1, namespace: ops, ownerReferences: [{ kind: DaemonSet, name: x, controller: true }] }
spec: { nodeName: ${node} }
---`;
const port = (port: number, more = '') =>
  `containers: [{ ports: [{ hostPort: ${String(port)}${more} }] }]`;
const found = (text: string) =>
  hostPorts(viewOf(text)).map(({ blocking, evidence }) => [blocking, evidence]);

describe('host ports', () => {
  it('block the upgrade if a pod on a manager uses a k0s port', () => {
    const [only] = found(NODES + set(port(9443)) + runs('m1'));
    expect(only?.[0]).toBe(true);
    expect(only?.[1]).toContain('9443, which the k0s join API needs on managers. It runs on m1.');
  });

  it('that only controllers need are not reported for pods that cannot run on managers', () => {
    expect(found(NODES + set(port(9443)) + runs('w1'))).toEqual([]);
    const tolerant = `tolerations: [{ operator: Exists }], ${port(9443)}`;
    expect(found(NODES + set(tolerant) + runs('w1'))).toMatchObject([[false, expect.anything()]]);
    expect(found(NODES + set(`nodeSelector: { zone: b }, ${tolerant}`))).toEqual([]);
  });

  it('that every node needs are reported wherever the pod runs', () => {
    expect(found(NODES + set(port(10249)) + runs('w1'))).toMatchObject([
      [false, expect.anything()],
    ]);
  });

  it('for VXLAN are reported only for UDP', () => {
    expect(found(set(port(4789, ', protocol: UDP')))).toHaveLength(1);
    expect(found(set(port(4789)))).toEqual([]);
  });

  it('are TCP ports, and include container ports only with hostNetwork', () => {
    expect(found(set(port(9443, ', protocol: UDP')))).toEqual([]);
    expect(found(set('containers: [{ ports: [{ containerPort: 9443 }] }]'))).toEqual([]);
    expect(
      found(set('hostNetwork: true, containers: [{ ports: [{ containerPort: 9443 }] }]')),
    ).toHaveLength(1);
  });
});
