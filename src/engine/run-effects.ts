import type { JsonObject } from '../core/json.ts';
import type { AddedHost, Plan, RunEffect } from '../core/module.ts';

/** What a step changes in the run itself. */
export interface RunChanges {
  setFacts: JsonObject | undefined;
  joinGroups: string[] | undefined;
  leaveGroups: string[] | undefined;
  addHosts: AddedHost[] | undefined;
}

/** The effect of one kind that a plan has on the run. */
export function runEffect<K extends RunEffect['kind']>(
  plan: Plan | undefined,
  kind: K,
): Extract<RunEffect, { kind: K }> | undefined {
  return plan?.run?.find(
    (effect): effect is Extract<RunEffect, { kind: K }> => effect.kind === kind,
  );
}

export function runChanges(plan: Plan | undefined): RunChanges {
  const joined = runEffect(plan, 'join-groups');
  const added = (plan?.run ?? []).flatMap((one) => (one.kind === 'add-host' ? [one.host] : []));
  return {
    setFacts: runEffect(plan, 'set-facts')?.facts,
    joinGroups: joined?.groups,
    leaveGroups: joined?.leave,
    addHosts: added.length > 0 ? added : undefined,
  };
}
