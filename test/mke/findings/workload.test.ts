import { describe, expect, it } from 'vitest';
import { workloadsOf } from '../../../src/mke/findings/workload.ts';
import { viewOf } from './views.ts';

const titles = (text: string, complete?: ReadonlySet<string>) =>
  workloadsOf(viewOf(text, complete)).map(({ title, nodes }) => [title, ...nodes].join(' '));
const owned = (apiVersion: string, kind: string, name: string, owner: string, more = '') => `
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  { name: ${name}, namespace: shop, ownerReferences: [{ ${owner}, controller: true }] }
${more}
---`;
const pod = (name: string, owner: string, node: string) =>
  owned('v1', 'Pod', name, owner, `spec: { nodeName: ${node} }`);

describe('workloads', () => {
  it('are listed once, as the topmost controller, with the nodes of their pods', () => {
    const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
---`;
    const set = owned('apps/v1', 'ReplicaSet', 'web-1', 'kind: Deployment, name: web');
    const pods = ['a', 'b', 'c'].map((name) =>
      pod(`web-1-${name}`, 'kind: ReplicaSet, name: web-1', name === 'a' ? 'w1' : 'w2'),
    );
    expect(titles(deployment + set + pods.join(''))).toEqual(['Deployment shop/web w1 w2']);
  });

  it('use a controller of a kind that was not read', () => {
    const rollout = 'apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: api';
    const set = owned('apps/v1', 'ReplicaSet', 'api-1', rollout, 'spec: { replicas: 1 }');
    const [found] = workloadsOf(viewOf(set));
    expect(found).toMatchObject({
      title: 'Rollout shop/api',
      inNamespace: ' -n shop',
      target: 'rollout.argoproj.io/api',
    });
  });

  it('are listed without their controller if it no longer exists', () => {
    expect(titles(pod('job-x', 'kind: Job, name: job', 'w1'))).toEqual(['Pod shop/job-x w1']);
    expect(titles(pod('job-x', 'kind: Job, name: job', 'w1'), new Set())).toEqual([
      'Job shop/job w1',
    ]);
  });

  it('are separate if one controller creates several', () => {
    const operator = 'apiVersion: example.com/v1, kind: Agent, name: agent';
    const made = (kind: string, name: string) => owned('apps/v1', kind, name, operator);
    expect(titles(made('DaemonSet', 'agent') + made('Deployment', 'agent-api'))).toEqual([
      'DaemonSet shop/agent',
      'Deployment shop/agent-api',
    ]);
    const step = (name: string, image: string) =>
      owned('v1', 'Pod', name, operator, `spec: { containers: [{ image: ${image} }] }`);
    expect(titles(step('a', 'x') + step('b', 'y') + step('c', 'y'))).toEqual([
      'Agent shop/agent',
      'Agent shop/agent',
    ]);
  });

  it('do not include ended pods and jobs, old ReplicaSets and MKE 3 itself', () => {
    expect(
      titles(`
apiVersion: v1
kind: Pod
metadata: { name: done, namespace: shop }
status: { phase: Succeeded }
---
apiVersion: v1
kind: Pod
metadata: { name: leaving, namespace: shop, deletionTimestamp: '2026-11-27T20:00:00Z' }
---
apiVersion: batch/v1
kind: Job
metadata: { name: import, namespace: shop }
status: { conditions: [{ type: Complete, status: 'True' }] }
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: old, namespace: shop }
spec: { replicas: 0 }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: calico-node, namespace: kube-system }
spec: { template: { spec: { containers: [{ image: 'mirantis/ucp-calico-node:3.7.16' }] } } }
`),
    ).toEqual([]);
  });

  it('can be listed even if objects own each other', () => {
    const a = owned('apps/v1', 'ReplicaSet', 'a', 'kind: ReplicaSet, name: b');
    const b = owned('apps/v1', 'ReplicaSet', 'b', 'kind: ReplicaSet, name: a');
    expect(titles(a + b).length).toBeGreaterThan(0);
  });
});
