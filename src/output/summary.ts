import type { StepInfo, UnitState } from '../core/states.ts';
import { plural } from '../util/text.ts';
import type { RunEvent } from './events.ts';

export type UnitEnd = Extract<RunEvent, { type: 'unit-end' }>;

/** Numbers of the changes that a run made, or would make. */
interface Counts {
  changed: number;
  /** Changes with an undo, and without. */
  covered: number;
  uncovered: number;
  /** Results that check mode cannot predict. */
  cannotTell: number;
  /** Names of the steps that cannot be undone. */
  irreversible: Set<string>;
}

/** Results of one step, collected until it ends. */
export interface StepSummary {
  step: StepInfo;
  hosts: string[];
  ends: UnitEnd[];
}

/** Collects the results of the steps of a run. */
export class Summary {
  readonly #steps = new Map<number, StepSummary>();
  /** Only steps that have ended. */
  readonly counts: Counts = {
    changed: 0,
    covered: 0,
    uncovered: 0,
    cannotTell: 0,
    irreversible: new Set(),
  };

  /**
   * Adds an event and returns the step that it belongs to. A step that ends is added to the counts
   * and removed.
   */
  see(event: RunEvent): StepSummary | undefined {
    if (event.type === 'step-start') {
      const summary = { step: event.step, hosts: event.hosts, ends: [] };
      this.#steps.set(event.step.number, summary);
      return summary;
    }
    if (!('step' in event)) return undefined;
    const summary = this.#steps.get(event.step.number);
    if (event.type === 'unit-end') summary?.ends.push(event);
    if (event.type === 'step-end') {
      this.#steps.delete(event.step.number);
      for (const end of summary?.ends ?? []) this.#count(end);
    }
    return summary;
  }

  #count({ state, undo, step }: UnitEnd): void {
    const { counts } = this;
    if (state === 'unknown') counts.cannotTell++;
    if (undo === 'irreversible') counts.irreversible.add(step.name);
    if (state !== 'changed') return;
    counts.changed++;
    if (undo === 'uncovered') counts.uncovered++;
    else counts.covered++;
  }
}

const severity: UnitState[] = ['skipped', 'ok', 'changed', 'unknown', 'failed', 'unreachable'];

/** The worst state of each host over its loop items. */
export function hostStates(ends: readonly UnitEnd[]): Map<string, UnitState> {
  const states = new Map<string, UnitState>();
  for (const { host, state } of ends) {
    const known = states.get(host);
    if (known === undefined || severity.indexOf(state) > severity.indexOf(known))
      states.set(host, state);
  }
  return states;
}

export function worstState(ends: readonly UnitEnd[]): UnitState {
  const states = [...hostStates(ends).values()];
  return states.reduce<UnitState>(
    (worst, one) => (severity.indexOf(one) > severity.indexOf(worst) ? one : worst),
    'skipped',
  );
}

/**
 * Hosts by state: up to three names, otherwise a count. The state is named only if there are
 * several.
 */
export function countHosts(
  ends: readonly UnitEnd[],
  stateName: (state: UnitState) => string = (state) => state,
): string {
  const states = hostStates(ends);
  const groups = severity.toReversed().flatMap((state) => {
    const hosts = [...states].filter(([, one]) => one === state).map(([host]) => host);
    return hosts.length === 0 ? [] : [{ state, hosts: hosts.sort() }];
  });
  const parts = groups.map(({ state, hosts }) => {
    const who = hosts.length <= 3 ? hosts.join(', ') : plural(hosts.length, 'host');
    return groups.length === 1 ? who : `${who} ${stateName(state)}`;
  });
  return parts.join('; ');
}

export function failureLines(end: UnitEnd): string[] {
  const item = end.item === undefined ? '' : ` (${end.item})`;
  const mark = end.ignored === true ? ' (ignored)' : '';
  const lines = (end.message ?? end.state).split('\n');
  return [
    `${end.host}${item}${mark}: ${lines[0] ?? ''}`,
    ...lines.slice(1).map((line) => `  ${line}`),
  ];
}

export function isFailure({ state, ignored }: UnitEnd): boolean {
  return (state === 'failed' || state === 'unreachable') && ignored !== true;
}
