import { describe, expect, it } from 'vitest';
import { disruptionBudgets } from '../../../src/mke/findings/disruption-budgets.ts';
import { viewOf } from './views.ts';

const workload = (kind: string, replicas: number | '') => `
apiVersion: apps/v1
kind: ${kind}
metadata: { name: web, namespace: shop }
spec:
  ${replicas === '' ? '' : `replicas: ${String(replicas)}`}
  template: { metadata: { labels: { app: web } } }
---`;
const budget = (spec: string, status = '') => `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, ${spec} }
status: { ${status} }`;
const blocks = (text: string) => disruptionBudgets(viewOf(text)).length === 1;

describe('disruption budgets', () => {
  it.each([
    ['maxUnavailable: 0', 3, true],
    ["maxUnavailable: '0%'", 3, true],
    ["maxUnavailable: '10%'", 3, false],
    ['maxUnavailable: 1', 1, false],
    ['minAvailable: 3', 3, true],
    ['minAvailable: 4', 3, true],
    ['minAvailable: 2', 3, false],
    ["minAvailable: '100%'", 3, true],
    ["minAvailable: '90%'", 3, true],
    ["minAvailable: '50%'", 1, true],
    ["minAvailable: '50%'", 3, false],
    ['minAvailable: 1', 0, false],
    ['maxUnavailable: 0', 0, false],
  ])('%s with %i replicas: blocks is %s', (spec, replicas, expected) => {
    expect(blocks(workload('Deployment', replicas) + budget(spec))).toBe(expected);
  });

  it('for DaemonSets are not reported', () => {
    expect(blocks(workload('DaemonSet', '') + budget('maxUnavailable: 0'))).toBe(false);
  });

  it('for workloads that were not read use the pod counts of Kubernetes', () => {
    expect(blocks(budget('minAvailable: 2', 'expectedPods: 2, disruptionsAllowed: 0'))).toBe(true);
    expect(blocks(budget('minAvailable: 2', 'expectedPods: 3, disruptionsAllowed: 1'))).toBe(false);
    expect(blocks(budget('minAvailable: 2'))).toBe(false);
  });

  it('that match no workload in their namespace are not reported', () => {
    const other = budget('maxUnavailable: 0').replace('app: web', 'app: other');
    expect(blocks(other)).toBe(true);
    expect(blocks(workload('Deployment', 2) + other)).toBe(false);
    const none = budget('maxUnavailable: 0').replace(
      'selector: { matchLabels: { app: web } }, ',
      '',
    );
    expect(blocks(workload('Deployment', 2) + none)).toBe(false);
  });

  it('are reported while pods are unhealthy, unless unhealthy pods can be evicted', () => {
    const status = 'expectedPods: 3, desiredHealthy: 2, currentHealthy: 1, disruptionsAllowed: 0';
    const web = workload('StatefulSet', 3);
    expect(blocks(web + budget('minAvailable: 2', status))).toBe(true);
    const lenient = 'minAvailable: 2, unhealthyPodEvictionPolicy: AlwaysAllow';
    expect(blocks(web + budget(lenient, status))).toBe(false);
  });
});
