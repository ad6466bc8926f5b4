import { describe, expect, it } from 'vitest';
import { objectOf, type JsonValue } from '../../src/core/json.ts';
import { forTarget } from '../../src/mke/convert/row.ts';
import { rows } from '../../src/mke/convert/table.ts';
import { copiedToK0s, k0sPlaceOf, k0sPlaces } from '../../src/mke/k0s-places.ts';
import { cases, k0sOf, settings } from '../helpers/mke3-settings.ts';

/** Dotted paths of all differences. */
function differences(one: JsonValue, other: JsonValue, path = ''): string[] {
  if (JSON.stringify(one) === JSON.stringify(other)) return [];
  const [left, right] = [objectOf(one), objectOf(other)];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  if (keys.length === 0) return [path];
  return keys.flatMap((key) =>
    differences(left[key] ?? null, right[key] ?? null, path === '' ? key : `${path}.${key}`),
  );
}

describe('an MKE 3 setting with a place in k0s', () => {
  const known = rows.flatMap((row) => {
    const flag = 'flag' in row ? row.flag : undefined;
    const path = forTarget(row.to, '4.0') ?? (flag && `${flag.of}.${flag.name}`);
    const place = path === undefined ? undefined : k0sPlaceOf(path);
    const [one] = cases[row.key] ?? [];
    return place === undefined || one === undefined || row.elsewhere !== undefined
      ? []
      : [{ key: row.key, one, place: place.replace(/(\.\*|-\*|,.*)$/, '') }];
  });

  it.each(known)('changes $place: $key', ({ key, one: [value, beside = {}], place }) => {
    const before = JSON.parse(JSON.stringify(k0sOf(beside).spec)) as JsonValue;
    const after = JSON.parse(JSON.stringify(k0sOf({ ...beside, [key]: value }).spec)) as JsonValue;
    const changed = differences(before, after);
    expect(changed.filter((path) => path.startsWith(place))).not.toEqual([]);
  });

  it('is copied by the table, unless k0s-config.ts computes it', () => {
    const spec = objectOf(settings({}).conversion.config['spec']);
    expect(k0sPlaces.filter(({ as }) => as === undefined).map(({ from }) => from)).toEqual([
      'apiServer.eventRateLimit.enabled',
      'apiServer.audit',
      'apiServer.extraArgs',
      'etcd.storageQuota',
      'kubelet.extraArgs',
      'kubelet',
      'network.kubeProxy',
    ]);
    expect(copiedToK0s(spec)).toMatchObject({
      api: { extraArgs: { 'request-timeout': '1m0s', 'service-node-port-range': '32768-35535' } },
      network: { calico: { mode: 'vxlan', vxlanPort: 4789, vxlanVNI: 10000, wireguard: false } },
    });
    expect(copiedToK0s({})).toEqual({});
  });

  it('does not exist for settings that take effect with MKE 4', () => {
    expect(k0sPlaceOf('ingressController.replicaCount')).toBeUndefined();
    expect(k0sPlaceOf('kubeletes.x')).toBeUndefined();
  });
});
