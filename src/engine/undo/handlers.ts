import { hadEffect, needsUndo, type RecordedUnit } from '../../journal/recorded-run.ts';
import { groupBy } from '../../util/group.ts';

/** By handler run, the changes whose undo requires the handler to run again. */
export type Notifiers = ReadonlyMap<RecordedUnit, readonly RecordedUnit[]>;

/** Whether the undo of the unit is to run a handler again. */
export function isRerun({ intent }: RecordedUnit): boolean {
  return intent.undo.kind === 'rerun';
}

/** Paths that the undo of a change restores. */
export type PathsOf = (change: RecordedUnit) => readonly string[];

/**
 * The changes that each handler run has read: those since the previous run of the handler. Failed
 * steps and steps with an unknown outcome count, because they may have written their file. If no
 * run of its own handler followed a change, as in an earlier play, the next runs of handlers with
 * the same name have read it, or else those that read a later change of the same path.
 */
export function notifiersOf(units: readonly RecordedUnit[], pathsOf: PathsOf): Notifiers {
  const notifiers = new Map<RecordedUnit, RecordedUnit[]>();
  for (const own of groupBy(units, ({ intent }) => intent.host).values()) {
    const inOrder = own.toSorted((a, b) => a.intent.unit - b.intent.unit);
    const runs = inOrder.filter((unit) => isRerun(unit) && needsUndo(unit));
    if (runs.length === 0) continue;
    const readers = allReaders(inOrder, runs, pathsOf);
    for (const change of inOrder)
      for (const run of readers.get(change) ?? [])
        notifiers.set(run, [...(notifiers.get(run) ?? []), change]);
  }
  return notifiers;
}

/** The runs that have read each change of a host. */
function allReaders(
  inOrder: readonly RecordedUnit[],
  runs: readonly RecordedUnit[],
  pathsOf: PathsOf,
): Map<RecordedUnit, readonly RecordedUnit[]> {
  const readers = new Map<RecordedUnit, readonly RecordedUnit[]>();
  const ofPath = new Map<string, readonly RecordedUnit[]>();
  for (const change of inOrder.toReversed()) {
    if (!hadEffect(change)) continue;
    const paths = pathsOf(change).map((path) => `${change.intent.target}\n${path}`);
    const own = readersOf(change, runs);
    const others = new Set(paths.flatMap((path) => ofPath.get(path) ?? []));
    const found = own.length > 0 ? own : [...others].filter((run) => finds(run, change));
    if (found.length === 0) continue;
    readers.set(change, found);
    for (const path of paths) ofPath.set(path, found);
  }
  return readers;
}

/**
 * Whether the handler ran after the change and before its undo. A resumed run may run handlers
 * after the undo.
 */
function finds({ intent }: RecordedUnit, change: RecordedUnit): boolean {
  const until = change.undo === 'undone' ? change.stepBeforeUndo : Infinity;
  return intent.step > change.intent.step && intent.step <= until;
}

/** The first run of each handler, and of each item of its loop, that has read the change. */
function readersOf(change: RecordedUnit, runs: readonly RecordedUnit[]): readonly RecordedUnit[] {
  const { notifies = [] } = change.intent;
  if (notifies.length === 0) return [];
  const later = runs.filter((run) => finds(run, change));
  const readers = notifies.flatMap(({ id, name }) => {
    const own = later.filter(({ intent }) => intent.handler?.id === id);
    return own.length > 0 ? own : later.filter(({ intent }) => intent.handler?.name === name);
  });
  const first = new Map<string, RecordedUnit>();
  for (const run of readers) {
    const key = `${run.intent.handler?.id ?? ''} ${String(run.intent.index)}`;
    if (!first.has(key)) first.set(key, run);
  }
  return [...new Set(first.values())];
}
