import type { JsonObject } from '../../core/json.ts';
import type { Mke3Config } from '../mke3-config.ts';
import { Draft } from './draft.ts';
import { isIneffective } from './row.ts';
import { adviceOnStray, isMisplaced, reportStrays } from './strays.ts';
import { isDefault, rowOf, sections } from './table.ts';
import { takeSection } from './take.ts';
import type { Advice, Conversion, ConvertOptions } from './types.ts';
import { adviceOnRest } from './unsupported.ts';

/** Converts the configuration of MKE 3 to the MkeConfig of MKE 4. Pure: the caller reads and writes files. */
export function convertConfig(source: Mke3Config, options: ConvertOptions): Conversion {
  const draft = new Draft(source, options);
  reportStrays(draft);
  for (const section of sections) takeSection(draft, section);
  reportRest(draft);
  const config: JsonObject = {
    apiVersion: 'mke.mirantis.com/v1alpha1',
    kind: 'MkeConfig',
    metadata: { creationTimestamp: null, name: 'mke', namespace: 'mke' },
    spec: draft.spec,
  };
  const { unconverted, refusals, metallbPools, managersTakePods } = draft;
  const { k0sOnly, profileNames, profileFlags, origins } = draft;
  return {
    config,
    unconverted,
    refusals,
    metallbPools,
    managersTakePods,
    later: laterOf(draft),
    k0sOnly,
    profileNames,
    profileFlags,
    origins,
  };
}

/** Reports values of a wrong type, and settings that no section has read unless they have their default. */
function reportRest(draft: Draft): void {
  const { from, target } = draft;
  for (const [key, value, wanted] of from.mistyped())
    draft.report(key, value, {
      why: `expected ${wanted}`,
      what: 'correct it in MKE 3, or set it by hand',
    });
  for (const [key, value] of from.unread())
    if (!isDefault(key, value) || isMisplaced(key))
      draft.report(
        key,
        value,
        adviceOnIneffective(from, key) ?? adviceOnStray(from, key) ?? adviceOnRest(key, target),
      );
}

function adviceOnIneffective(from: Mke3Config, key: string): Advice | undefined {
  const row = rowOf(key);
  if (row?.needs === undefined || !isIneffective(row, from)) return undefined;
  return {
    why: `it has no effect because ${row.needs} is off in MKE 3`,
    what: 'no action needed unless you turn it on in MKE 4',
  };
}

/** Converted settings that take effect only when MKE 4 applies the configuration. */
function laterOf({ from, unconverted, refusals }: Draft): Conversion['later'] {
  const troubled = new Set([...unconverted, ...refusals].map(({ key }) => key));
  const unread = new Set(from.unread().map(([key]) => key));
  return from.entries().flatMap(([key, value]) => {
    const feature = rowOf(key)?.feature;
    const waits = !unread.has(key) && !troubled.has(key) && !isDefault(key, value);
    return feature !== undefined && waits ? [{ key, feature }] : [];
  });
}
