import { describe, expect, it } from 'vitest';
import { minorOf, REMOVED_APIS, removedApi } from '../../../src/mke/findings/removed-api-table.ts';
import { apiCallers, removedApis, storedVersions } from '../../../src/mke/findings/removed-apis.ts';
import { brief, viewOf } from './views.ts';

const entry = (apiVersion: string, kind: string) =>
  REMOVED_APIS.find((one) => one.apiVersion === apiVersion && one.kind === kind);

/*
 * Compared by a program with pluto (versions.yaml of 2026-04) and kubent (rules of 2025-01). kubent has the same entries except
 * Event. pluto also has: alpha versions of RBAC and PriorityClass, which are off by default; audit.k8s.io, which is a file format
 * and not served; and versions removed after 1.32. The tests below list the other differences.
 */
describe('the table of removed API versions', () => {
  it('has each entry once, up to the release 1.32', () => {
    const names = REMOVED_APIS.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(49);
    expect([...new Set(REMOVED_APIS.map(({ removedIn }) => removedIn))].sort()).toEqual([
      '1.16',
      '1.22',
      '1.25',
      '1.26',
      '1.27',
      '1.29',
      '1.32',
    ]);
  });

  it('has 1.26 for flowcontrol v1beta1, as the Kubernetes guide does (pluto has 1.29)', () => {
    expect(entry('flowcontrol.apiserver.k8s.io/v1beta1', 'FlowSchema')?.removedIn).toBe('1.26');
  });

  it('has the access reviews, which pluto lacks, and Event, which kubent lacks', () => {
    expect(entry('authorization.k8s.io/v1beta1', 'SubjectAccessReview')).toBeDefined();
    expect(entry('events.k8s.io/v1beta1', 'Event')).toBeDefined();
  });

  it('has no replacement for PodSecurityPolicy (both name policy/v1beta1, which is removed as well)', () => {
    expect(entry('extensions/v1beta1', 'PodSecurityPolicy')?.replacement).toBe('');
  });

  it('has only replacements that Kubernetes 1.30 serves', () => {
    for (const { replacement } of REMOVED_APIS) {
      const [group, version] = replacement.split('/');
      const isServed = REMOVED_APIS.every(
        (one) =>
          one.apiVersion !== `${group ?? ''}/${version ?? ''}` || minorOf(one.removedIn) > 30,
      );
      expect(isServed, replacement).toBe(true);
    }
  });

  it.each([
    ['flowcontrol.apiserver.k8s.io/v1beta2', 'FlowSchema', 'v1.28.9+k0s.0', false],
    ['flowcontrol.apiserver.k8s.io/v1beta2', 'FlowSchema', 'v1.29.15+k0s.0', true],
    ['flowcontrol.apiserver.k8s.io/v1beta3', 'FlowSchema', 'v1.30.14+k0s.0', false],
    ['flowcontrol.apiserver.k8s.io/v1beta3', 'FlowSchema', 'v1.33.1+k0s.0', true],
    ['batch/v1beta1', 'CronJobList', 'v1.30.0', true],
    ['batch/v1', 'CronJob', 'v1.30.0', false],
    ['cronjobs.example.com/v1beta1', 'CronJob', 'v1.30.0', false],
  ])('%s %s, %s: removed is %s', (apiVersion, kind, release, isRemoved) => {
    expect(removedApi(apiVersion, kind, release) !== undefined).toBe(isRemoved);
  });
});

describe('removed API versions in manifests', () => {
  const applied = (manifest: string, more = '') => `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
  namespace: shop
  annotations: { kubectl.kubernetes.io/last-applied-configuration: '${manifest}' }
${more}`;
  const found = (text: string) => brief(removedApis(viewOf(text), 'v1.29.15'));

  it('are found in the annotation of kubectl apply', () => {
    const manifest = '{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget"}';
    expect(found(applied(manifest))).toEqual(['warning removed_api PodDisruptionBudget shop/web']);
    expect(removedApis(viewOf(applied(manifest)), 'v1.29.15')[0]?.remedy).toBe(
      'kubectl -n shop get poddisruptionbudget.v1.policy web -o yaml # prints the manifest in policy/v1',
    );
  });

  it('are not reported for a damaged annotation', () => {
    expect(found(applied('{"apiVersion":"policy/v1beta1",'))).toEqual([]);
    expect(found(applied('[1]'))).toEqual([]);
  });

  it('are not reported for objects that a controller created', () => {
    const owner = '  ownerReferences: [{ kind: Guard, name: g, controller: true }]';
    const manifest = '{"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget"}';
    expect(found(applied(manifest, owner))).toEqual([]);
  });
});

describe('stored versions of a CustomResourceDefinition', () => {
  const found = (versions: string, stored: string) =>
    brief(
      storedVersions(
        viewOf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: a.example.com }
spec: { group: example.com, versions: [${versions}] }
status: { storedVersions: ${stored} }`),
      ),
    );
  const version = (name: string, more = 'served: true') => `{ name: ${name}, ${more} }`;

  it('are reported if the definition does not serve them', () => {
    const current = version('v1', 'served: true, storage: true');
    const title = 'CustomResourceDefinition a.example.com';
    expect(found(current, '[v1]')).toEqual([]);
    expect(found(`${version('v1beta1')}, ${current}`, '[v1beta1, v1]')).toEqual([]);
    expect(found(current, '[v1beta1, v1]')).toEqual([`warning stored_version ${title}`]);
    expect(found(`${version('v1beta1', 'served: false')}, ${current}`, '[v1beta1, v1]')).toEqual([
      `warning stored_version ${title}`,
    ]);
  });
});

describe('clients that request removed API versions', () => {
  const line = (resource: string, version: string, removed: string, value = '1') =>
    `apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="${removed}",resource="${resource}",subresource="",version="${version}"} ${value}\n`;

  it('are reported once for each API version, including its subresources', () => {
    const status = line('flowschemas', 'v1beta2', '1.29').replace(
      'subresource=""',
      'subresource="status"',
    );
    const text = line('flowschemas', 'v1beta2', '1.29') + status;
    expect(brief(apiCallers(text, 'v1.29.15'))).toEqual([
      'warning removed_api_caller API flowschemas.v1beta2.flowcontrol.apiserver.k8s.io',
    ]);
    expect(apiCallers(text, 'v1.29.15')[0]?.evidence).toContain('v1beta3');
  });

  it('are not reported if the new release serves the API, or the count is 0', () => {
    expect(apiCallers(line('flowschemas', 'v1beta3', '1.32'), 'v1.30.1')).toEqual([]);
    expect(apiCallers(line('flowschemas', 'v1beta2', '1.29', '0'), 'v1.30.1')).toEqual([]);
    expect(apiCallers(line('componentstatuses', 'v1', ''), 'v1.30.1')).toEqual([]);
    expect(apiCallers('', 'v1.30.1')).toEqual([]);
  });
});
