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

/** The records of one execution of a step over all attempts, without what a rollback undid. */
export interface StepEntry {
  /** By host, in the order of the records. */
  learnt: ReadonlyMap<string, OnDemand<LearntRecord<'stored'>>>;
  /** Results of loop items by position, by host. */
  items: ReadonlyMap<string, ReadonlyMap<number, OnDemand<ResultRecord<'stored'>>>>;
  /** Changes that were started, oldest first. */
  units: readonly RecordedUnit[];
  /**
   * Changes that may be in place although the step is not done: of failed attempts, or with a
   * failed undo.
   */
  inPlace: readonly RecordedUnit[];
}

export interface Replay<L> {
  /** What was learnt about the hosts on which the step is done. */
  done: Map<string, L>;
  /** Numbers of units on other hosts whose outcome must be read from the host. */
  ask: number[];
  /** Hosts on which the step is not done. */
  todo: string[];
}

/** Sorts the hosts of a step in a resumed run: done, outcome unknown, or still to do. */
export function replay<L extends { host: string; failed?: Failure | undefined }>(
  entry: StepEntry | undefined,
  hosts: readonly string[],
  {
    rolledBack,
    rescued,
    read,
  }: {
    /**
     * Hosts that failed and were rolled back individually: they run nothing, and fail again at the
     * same step.
     */
    rolledBack: ReadonlySet<string>;
    /**
     * Hosts on which the step failed and its rescue has started: the step is not tried again after
     * that.
     */
    rescued?: ReadonlySet<string> | undefined;
    /** Undefined when a part of the record is missing or cannot be decrypted. */
    read: (record: LearntRecord<'stored'>) => L | undefined;
  },
): Replay<L | Pick<L, 'host' | 'failed'>> {
  const done = new Map<string, L | Pick<L, 'host' | 'failed'>>();
  const wanted = new Set(hosts);
  for (const [host, record] of entry?.learnt ?? []) {
    if (!wanted.has(host)) continue;
    const stored = record();
    const learnt = read(stored);
    const isFinal = rolledBack.has(host) || (stored.failed && rescued?.has(host));
    if (isFinal) done.set(host, learnt ?? { host, failed: stored.failed });
    else if (learnt && learnt.failed === undefined) done.set(host, learnt);
  }
  const todo = hosts.filter((host) => !done.has(host) && !rolledBack.has(host));
  const ask = (entry?.units ?? [])
    .filter(({ state, intent }) => state === 'unknown' && todo.includes(intent.host))
    .map(({ intent }) => intent.unit);
  return { done, ask, todo };
}

/**
 * Changes on a host that finished, for a step that did not. By loop position; undefined without a
 * loop.
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

/** Whether a change may be in place although its step (or loop item) must run again. */
export function mayBeInPlace(
  entry: StepEntry | undefined,
  host: string,
  index: number | undefined,
): boolean {
  const units = entry?.inPlace ?? [];
  return units.some(({ intent }) => intent.host === host && intent.index === index);
}

/** The records of the step with that key; undefined if there are none. */
export function stepEntry(
  log: Pick<Log, 'state' | 'executions'>,
  key: string,
): StepEntry | undefined {
  const run = log.state;
  const numbers = log.executions(key);
  if (numbers.length === 0) return undefined;
  const attempts = numbers.flatMap((number) => run.steps.get(number) ?? []);
  const undone = undoneOn(run, attempts);
  const entry: Attempts = { learnt: new Map(), items: new Map(), units: [], inPlace: [] };
  for (const attempt of attempts)
    addAttempt(run, attempt, entry, (host) => attempt.info.number <= (undone.get(host) ?? 0));
  return entry;
}

interface Attempts extends StepEntry {
  learnt: Map<string, OnDemand<LearntRecord<'stored'>>>;
  items: Map<string, Map<number, OnDemand<ResultRecord<'stored'>>>>;
  units: RecordedUnit[];
  inPlace: RecordedUnit[];
}

/**
 * By host on which a change of the step was undone, the number of the last step before the undo.
 * All attempts up to that step count as undone, including one that only found an earlier attempt
 * finished.
 */
function undoneOn(run: RecordedRun, attempts: readonly RecordedStep[]): Map<string, number> {
  const undone = new Map<string, number>();
  for (const unit of attempts.flatMap((attempt) => unitsOf(run, attempt))) {
    const { host } = unit.intent;
    if (run.rolledBack.has(host)) continue;
    // If the undo of a unit is skipped, the undo list of its block may replace it.
    for (const one of unit.undo === 'undo-skipped' ? blocksInPlaceOf(run, unit) : [unit]) {
      if (!one.undoStarted || one.undo === 'undo-skipped') continue;
      undone.set(host, Math.max(one.stepBeforeUndo, undone.get(host) ?? 0));
    }
  }
  return undone;
}

/** Blocks around a change whose undo list replaces the undo of the change. */
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
  entry.inPlace.push(...units.filter(isInPlace));
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

/**
 * Whether a change is in place. A step whose undo always runs is recorded even if it changed
 * nothing.
 */
function isInPlace(unit: RecordedUnit): boolean {
  const { intent, state, undo } = unit;
  if (intent.block || undo === 'undone' || !hadEffect(unit)) return false;
  return state === 'changed' || intent.undo.on !== 'always';
}

function unitsOf({ units }: RecordedRun, step: RecordedStep): RecordedUnit[] {
  return step.units.flatMap((number) => units.get(number) ?? []);
}
