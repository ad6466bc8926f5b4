import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../src/mke/convert/row.ts';
import { rowOf, rows, sections } from '../../../src/mke/convert/table.ts';
import { parseMke3Config } from '../../../src/mke/mke3-config.ts';
import { targets } from '../../../src/mke/mke4-defaults.ts';
import { dump } from '../../helpers/mke3-config.ts';
import {
  C,
  cases,
  settings,
  type Case,
  type Result,
  type Settings,
} from '../../helpers/mke3-settings.ts';
import { randomOf, seed } from '../../helpers/seed.ts';

/** Where a setting has an effect: in k0s, in the report, or in the MKE 4 configuration for later. */
function destinations(key: string, [value, beside = {}, target]: Case): string[] {
  const before = settings(beside, target);
  const after = settings({ ...beside, [key]: value }, target);
  const { conversion, k0s } = after;
  const inK0s = ({ k0s: { spec, flags, files, directories } }: Result): string =>
    JSON.stringify({ spec, flags, files, directories });
  const reported = [...conversion.unconverted, ...conversion.refusals, ...k0s.unconverted].some(
    (one) =>
      (one.key === key || one.key.startsWith(`${key}.`)) && one.why !== '' && one.what !== '',
  );
  const feature = rowOf(key)?.feature;
  const waits = conversion.later.some((one) => one.feature === feature);
  const inFile = ({ conversion: { config, metallbPools } }: Result): string =>
    JSON.stringify([config, metallbPools]);
  return [
    ...(inK0s(before) === inK0s(after) ? [] : ['k0s']),
    ...(before.conversion.managersTakePods === conversion.managersTakePods ? [] : ['taint']),
    ...(reported ? ['report'] : []),
    ...(waits && inFile(before) !== inFile(after) ? ['later'] : []),
  ];
}

describe('the conversion table', () => {
  it('has one row for each key', () => {
    const keys = rows.map(({ key }) => key);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  it('has a row for every key of a downloaded configuration', () => {
    const keys = parseMke3Config(dump, 'x.toml').entries();
    expect(keys.map(([key]) => key).filter((key) => rowOf(key) === undefined)).toEqual([]);
  });

  it('has a destination in every row', () => {
    const places = ['to', 'flag', 'advice', 'refusal', 'elsewhere'];
    expect(rows.filter((row) => !places.some((place) => place in row))).toEqual([]);
  });
});

describe('every converted MKE 3 setting', () => {
  const rows = Object.entries(cases).flatMap(([key, all]) =>
    all.map((one) => ({ key, one, title: `${key} = ${JSON.stringify(one[0])} ${one[2] ?? ''}` })),
  );

  it.each(rows)('$title changes k0s, the report or the MKE 4 configuration', ({ key, one }) => {
    expect(destinations(key, one)).not.toEqual([]);
  });

  it('has a test case', () => {
    const asked = new Set(
      rows.flatMap(({ key, one: [value, beside, target] }) =>
        settings({ ...beside, [key]: value }, target).source.asked(),
      ),
    );
    expect([...asked].filter((key) => !Object.hasOwn(cases, key))).toEqual([]);
    expect(Object.keys(cases).filter((key) => !asked.has(key))).toEqual([]);
    const converted = sections.flatMap(rowsOf).map(({ key }) => key);
    expect(converted.sort()).toEqual(Object.keys(cases).sort());
  });

  it('would fail this test if it had no destination', () => {
    expect(destinations(`${C}.node_exporter_port`, [9100])).toEqual([]);
  });
});

/** Groups of settings in which one can make the others ineffective. */
const rivals = [
  [`${C}.calico_kdd`, `${C}.unmanaged_cni`, `${C}.swarm_only`],
  [`${C}.calico_vxlan`, `${C}.calico_mtu`, `${C}.calico_vxlan_mtu`, `${C}.ipip_mtu`],
  ['auth.external_identity_provider.issuer', 'auth.external_identity_provider.wellKnownConfigUrl'],
  [
    'hardening_configuration.hardening_enabled',
    'hardening_configuration.pids_limit_k8s',
    'hardening_configuration.pids_limit_unspecified_k8s',
  ],
  [
    `${C}.kube_api_server_enable_custom_audit_policy`,
    `${C}.kube_api_server_custom_audit_policy_yaml`,
  ],
  ['tracking_configuration.disable_tracking', 'tracking_configuration.disable_usageinfo'],
];

describe(`settings of random configurations (seed ${String(seed)})`, () => {
  const result = (values: Settings, target: (typeof targets)[number]): string => {
    const { conversion, k0s } = settings(values, target);
    return JSON.stringify([conversion, k0s]);
  };

  it.each(targets)('each change the result in %s', (target) => {
    const random = randomOf(`conversion ${target}`);
    for (let run = 0; run < 10; run += 1) {
      const chosen = Object.entries(cases)
        .filter(([key]) => random() < 0.15 && !rivals.some((group) => group.includes(key)))
        .map(([key, all]) => [key, all[Math.floor(random() * all.length)]] as const);
      for (const group of rivals) {
        const key = group[Math.floor(random() * group.length)] ?? '';
        chosen.push([key, cases[key]?.[0]]);
      }
      const values: Settings = {};
      for (const [, one] of chosen) Object.assign(values, one?.[1]);
      for (const [key, one] of chosen) if (one) values[key] = one[0];
      const all = result(values, target);
      for (const [key, one] of chosen) {
        const { [key]: value, ...others } = values;
        const without = {
          ...others,
          ...(one?.[1]?.[key] === undefined ? {} : { [key]: one[1][key] }),
        };
        expect(result(without, target), `${key} = ${JSON.stringify(value)}`).not.toBe(all);
      }
    }
  });
});
