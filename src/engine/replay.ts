import type { Failure } from '../core/failure.ts';
import type { Log } from '../journal/log.ts';
import {
  hadEffect,
  type OnDemand,
  type RecordedRun,
  type RecordedStep,
  type RecordedUnit,
} from '../journal/recorded-run.ts';
import type { LearntRecord, ResultRecord } from '../journal/records.ts';

/** What is on record of one execution of a step, over all attempts. What a rollback undid is left out. */
export interface StepEntry {
  /** By host, in the order in which it was learnt. */
  learnt: ReadonlyMap<string, OnDemand<LearntRecord<'stored'>>>;
  /** Results of loop items by position, by host. */
  items: ReadonlyMap<string, ReadonlyMap<number, OnDemand<ResultRecord<'stored'>>>>;
  /** Changes that were begun, oldest first. */
  units: readonly RecordedUnit[];
  /** Changes that may be there although the step is not done: of an attempt that failed, or whose undo did not succeed. */
  standing: readonly RecordedUnit[];
}

export interface Replay<L> {
  /** What is known of hosts on which the step is done. */
  done: Map<string, L>;
  /** Units of the other hosts whose outcome only the host can tell. */
  ask: number[];
  /** Hosts on which the step is not done. */
  todo: string[];
}

/** What a resumed run need not do, must ask about first, and has to do. */
export function replay<L extends { host: string; failed?: Failure | undefined }>(
  entry: StepEntry | undefined,
  hosts: readonly string[],
  {
    takenBack,
    rescued,
    read,
  }: {
    /** Hosts that failed and were rolled back alone: they do nothing any more, and fail again where they did. */
    takenBack: ReadonlySet<string>;
    /** Hosts on which the step failed and a rescue has begun: what that did must not come before another try. */
    rescued?: ReadonlySet<string> | undefined;
    /** Undefined when a part of what was learnt is not known any more. */
    read: (record: LearntRecord<'stored'>) => L | undefined;
  },
): Replay<L | Pick<L, 'host' | 'failed'>> {
  const done = new Map<string, L | Pick<L, 'host' | 'failed'>>();
  const wanted = new Set(hosts);
  for (const [host, record] of entry?.learnt ?? []) {
    if (!wanted.has(host)) continue;
    const stored = record();
    const learnt = read(stored);
    const isFinal = takenBack.has(host) || (stored.failed && rescued?.has(host));
    if (isFinal) done.set(host, learnt ?? { host, failed: stored.failed });
    else if (learnt && learnt.failed === undefined) done.set(host, learnt);
  }
  const todo = hosts.filter((host) => !done.has(host) && !takenBack.has(host));
  const ask = (entry?.units ?? [])
    .filter(({ state, intent }) => state === 'unknown' && todo.includes(intent.host))
    .map(({ intent }) => intent.unit);
  return { done, ask, todo };
}

/**
 * By loop position, undefined without a loop: the changes on a host that are done although the step is not.
 * A loop item with a recorded result is not among them.
 */
export function finishedUnits(
  entry: StepEntry | undefined,
  host: string,
): Map<number | undefined, RecordedUnit> {
  const finished = new Map<number | undefined, RecordedUnit>();
  for (const unit of entry?.units ?? []) {
    const { intent, state } = unit;
    if (intent.host === host && state === 'changed' && !intent.block)
      finished.set(unit.whole().index, unit);
  }
  return finished;
}

/** Whether a change may be there although its step is to be done again, for an item of a loop or without one. */
export function mayStand(
  entry: StepEntry | undefined,
  host: string,
  index: number | undefined,
): boolean {
  const units = entry?.standing ?? [];
  return units.some(({ intent }) => intent.host === host && intent.index === index);
}

/** What the run's records say of the step with that key; undefined when nothing. */
export function stepEntry(
  log: Pick<Log, 'state' | 'executions'>,
  key: string,
): StepEntry | undefined {
  const run = log.state;
  const numbers = log.executions(key);
  if (numbers.length === 0) return undefined;
  const attempts = numbers.flatMap((number) => run.steps.get(number) ?? []);
  const undone = undoneOn(run, attempts);
  const entry: Attempts = { learnt: new Map(), items: new Map(), units: [], standing: [] };
  for (const attempt of attempts)
    addAttempt(run, attempt, entry, (host) => attempt.info.number <= (undone.get(host) ?? 0));
  return entry;
}

interface Attempts extends StepEntry {
  learnt: Map<string, OnDemand<LearntRecord<'stored'>>>;
  items: Map<string, Map<number, OnDemand<ResultRecord<'stored'>>>>;
  units: RecordedUnit[];
  standing: RecordedUnit[];
}

/**
 * By host on which a change of the step was undone: the number of the last step before that. Attempts up to it were undone, also one
 * that only found out that an earlier one had finished.
 */
function undoneOn(run: RecordedRun, attempts: readonly RecordedStep[]): Map<string, number> {
  const undone = new Map<string, number>();
  for (const unit of attempts.flatMap((attempt) => unitsOf(run, attempt))) {
    const { host } = unit.intent;
    if (run.takenBack.has(host)) continue;
    // The undo of its block may stand for that of a unit which is skipped.
    for (const one of unit.undo === 'undo-skipped' ? blocksInPlaceOf(run, unit) : [unit]) {
      if (!one.undoStarted || one.undo === 'undo-skipped') continue;
      undone.set(host, Math.max(one.stepBeforeUndo, undone.get(host) ?? 0));
    }
  }
  return undone;
}

/** Blocks around a change whose undo list replaces its own undo. */
function blocksInPlaceOf({ units }: RecordedRun, { intent }: RecordedUnit): RecordedUnit[] {
  return [...units.values()].filter(({ intent: { unit, host, block } }) => {
    if (block?.replace !== true || host !== intent.host) return false;
    return unit < intent.unit && intent.unit <= block.until;
  });
}

function addAttempt(
  run: RecordedRun,
  step: RecordedStep,
  entry: Attempts,
  isUndone: (host: string) => boolean,
): void {
  const units = unitsOf(run, step);
  entry.units.push(...units.filter(({ intent }) => !isUndone(intent.host)));
  entry.standing.push(...units.filter(stands));
  for (const [host, record] of step.learnt) {
    if (isUndone(host)) continue;
    entry.learnt.delete(host);
    entry.learnt.set(host, record);
  }
  for (const [host, own] of step.items) {
    if (isUndone(host)) continue;
    entry.items.set(host, new Map([...(entry.items.get(host) ?? []), ...own]));
  }
}

/** A step that is undone in any case is on record even where it has changed nothing. */
function stands(unit: RecordedUnit): boolean {
  const { intent, state, undo } = unit;
  if (intent.block || undo === 'undone' || !hadEffect(unit)) return false;
  return state === 'changed' || intent.undo.on !== 'always';
}

function unitsOf({ units }: RecordedRun, step: RecordedStep): RecordedUnit[] {
  return step.units.flatMap((number) => units.get(number) ?? []);
}
