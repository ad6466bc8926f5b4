import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { decodeRelease, helmReleases } from '../../../src/mke/findings/helm-releases.ts';
import { helmSecret } from '../../helpers/helm.ts';
import { brief } from './views.ts';

const OLD = 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: nightly\n';
const release = (version: number, status: string, manifest = OLD) =>
  helmSecret({ name: 'app', namespace: 'shop', version, status, manifest });
const found = (...objects: JsonObject[]) =>
  helmReleases({ objects, complete: new Set() }, 'v1.29.15');

describe('Helm releases', () => {
  it('are read from the Secret of the deployed revision', () => {
    const [only, ...others] = found(release(1, 'superseded'), release(2, 'deployed'));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ id: 'removed_api_helm', object: 'Helm release shop/app' });
    expect(only?.evidence).toContain('Revision 2 has');
    expect(only?.remedy).toContain('helm mapkubeapis -n shop app');
    expect(only?.evidence).toContain('CronJob nightly (batch/v1beta1)');
  });

  it('are checked in the revision from which Helm upgrades', () => {
    expect(found(release(2, 'deployed', 'kind: Service'), release(3, 'failed'))).toEqual([]);
    expect(
      brief(found(release(2, 'deployed'), release(3, 'failed', 'kind: Service'))),
    ).toHaveLength(1);
    expect(brief(found(release(1, 'failed'), release(2, 'failed')))).toHaveLength(1);
    expect(found(release(1, 'uninstalled'))).toEqual([]);
  });

  it('are distinguished by the names of their Secrets if labels are missing', () => {
    const bare = (name: string, manifest: string) => {
      const { metadata, ...secret } = helmSecret({ name, namespace: 'shop', manifest });
      return { ...secret, metadata: { ...(metadata as JsonObject), labels: {} } };
    };
    expect(brief(found(bare('a', OLD), bare('b', 'kind: Service')))).toEqual([
      'warning removed_api_helm Helm release shop/a',
    ]);
  });

  it('are read from a ConfigMap, which has one base64 encoding less', () => {
    const secret = release(1, 'deployed');
    const data = Buffer.from(String((secret['data'] as JsonObject)['release']), 'base64');
    const map = { ...secret, kind: 'ConfigMap', data: { release: data.toString('latin1') } };
    expect(brief(found(map))).toEqual(['warning removed_api_helm Helm release shop/app']);
  });

  it('that are damaged or too large are reported with a command that reads them', () => {
    const packed = (bytes: Buffer) => ({
      ...release(1, 'deployed'),
      data: { release: Buffer.from(bytes.toString('base64')).toString('base64') },
    });
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024));
    expect(decodeRelease(packed(bomb))).toBe('it is larger than 32 MiB');
    expect(decodeRelease(packed(bomb.subarray(0, 100)))).toBe('its data is damaged');
    expect(decodeRelease(packed(Buffer.from('nothing')))).toBe('its data is damaged');
    const [only] = found(packed(bomb));
    expect(only?.severity).toBe('info');
    expect(only?.remedy).toContain('helm get manifest');
  });

  it('do not reveal their values', () => {
    expect(JSON.stringify(found(release(1, 'deployed')))).not.toContain('hush');
  });

  it('can have quoted fields, comments, and objects in a list', () => {
    const manifest = `# Source: a\nkind: "CronJob" # old\napiVersion: 'batch/v1beta1'\nmetadata:\n  labels:\n    name: x\n  name: second\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: policy/v1beta1\n  kind: PodDisruptionBudget\n  metadata: {name: third}\n`;
    const { evidence = '' } = found(release(1, 'deployed', manifest))[0] ?? {};
    expect(evidence).toContain('CronJob');
    expect(evidence).toContain('PodDisruptionBudget third');
  });
});
