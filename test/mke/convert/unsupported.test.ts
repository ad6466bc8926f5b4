import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { convertConfig } from '../../../src/mke/convert/convert.ts';
import { unsupported } from '../../../src/mke/convert/unsupported.ts';
import { setPath } from '../../../src/mke/convert/values.ts';
import { Mke3Config } from '../../../src/mke/mke3-config.ts';

const changed: Partial<Record<string, JsonValue>> = {
  text: 'chosen',
  number: 11,
  boolean: true,
  list: ['chosen'],
};

function reported(key: string, value: JsonValue): string[] {
  const toml: JsonObject = { cluster_config: { calico_kdd: true } };
  setPath(toml, key, value);
  const { unconverted } = convertConfig(new Mke3Config(toml), { hosts: [], externalAddress: '' });
  return unconverted.map((one) => `${one.key} = ${one.value}`);
}

describe('a setting without a counterpart', () => {
  it.each(unsupported.map((row) => [row.key, row] as const))(
    '%s is reported unless it has a default',
    (key, { type, defaults }) => {
      for (const value of defaults ?? []) expect(reported(key, value)).toEqual([]);
      const both = defaults?.includes(true) === true && defaults.includes(false);
      if (both) return;
      const value = defaults?.[0] === true ? false : (changed[type] ?? null);
      const shown = /\.(password|passphrase|token)$/.test(key)
        ? '(secret)'
        : typeof value === 'string'
          ? value
          : JSON.stringify(value);
      expect(reported(key, value)).toEqual([`${key} = ${shown}`]);
    },
  );

  it('is reported if it is not documented', () => {
    expect(reported('cluster_config.new_in_3_9', true)).toEqual([
      'cluster_config.new_in_3_9 = true',
    ]);
  });
});
