import type { Failure } from '../core/failure.ts';
import type { Log } from '../journal/log.ts';
import type { OnDemand, RecordedRun, RecordedStep, RecordedUnit } from '../journal/recorded-run.ts';
import type { LearntRecord, ResultRecord } from '../journal/records.ts';

/** What is on record of one execution of a step, over all attempts. What a rollback undid is left out. */
export interface StepEntry {
  /** By host, in the order in which it was learnt. */
  learnt: ReadonlyMap<string, OnDemand<LearntRecord<'stored'>>>;
  /** Results of loop items by position, by host. */
  items: ReadonlyMap<string, ReadonlyMap<number, OnDemand<ResultRecord<'stored'>>>>;
  /** Changes that were begun, oldest first. */
  units: readonly RecordedUnit[];
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

/** What the run's records say of the step with that key; undefined when nothing. */
export function stepEntry(
  log: Pick<Log, 'state' | 'executions'>,
  key: string,
): StepEntry | undefined {
  const run = log.state;
  const numbers = log.executions(key);
  if (numbers.length === 0) return undefined;
  const entry: Attempts = { learnt: new Map(), items: new Map(), units: [] };
  for (const number of numbers) {
    const step = run.steps.get(number);
    if (step) addAttempt(run, step, entry);
  }
  return entry;
}

interface Attempts extends StepEntry {
  learnt: Map<string, OnDemand<LearntRecord<'stored'>>>;
  items: Map<string, Map<number, OnDemand<ResultRecord<'stored'>>>>;
  units: RecordedUnit[];
}

function addAttempt(run: RecordedRun, step: RecordedStep, entry: Attempts): void {
  const units = step.units.flatMap((number) => run.units.get(number) ?? []);
  const undone = new Set(
    units
      .filter(({ undo, undoStarted }) => undoStarted && undo !== 'undo-skipped')
      .filter(({ intent }) => !run.takenBack.has(intent.host))
      .map(({ intent }) => intent.host),
  );
  // An earlier attempt on these hosts came before what was undone, and was undone with it.
  for (const host of undone) {
    entry.learnt.delete(host);
    entry.items.delete(host);
  }
  entry.units = [...entry.units, ...units].filter(({ intent }) => !undone.has(intent.host));
  for (const [host, record] of step.learnt) {
    if (undone.has(host)) continue;
    entry.learnt.delete(host);
    entry.learnt.set(host, record);
  }
  for (const [host, own] of step.items) {
    if (undone.has(host)) continue;
    entry.items.set(host, new Map([...(entry.items.get(host) ?? []), ...own]));
  }
}
