import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts';
import { rows } from '../../../src/mke/convert/table.ts';
import { configToYaml } from '../../../src/mke/convert/yaml.ts';
import { targets, type Target } from '../../../src/mke/mke4-defaults.ts';
import { documented, reportedWith, withoutEffect } from '../../helpers/mke3-documented.ts';
import { settings, type Settings } from '../../helpers/mke3-settings.ts';

/** Placeholders that are shown instead of a value. */
const placeholder = /^\((secret|absent|choice of nodes|name|policy|file)\)$|\(CERTIFICATE\)/;

const chosenKeys = fc.subarray(Object.keys(documented));
/** Random documented settings, about half of them with their default. */
const configurations = fc.tuple(chosenKeys, chosenKeys).map(([keys, changed]): Settings =>
  Object.fromEntries(
    [...new Set([...keys, ...changed])].map((key) => {
      const { standard = '', other = '' } = documented[key] ?? {};
      return [key, changed.includes(key) ? other : standard];
    }),
  ),
);

interface Outcome {
  /** Parses the YAML on first use. */
  spec: () => JsonValue;
  lines: { key: string; value: string; why: string }[];
}

function outcomeOf(chosen: Settings, target: Target): Outcome {
  const { conversion, k0s } = settings(chosen, target);
  const { unconverted, refusals, metallbPools } = conversion;
  const pools = metallbPools.map(({ name }) => {
    return { key: 'cluster_config.metallb_config.metallb_ip_addr_pool', value: name, why: 'pool' };
  });
  let read: { spec: JsonValue } | undefined;
  const spec = (): JsonValue => {
    read ??= parse(configToYaml(conversion.config)) as { spec: JsonValue };
    return read.spec;
  };
  return { spec, lines: [...unconverted, ...refusals, ...k0s.unconverted, ...pools] };
}

function at(node: JsonValue | undefined, part: string): JsonValue | undefined {
  if (part === '!') return parse(typeof node === 'string' ? node : '') as JsonValue;
  if (Array.isArray(node)) return node[Number(part)];
  return isJsonObject(node) ? node[part] : undefined;
}

const isChanged = (key: string, value: JsonValue | undefined): boolean =>
  value !== undefined && !isDeepStrictEqual(value, documented[key]?.standard);

/** Whether a setting is in the file at its documented path, in the report, or known to have no effect. */
function isKept(key: string, { spec, lines }: Outcome, target: Target): boolean {
  const [path, wanted] = documented[key]?.places[target] ?? [];
  const found = path?.split('/').reduce<JsonValue | undefined>(at, spec());
  const inFile = path !== undefined && isDeepStrictEqual(found, wanted);
  const names = [key, ...(reportedWith[key] ?? [])];
  const inLine = lines.some((line) =>
    names.some((name) => line.key === name || line.key.startsWith(`${name}.`)),
  );
  return inFile || inLine || key in withoutEffect;
}

function isShown(shown: string, value: JsonValue | undefined): boolean {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return placeholder.test(shown) || text.includes(shown) || /^--|^EventRateLimit$/.test(shown);
}

/** Why a line of the report is wrong; undefined if it is correct. */
function falsehood(
  { key, value, why }: Outcome['lines'][number],
  chosen: Settings,
  target: Target,
): string | undefined {
  const owner = Object.keys(chosen).find((one) => key === one || key.startsWith(`${one}.`));
  // MKE 3 does not export the secret.
  if (owner === undefined)
    return key.endsWith('.clientSecret') ? undefined : 'the setting is not in the configuration';
  if (!isChanged(owner, chosen[owner]) && !key.endsWith('.clientSecret'))
    return 'the value is the default';
  if (!isShown(value, chosen[owner])) return 'it shows another value';
  const off = /because (\S+) is off in MKE 3/.exec(why)?.[1];
  if (off !== undefined && chosen[off] === true) return `${off} is on`;
  const denied = /no such setting|MKE 4(\.\d)? (has no|does not (support|have|use))|no field/.test(
    why,
  );
  if (denied && documented[owner]?.places[target] !== undefined) return 'MKE 4 has it';
  return undefined;
}

describe('random MKE 3 configurations, compared with the documentation of each setting', () => {
  it('cover exactly the settings of the conversion', () => {
    const keys = rows.map(({ key }) => key);
    expect(Object.keys(documented).filter((key) => !keys.includes(key))).toEqual([]);
    expect(keys.filter((key) => !(key in documented))).toEqual([]);
  });

  it.each(targets)('a configuration with all defaults has an empty report (%s)', (target) => {
    const all = Object.entries(documented).map(([key, { standard }]) => [key, standard] as const);
    expect(outcomeOf(Object.fromEntries(all), target).lines).toEqual([]);
  });

  it.each(targets)('each setting that is changed alone is converted or reported (%s)', (target) => {
    const lost = Object.entries(documented).filter(
      ([key, { other }]) => !isKept(key, outcomeOf({ [key]: other }, target), target),
    );
    expect(lost.map(([key]) => key)).toEqual([]);
  });

  it.each(targets)(
    'every changed setting is converted or reported, and the report has no wrong lines (%s)',
    (target) => {
      fc.assert(
        fc.property(configurations, (chosen) => {
          const outcome = outcomeOf(chosen, target);
          const lost = Object.entries(chosen).filter(
            ([key, value]) => isChanged(key, value) && !isKept(key, outcome, target),
          );
          expect(lost).toEqual([]);
          const wrong = outcome.lines.map((line) => [line, falsehood(line, chosen, target)]);
          expect(wrong.filter(([, problem]) => problem !== undefined)).toEqual([]);
        }),
        { numRuns: 100 },
      );
    },
  );
});
