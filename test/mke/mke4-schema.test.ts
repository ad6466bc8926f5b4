import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { configToYaml } from '../../src/mke/convert/yaml.ts';
import { targets, type Target } from '../../src/mke/mke4-defaults.ts';
import { schemaProblems } from '../../src/mke/mke4-schema.ts';
import { convert, dump, kdd } from '../helpers/mke3-config.ts';

describe('the MKE 4 schema', () => {
  const config = (target: Target, toml: string) => convert(toml, { target }).config;
  it.each(targets.flatMap((target) => [[target, dump] as const, [target, kdd] as const]))(
    'accepts a converted configuration of %s',
    (target, toml) => {
      expect(schemaProblems(config(target, toml))).toEqual([]);
      expect(schemaProblems(parse(configToYaml(config(target, toml))) as JsonObject)).toEqual([]);
    },
  );

  it('reports violations', () => {
    const wrong = config('4.0', kdd);
    (wrong['spec'] as JsonObject)['kubelet'] = { maxPods: 'many', maxPosd: 1 };
    expect(schemaProblems(wrong)).toEqual([
      'Unknown argument "maxPosd".',
      '"spec.kubelet.maxPods" must be integer.',
    ]);
  });
});
