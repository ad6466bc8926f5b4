import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { forTarget, isIneffective, type Row } from '../../../src/mke/convert/row.ts';
import { isDefault, rowOf, rows } from '../../../src/mke/convert/table.ts';
import { targets } from '../../../src/mke/mke4-defaults.ts';
import { cases, settings, type Settings } from '../../helpers/mke3-settings.ts';

/** Legal values of each type, for settings whose own are not known. */
const typical: Record<Row['type'], JsonValue[]> = {
  text: ['', 'chosen'],
  number: [0, 11],
  boolean: [true, false],
  list: [[], ['chosen']],
  table: [{}],
  any: [true, false],
  flags: [[]],
};

/** Shown instead of a value. */
const stand = /^\((secret|absent|choice of nodes|name|policy)\)$/;

const legal = (row: Row): JsonValue[] => [
  ...(row.defaults ?? []),
  ...(cases[row.key]?.map(([value]) => value) ?? typical[row.type]),
];
const values = fc
  .subarray([...rows])
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map((row) =>
        fc.constantFrom(...legal(row)).map((value) => [row.key, value] as const),
      ),
    ),
  )
  .map((entries): Settings => Object.fromEntries(entries));

function isShown(shown: string, value: JsonValue | undefined): boolean {
  if (stand.test(shown)) return true;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return (
    text.includes(shown) ||
    shown.startsWith('--') ||
    shown === 'AlwaysPullImages' ||
    shown === 'EventRateLimit'
  );
}

describe('any configuration of MKE 3, with all its keys and legal values', () => {
  const check = (chosen: Settings, target: (typeof targets)[number]): void => {
    const { source, conversion, k0s } = settings(chosen, target);
    const { unconverted, refusals } = conversion;
    const lines = [...unconverted, ...refusals, ...k0s.unconverted];
    for (const { key, value, why } of lines) {
      const owner = Object.keys(chosen).find((one) => key === one || key.startsWith(`${one}.`));
      if (owner === undefined) {
        // What MKE 3 never shows, and what is assumed of an absent setting.
        expect(`${key} ${value}`).toMatch(/clientSecret \(secret\)$|EventRateLimit$|auth\.backend/);
        continue;
      }
      expect(isShown(value, chosen[owner]), `${key} = ${value}`).toBe(true);
      const row = rowOf(owner);
      if (/is off in MKE 3/.test(why)) expect(row && isIneffective(row, source), key).toBe(true);
      if (/has no such setting/.test(why)) expect(forTarget(row?.to, target), key).toBeUndefined();
    }
    const reported = (key: string): boolean =>
      lines.some((one) => one.key === key || one.key.startsWith(`${key}.`));
    for (const [key, value] of Object.entries(chosen)) {
      if (isDefault(key, value)) {
        const says = unconverted.filter((one) => one.key === key).map(({ why }) => why);
        expect(
          says.filter((why) => /no such setting|does not have/.test(why)),
          key,
        ).toEqual([]);
      } else if (!reported(key)) {
        // Neither reported nor without a row that takes it somewhere.
        const row = rowOf(key);
        const places = [
          forTarget(row?.to, target),
          row?.elsewhere,
          ...(row !== undefined && row.type !== 'flags' ? [row.flag, row.refusal] : []),
        ];
        expect(source.asked().includes(key) && places.some(Boolean), key).toBe(true);
      }
    }
  };

  it.each(targets)('loses no key and has no false line (%s)', (target) => {
    fc.assert(
      fc.property(values, (chosen) => {
        check(chosen, target);
      }),
      { numRuns: 200 },
    );
  });
});
