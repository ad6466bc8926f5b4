import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { failingWebhooks, selects } from '../../src/mke/webhooks.ts';

const rule = (resources: string[], more: JsonObject = {}): JsonObject => ({
  ...{ apiGroups: [''], operations: ['CREATE'], resources },
  ...more,
});
const webhook = (name: string, rules: JsonObject[], more: JsonObject = {}): JsonObject => ({
  ...{ name, rules, failurePolicy: 'Fail' },
  clientConfig: { service: { namespace: 'policy', name: 'guard' } },
  ...more,
});
const found = (...webhooks: JsonObject[]) =>
  failingWebhooks({
    validating: { items: [{ metadata: { name: 'own' }, webhooks }] },
    mutating: { items: [] },
    endpointSlices: {
      items: [
        {
          metadata: { namespace: 'policy', labels: { 'kubernetes.io/service-name': 'guard' } },
          endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false } }, {}],
        },
      ],
    },
    kubeSystem: { metadata: { labels: { team: 'ops' } } },
  });
const blocking = (...webhooks: JsonObject[]) =>
  found(...webhooks).flatMap(({ name, blocks_start }) => (blocks_start ? [name] : []));

describe('webhooks', () => {
  it('are returned with their service and its number of ready endpoints', () => {
    const other = { clientConfig: { service: { namespace: 'policy', name: 'gone' } } };
    expect(found(webhook('a', [rule(['pods'])]), webhook('b', [], other))).toEqual([
      {
        ...{ configuration: 'ValidatingWebhookConfiguration own', name: 'a' },
        ...{ service: 'policy/guard', ready: 2, blocks_start: true },
      },
      {
        ...{ configuration: 'ValidatingWebhookConfiguration own', name: 'b' },
        ...{ service: 'policy/gone', ready: 0, blocks_start: false },
      },
    ]);
  });

  it('are not returned if their failurePolicy is Ignore, or their server is outside the cluster', () => {
    expect(
      found(
        webhook('ignored', [rule(['pods'])], { failurePolicy: 'Ignore' }),
        webhook('outside', [rule(['pods'])], {
          clientConfig: { url: 'https://guard.example.com' },
        }),
      ),
    ).toEqual([]);
  });

  it('block the start of k0s if their rules and selectors match objects that k0s creates', () => {
    const own = {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
      ],
    };
    expect(
      blocking(
        webhook('pods', [rule(['pods'])]),
        webhook('all', [rule(['*'], { apiGroups: ['*'], operations: ['*'] })]),
        webhook('daemonsets', [rule(['daemonsets'], { apiGroups: ['apps'] })]),
        webhook('nodes', [rule(['nodes'])], { namespaceSelector: own }),
        webhook('elsewhere', [rule(['pods'])], { namespaceSelector: own }),
        webhook('deletion', [rule(['pods'], { operations: ['DELETE'] })]),
        webhook('ingresses', [rule(['ingresses'], { apiGroups: ['networking.k8s.io'] })]),
        webhook('cluster', [rule(['*'], { scope: 'Namespaced' })], { namespaceSelector: own }),
      ),
    ).toEqual(['pods', 'all', 'daemonsets', 'nodes']);
  });

  it.each<[string, JsonObject, boolean]>([
    ['nothing', {}, true],
    ['an equal label', { matchLabels: { a: '1' } }, true],
    ['another value', { matchLabels: { a: '2' } }, false],
    ['In', { matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }, true],
    [
      'In, without the label',
      { matchExpressions: [{ key: 'b', operator: 'In', values: ['1'] }] },
      false,
    ],
    [
      'NotIn, without the label',
      { matchExpressions: [{ key: 'b', operator: 'NotIn', values: ['1'] }] },
      true,
    ],
    ['Exists', { matchExpressions: [{ key: 'b', operator: 'Exists' }] }, false],
    ['DoesNotExist', { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, false],
  ])('selects(): %s', (_, selector, fits) => {
    expect(selects(selector, { a: '1' })).toBe(fits);
  });
});
