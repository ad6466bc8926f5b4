import { describe, expect, it } from 'vitest';
import { drainWebhooks } from '../../../src/mke/findings/drain-webhooks.ts';
import { viewOf } from './views.ts';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: { name: policy, labels: { control-plane: guard } }
---`;
const configuration = (rule: string, more = '') => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: guard }
webhooks:
  - name: a.guard
    clientConfig: { service: { namespace: policy, name: guard } }
    rules: [{ ${rule} }]
    ${more}`;
const on = (resources: string, operations = 'CREATE', groups = "''") =>
  `apiGroups: [${groups}], operations: ['${operations}'], resources: ['${resources}']`;
const found = (rule: string, more?: string) =>
  drainWebhooks(viewOf(NAMESPACE + configuration(rule, more))).length;

describe('webhooks that block a drain', () => {
  it.each([
    ['pods/eviction', 'CREATE', 1],
    ['pods/*', 'CREATE', 1],
    ['*/*', '*', 1],
    ['nodes', 'UPDATE', 1],
    ['nodes', 'CREATE', 0],
    ['nodes/status', 'UPDATE', 0],
    ['pods', 'CREATE', 1],
    ['pods', 'UPDATE', 0],
    ['pods', 'DELETE', 1],
    ['*', '*', 1],
    ['services', 'CREATE', 0],
  ])('resource %s, operation %s: %i findings', (resources, operations, count) => {
    expect(found(on(resources, operations))).toBe(count);
  });

  it('do not include those with another group, failurePolicy Ignore or a URL', () => {
    expect(found(on('pods/eviction', 'CREATE', 'policy'))).toBe(0);
    expect(found(on('pods/eviction'), 'failurePolicy: Ignore')).toBe(0);
    const outside = configuration(on('pods/eviction')).replace(
      'service: { namespace: policy, name: guard }',
      'url: https://guard.example.com',
    );
    expect(drainWebhooks(viewOf(NAMESPACE + outside))).toEqual([]);
  });

  it('do not include those that exclude their own pods', () => {
    const without = (key: string, value: string) =>
      `namespaceSelector: { matchExpressions: [{ key: ${key}, operator: NotIn, values: [${value}] }] }`;
    expect(found(on('pods'), without('control-plane', 'guard'))).toBe(0);
    expect(found(on('pods'), without('kubernetes.io/metadata.name', 'policy'))).toBe(0);
    expect(found(on('pods'), without('control-plane', 'other'))).toBe(1);
    expect(found(on('pods'), 'objectSelector: { matchLabels: { inject: yes } }')).toBe(0);
  });
});
