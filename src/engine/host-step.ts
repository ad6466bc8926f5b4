import type { JsonObject, JsonValue } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import type { Ending, Outcome } from '../core/outcome.ts';
import type { Included } from '../journal/records.ts';

/** How a step, or one of its loop items, ended on one host, with its effects on the run. */
export interface HostStep extends Ending {
  setFacts: JsonObject;
  /** Values to append to the lists with these names. */
  appendFacts: Record<string, JsonValue[]>;
  groups: string[];
  leftGroups: string[];
  addHosts: AddedHost[];
  /** A unit of the step changed something, now or before the run was interrupted. */
  hasChanged: boolean;
  /** Facts for the hosts that the step was delegated to. */
  delegatedFacts: { host: string; facts: JsonObject }[];
  /** A change was started and its outcome is unknown. */
  uncertain?: true | undefined;
  /** What an include resolved to. */
  included?: Included[] | undefined;
}

/** A step without effects on the run. */
export function emptyStep(outcome: Outcome): HostStep {
  return {
    outcome,
    ignored: false,
    setFacts: {},
    appendFacts: {},
    delegatedFacts: [],
    groups: [],
    leftGroups: [],
    addHosts: [],
    hasChanged: false,
  };
}
