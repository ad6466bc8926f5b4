import { describe, expect, it } from 'vitest';
import { rowOf } from '../../../src/mke/convert/table.ts';
import { C, cases, settings, type Case, type Result } from '../../helpers/mke3-settings.ts';

/** Where a setting has gone: into k0s, into the report, or into the file of MKE 4 for later. */
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

describe('every setting of MKE 3 that is converted', () => {
  const rows = Object.entries(cases).flatMap(([key, all]) =>
    all.map((one) => ({ key, one, title: `${key} = ${JSON.stringify(one[0])} ${one[2] ?? ''}` })),
  );

  it.each(rows)('$title reaches k0s, the report or the file of MKE 4', ({ key, one }) => {
    expect(destinations(key, one)).not.toEqual([]);
  });

  it('is in the table above', () => {
    const asked = new Set(
      rows.flatMap(({ key, one: [value, beside, target] }) =>
        settings({ ...beside, [key]: value }, target).source.asked(),
      ),
    );
    expect([...asked].filter((key) => !Object.hasOwn(cases, key))).toEqual([]);
    expect(Object.keys(cases).filter((key) => !asked.has(key))).toEqual([]);
  });

  it('is found missing by this check when it goes nowhere', () => {
    expect(destinations(`${C}.node_exporter_port`, [9100])).toEqual([]);
  });
});
