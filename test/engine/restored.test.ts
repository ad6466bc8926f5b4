import { expect, it } from 'vitest';
import { isNamedByEarlierUndo, restored } from '../../src/engine/restored.ts';
import { readRun, type RecordedRun } from '../../src/journal/recorded-run.ts';
import { Redactor } from '../../src/util/redact.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { intentRecord, runRecord, stepRecord, storedRecord } from '../helpers/records.ts';

const automatic = (unit: number, args: JsonObject): JournalRecord[] => [
  intentRecord(unit, 1, 'h1', {
    undo: {
      ...intentRecord(unit, 1, 'h1').undo,
      body: { kind: 'auto', calls: [{ module: 'restore_path', args }] },
    },
  }),
  { t: 'undo-result', unit, state: 'undone', durationMs: 1 },
];
const declared = (unit: number, text: string): JournalRecord[] => [
  intentRecord(unit, 1, 'h1', {
    undo: {
      ...intentRecord(unit, 1, 'h1').undo,
      body: { kind: 'declared', tasks: [], vars: { text } },
    },
  }),
  { t: 'undo-result', unit, state: 'undone', durationMs: 1 },
];
const run = (...records: JournalRecord[][]): RecordedRun =>
  readRun(
    [runRecord({ hosts: ['h1'] }), stepRecord(1, ['h1']), ...records.flat()].map(storedRecord),
  );
const keys = { redactor: new Redactor(), sealer: undefined };
const paths = (one: RecordedRun) =>
  (restored(one, keys).get('h1') ?? []).map(({ call }) => call.args);

it('compares each path with the state before its first change', () => {
  const first = { path: '/etc/a', state: 'absent' };
  expect(paths(run(automatic(1, first), automatic(2, { path: '/etc/a', state: 'file' })))).toEqual([
    first,
  ]);
});

it.each([
  [{ path: '/srv/dir', state: 'absent' }, 1],
  [{ path: '/srv/dir', state: 'directory', tree: 'ab' }, 1],
  [{ path: '/srv/dir', state: 'directory' }, 2],
  [{ path: '/srv/di', state: 'absent' }, 2],
])('after %j in an earlier step, compares %i of two paths, one below the other', (above, count) => {
  const below = { path: '/srv/dir/below', state: 'directory' };
  expect(paths(run(automatic(1, above), automatic(2, below)))).toHaveLength(count);
  expect(paths(run(automatic(1, below), automatic(2, above)))).toHaveLength(2);
});

it.each([
  ['restore /srv/dir/a now', true],
  ['rm -r /srv/dir', true],
  ['rm -r "/srv/dir/"', true],
  ['rm /srv/dir/a.old', false],
  ['rm /srv/dir/ab', false],
  ['rm /old/srv/dir/a', false],
  ['rm /srv/dir/other', false],
])(
  'detects in "%s" whether the declared undo of an earlier step names a path: %s',
  (text, named) => {
    const restore = automatic(2, { path: '/srv/dir/a', state: 'file' });
    const namedIn = (one: RecordedRun) =>
      (restored(one, keys).get('h1') ?? []).map((thing) => isNamedByEarlierUndo(one, thing, keys));
    expect(namedIn(run(declared(1, text), restore))).toEqual([named]);
    expect(namedIn(run(restore, declared(3, text)))).toEqual([false]);
  },
);
