import { describe, expect, it } from 'vitest';
import { barePods } from '../../../src/mke/findings/bare-pods.ts';
import { brief, viewOf } from './views.ts';

const object = (kind: string, name: string, metadata = '', rest = '') => `
apiVersion: ${kind === 'Pod' ? 'v1' : 'apps/v1'}
kind: ${kind}
metadata: { name: ${name}, namespace: shop${metadata === '' ? '' : `, ${metadata}`} }
${rest}
---`;
const owner = (kind: string, name: string, uid: string) =>
  `ownerReferences: [{ kind: ${kind}, name: ${name}, uid: ${uid}, controller: true }]`;
const found = (text: string, complete?: ReadonlySet<string>) =>
  brief(barePods(viewOf(text, complete)));

describe('pods without a controller', () => {
  it('are reported, except static pods and pods that have ended', () => {
    expect(found(object('Pod', 'debug'))).toEqual(['warning bare_pod Pod shop/debug']);
    const mirror = "annotations: { kubernetes.io/config.mirror: 'ab' }";
    expect(found(object('Pod', 'etcd-m1', mirror))).toEqual([]);
    expect(found(object('Pod', 'etcd-m1', owner('Node', 'm1', 'n1')))).toEqual([]);
    expect(found(object('Pod', 'done', '', 'status: { phase: Succeeded }'))).toEqual([]);
  });

  it('include pods whose controller was deleted, even if another object has its name', () => {
    const pod = object('Pod', 'a-1', owner('ReplicaSet', 'a', 'u1'));
    expect(found(pod)).toEqual(['warning bare_pod Pod shop/a-1']);
    expect(found(pod + object('ReplicaSet', 'a', 'uid: u1'))).toEqual([]);
    expect(found(pod + object('ReplicaSet', 'a', 'uid: u2'))).toEqual([
      'warning bare_pod Pod shop/a-1',
    ]);
  });

  it('are not reported if the controllers could not be read', () => {
    const pod = object('Pod', 'a-1', owner('ReplicaSet', 'a', 'u1'));
    expect(found(pod, new Set(['Pod']))).toEqual([]);
    expect(found(object('Pod', 'b-1', owner('Workflow', 'b', 'u1')))).toEqual([]);
  });
});

describe('ReplicaSets without their Deployment', () => {
  const hash = 'labels: { pod-template-hash: abc }';
  it('are reported if they have replicas', () => {
    const expected = ['warning orphaned_replicaset ReplicaSet shop/a'];
    expect(found(object('ReplicaSet', 'a', hash, 'spec: { replicas: 2 }'))).toEqual(expected);
    expect(found(object('ReplicaSet', 'a', owner('Deployment', 'a', 'd1')))).toEqual(expected);
    expect(found(object('ReplicaSet', 'a', hash, 'spec: { replicas: 0 }'))).toEqual([]);
  });

  it('are not reported if a user created them, or their Deployment exists', () => {
    expect(found(object('ReplicaSet', 'a'))).toEqual([]);
    const set = object('ReplicaSet', 'a', `${hash}, ${owner('Deployment', 'a', 'd1')}`);
    expect(found(set + object('Deployment', 'a', 'uid: d1'))).toEqual([]);
  });
});
