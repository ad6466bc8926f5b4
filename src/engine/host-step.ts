import type { JsonObject, JsonValue } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import type { Ending, Outcome } from '../core/outcome.ts';
import type { Included } from '../journal/records.ts';

/** How a step, or one of its items, ended on one host, and what it teaches the run. */
export interface HostStep extends Ending {
  setFacts: JsonObject;
  /** What comes to the lists of these names. */
  appendFacts: Record<string, JsonValue[]>;
  groups: string[];
  leftGroups: string[];
  addHosts: AddedHost[];
  /** A unit of it has changed something, now or before the run was interrupted. */
  hasChanged: boolean;
  /** Facts of other hosts, which it was delegated to. */
  delegatedFacts: { host: string; facts: JsonObject }[];
  /** A change was begun, and its outcome is not known. */
  uncertain?: true | undefined;
  /** What an include resolved to. */
  included?: Included[] | undefined;
}

/** One that teaches nothing. */
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
