import { describe, expect, it } from 'vitest';
import { notifiersOf } from '../../../src/engine/undo/handlers.ts';
import { readRun, type RecordedUnit } from '../../../src/journal/recorded-run.ts';
import type { HandlerRef, JournalRecord } from '../../../src/journal/records.ts';
import {
  changedRecord,
  handlerRecord,
  intentRecord,
  runRecord,
  stepRecord,
  storedRecord,
} from '../../helpers/records.ts';

const restart: HandlerRef = { id: 'p/handlers/restart', name: 'Restart' };
/** The handler with the same name in a later play. */
const later: HandlerRef = { id: 'q/handlers/restart', name: 'Restart' };

type Unit =
  | { notifies: HandlerRef[]; ends?: 'changed' | 'failed' | 'ok' | 'cut'; path?: string }
  | HandlerRef
  /**
   * A rollback of the changes with these numbers, after which the run continues. It has a number,
   * too.
   */
  | { undone: number[] };

/**
 * By number of a handler run, the numbers of the changes that it read. Units are numbered from 1,
 * on one host.
 */
function read(...units: Unit[]): Record<number, number[]> {
  const records = units.flatMap((unit, index): JournalRecord[] => {
    const number = index + 1;
    if ('undone' in unit)
      return unit.undone.flatMap((one): JournalRecord[] => [
        { t: 'undo-intent', unit: one },
        { t: 'undo-result', unit: one, state: 'undone', durationMs: 1 },
      ]);
    const begins = stepRecord(number, ['h1']);
    if ('id' in unit)
      return [
        begins,
        handlerRecord(number, number, 'h1', unit),
        changedRecord(number, number, 'h1'),
      ];
    const { notifies, ends: state = 'changed' } = unit;
    const intent = intentRecord(number, number, 'h1', { notifies });
    const result = { unit: number, step: number, host: 'h1', durationMs: 1 };
    return [
      begins,
      intent,
      ...(state === 'cut' ? [] : [{ t: 'result' as const, ...result, state }]),
    ];
  });
  const run = readRun([runRecord({ hosts: ['h1'] }), ...records].map(storedRecord));
  const pathsOf = ({ intent: { unit } }: RecordedUnit) =>
    units.slice(unit - 1, unit).flatMap((one) => ('path' in one ? [one.path] : []));
  return Object.fromEntries(
    [...notifiersOf([...run.units.values()], pathsOf)].map(([unit, changes]) => [
      unit.intent.unit,
      changes.map(({ intent }) => intent.unit),
    ]),
  );
}

const change = { notifies: [restart] };

describe('the changes that a handler run has read', () => {
  it('are those since its previous run', () => {
    expect(read(change, change, restart, change, restart)).toEqual({ 3: [1, 2], 5: [4] });
  });

  it('include failed changes and changes with an unknown outcome, but not steps without a change', () => {
    const units: Unit[] = (['failed', 'cut', 'ok'] as const).map((ends) => ({ ...change, ends }));
    expect(read(...units, change, restart)).toEqual({ 5: [1, 2, 4] });
  });

  it('are only those that notify it', () => {
    const other = { id: 'p/handlers/reload', name: 'Reload' };
    expect(read({ notifies: [other] }, change, restart, other)).toEqual({ 3: [2], 4: [1] });
  });

  it('include changes of an earlier play that its own handler did not read', () => {
    expect(read(change, { notifies: [later] }, later)).toEqual({ 3: [1, 2] });
    expect(read(change, restart, { notifies: [later] }, later)).toEqual({ 2: [1], 4: [3] });
  });

  it('do not include changes that were undone before it ran, in a resumed run', () => {
    expect(read(change, { undone: [1] }, change, restart)).toEqual({ 4: [3] });
    expect(read(change, restart, { undone: [1, 2] }, change, restart)).toEqual({ 2: [1], 5: [4] });
  });

  it('include earlier changes of the same path that no handler of their own has read', () => {
    const write = { notifies: [], path: '/etc/app' };
    const other = { id: 'p/handlers/other', name: 'Other' };
    const failed = { notifies: [other], path: '/etc/app', ends: 'failed' as const };
    expect(read(write, failed, { ...change, path: '/etc/app' }, restart, write)).toEqual({
      4: [1, 2, 3],
    });
    expect(read({ ...write, path: '/etc/b' }, { ...change, path: '/etc/app' }, restart)).toEqual({
      3: [2],
    });
    expect(read(failed, other, { ...change, path: '/etc/app' }, restart)).toEqual({
      ...{ 2: [1], 4: [3] },
    });
    const again = { ...change, path: '/etc/app' };
    expect(read(write, { undone: [1] }, again, restart)).toEqual({ 4: [3] });
  });

  it('do not include changes after its run', () => {
    const second = { id: 'p/handlers/second', name: 'Second' };
    expect(read({ notifies: [second] }, second, { notifies: [second] })).toEqual({ 2: [1] });
  });
});
