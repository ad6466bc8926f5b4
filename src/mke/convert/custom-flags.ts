import type { JsonValue } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import { reportContradiction } from './flag-fields.ts';
import { flagName, flagsToMap } from './flags.ts';
import type { FlagsRow } from './row.ts';

/** Sets the custom flags of a component as a map in "spec", and reports those that a map cannot hold. */
export function takeFlags(draft: Draft, { key, to }: FlagsRow): void {
  const flags = draft.from
    .list(key)
    .map(String)
    .filter((flag) => !draft.leftOut(key, flagName(flag)));
  const { map, problems } = flagsToMap(flags);
  for (const { flag, reason } of problems)
    draft.report(key, flag, { why: reason, what: 'set it by hand if it is still needed' });
  for (const name of Object.keys(map)) draft.origins[`${to}.${name}`] = key;
  if (Object.keys(map).length > 0) draft.set(to, map);
}

/** Sets a flag unless a custom flag has set it. */
export function fillFlag(
  draft: Draft,
  { of: path, name }: { of: string; name: string },
  key: string,
  value: JsonValue | undefined,
): void {
  const flags = draft.at(path);
  const custom = flags[name];
  if (value === undefined || draft.leftOut(key, name)) return;
  if (typeof custom === 'string') {
    const from = draft.origins[`${path}.${name}`] ?? path;
    reportContradiction(draft, key, { key: from, flag: `--${name}=${custom}`, value: custom });
    return;
  }
  flags[name] = value;
  draft.origins[`${path}.${name}`] = key;
}
