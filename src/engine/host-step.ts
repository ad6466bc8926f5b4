import type { UnitState } from '../core/events.ts';
import type { JsonObject } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import type { Included } from '../journal/records.ts';
import type { ScopeValue } from '../template/scope.ts';

/** What became of a step, or of one of its items, on one host. */
export interface HostStep {
  state: UnitState;
  register: ScopeValue;
  changed: boolean;
  failed: boolean;
  ignored: boolean;
  /** Why it failed. */
  message: string | undefined;
  setFacts: JsonObject;
  groups: string[];
  leftGroups: string[];
  addHosts: AddedHost[];
  changedUnits: number[];
  /** Facts of other hosts, which it was delegated to. */
  delegatedFacts: { host: string; facts: JsonObject }[];
  /** What an include resolved to. */
  included?: Included[] | undefined;
}

export function emptyStep(state: UnitState, register: ScopeValue): HostStep {
  return {
    state,
    register,
    changed: false,
    failed: false,
    ignored: false,
    message: undefined,
    setFacts: {},
    delegatedFacts: [],
    groups: [],
    leftGroups: [],
    addHosts: [],
    changedUnits: [],
  };
}

export function isUncertain({ state }: HostStep): boolean {
  return state === 'unknown' || state === 'unreachable';
}
