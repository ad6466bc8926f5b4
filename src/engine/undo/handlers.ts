import { hadEffect, needsUndo, type RecordedUnit } from '../../journal/recorded-run.ts';
import { groupBy } from '../../util/group.ts';

/** By run of a handler: the changes whose undo makes it due again. */
export type Notifiers = ReadonlyMap<RecordedUnit, readonly RecordedUnit[]>;

/** Whether undoing the unit means that a handler runs again. */
export function isRerun({ intent }: RecordedUnit): boolean {
  return intent.undo.kind === 'rerun';
}

/**
 * The changes that a handler has read when it ran: those since its run before, also of steps that failed or whose end is not known, as
 * they may have written their file. A change that no run of its own handler followed, as in an earlier play, was read by the next
 * runs of handlers with that name.
 */
export function notifiersOf(units: readonly RecordedUnit[]): Notifiers {
  const notifiers = new Map<RecordedUnit, RecordedUnit[]>();
  for (const own of groupBy(units, ({ intent }) => intent.host).values()) {
    const inOrder = own.toSorted((a, b) => a.intent.unit - b.intent.unit);
    const runs = inOrder.filter((unit) => isRerun(unit) && needsUndo(unit));
    for (const change of inOrder)
      for (const run of readersOf(change, runs))
        notifiers.set(run, [...(notifiers.get(run) ?? []), change]);
  }
  return notifiers;
}

/** The first run of each handler, and of each item of its loop, that has read the change. */
function readersOf(change: RecordedUnit, runs: readonly RecordedUnit[]): Iterable<RecordedUnit> {
  const { notifies = [], step } = change.intent;
  if (notifies.length === 0 || !hadEffect(change)) return [];
  // In a run that went on after a rollback, what runs later finds the change undone.
  const until = change.undo === 'undone' ? change.stepBeforeUndo : Infinity;
  const later = runs.filter(({ intent }) => intent.step > step && intent.step <= until);
  const readers = notifies.flatMap(({ id, name }) => {
    const own = later.filter(({ intent }) => intent.handler?.id === id);
    return own.length > 0 ? own : later.filter(({ intent }) => intent.handler?.name === name);
  });
  const first = new Map<string, RecordedUnit>();
  for (const run of readers) {
    const key = `${run.intent.handler?.id ?? ''} ${String(run.intent.index)}`;
    if (!first.has(key)) first.set(key, run);
  }
  return new Set(first.values());
}
