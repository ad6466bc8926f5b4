import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkJournal } from '../../src/checker/check-journal.ts';

type Fields = Record<string, unknown>;

function journal(records: readonly Fields[]): string {
  return records
    .map((record, index) => {
      const body = `${String(index + 1)} ${JSON.stringify(record)}`;
      return `${body} ${createHash('sha256').update(body).digest('hex').slice(0, 12)}\n`;
    })
    .join('');
}

const run = { t: 'run', options: { forks: 50 } };
const intent = (unit: number, step: number, host: string, more: Fields = {}): Fields => ({
  t: 'intent',
  unit,
  step,
  host,
  target: host,
  undo: { body: { kind: 'auto' }, on: ['changed', 'failed', 'unknown'], error: 'block' },
  ...more,
});
const changed = (unit: number): Fields => ({ t: 'result', unit, state: 'changed' });
const rollback = { t: 'rollback', reason: 'failed', attempt: 1 };
const undo = (unit: number, state = 'undone'): Fields[] => [
  { t: 'undo-intent', unit },
  { t: 'undo-result', unit, state },
];
const handler = { id: 'p/restart', name: 'restart' };
const notifying = (unit: number, step: number) => intent(unit, step, 'a', { notifies: [handler] });
const handlerRun = (unit: number, step: number) =>
  intent(unit, step, 'a', {
    ...{ handler, undo: { body: { kind: 'rerun' }, on: ['changed', 'failed', 'unknown'] } },
  });
/** Two steps on two hosts: units 1 and 2, then 3 and 4. */
const forward = [
  run,
  ...[intent(1, 1, 'a'), intent(2, 1, 'b'), changed(1), changed(2)],
  ...[intent(3, 2, 'a'), intent(4, 2, 'b'), changed(3), changed(4)],
];

describe('the journal checker', () => {
  it('accepts a rollback in reverse order', () => {
    const back = [rollback, ...undo(3), ...undo(4), ...undo(2), ...undo(1)];
    expect(checkJournal(journal([...forward, ...back]), [1, 2, 3, 4])).toEqual([]);
  });

  it.each<[string, Fields[], RegExp]>([
    [
      'a step undone before a later one',
      [rollback, ...undo(4), ...undo(1)],
      /unit 1 on a before that of unit 3/,
    ],
    [
      'a step undone before a later one of another host that is not blocked',
      [rollback, ...undo(3), ...undo(1)],
      /unit 1 on a before that of unit 4 on b/,
    ],
    ['an undo outside a rollback', [...undo(4)], /outside a rollback/],
    [
      'an undo of a change before a commit point',
      [{ t: 'commit', name: 'c', unit: 2 }, rollback, ...undo(3), ...undo(4), ...undo(2)],
      /unit 2 on b, which is before a commit point/,
    ],
    [
      'an undo of a step that changed nothing',
      [intent(5, 3, 'a'), { t: 'result', unit: 5, state: 'ok' }, rollback, ...undo(5)],
      /unit 5 on a, whose state is ok/,
    ],
    [
      'an undo of a step that never started',
      [intent(5, 3, 'a'), rollback, { t: 'resolved', unit: 5, state: 'planned' }, ...undo(5)],
      /whose state is planned/,
    ],
    ['a change without an intent', [changed(9)], /unit 9 changed something without an intent/],
    ['an undo without an intent', [rollback, ...undo(9)], /unit 9, which has no intent/],
    [
      'two steps undone at the same time',
      [
        rollback,
        { t: 'undo-intent', unit: 3 },
        { t: 'undo-result', unit: 4, state: 'undone' },
        { t: 'undo-intent', unit: 2 },
      ],
      /while another step is being undone/,
    ],
    [
      'a handler that runs again before the file is restored',
      [
        ...[notifying(5, 3), changed(5), handlerRun(6, 4), changed(6)],
        ...[rollback, ...undo(6), ...undo(5)],
      ],
      /what notified it is not undone \(5\)/,
    ],
    [
      'a handler that does not run again after a file of a failed step is restored',
      [
        ...[notifying(5, 3), { t: 'result', unit: 5, state: 'failed' }],
        ...[notifying(6, 4), changed(6), handlerRun(7, 5), changed(7)],
        ...[rollback, ...undo(6), ...undo(7), ...undo(5)],
        { t: 'end', outcome: 'rolled_back', exitCode: 3 },
      ],
      /unit 5 was undone on a, and handler "restart" did not run after/,
    ],
    [
      'a host that was not requested',
      [{ ...rollback, hosts: ['a'] }, ...undo(3), ...undo(4)],
      /unit 4 on b, which was not requested/,
    ],
    [
      'a shared unit undone while a host is blocked',
      [
        run,
        intent(5, 3, 'a', { shared: 'run_once' }),
        changed(5),
        ...[intent(6, 4, 'a'), intent(7, 4, 'b'), changed(6), changed(7)],
        rollback,
        ...undo(6),
        ...undo(7, 'undo-failed'),
        ...undo(5),
      ],
      /unit 5 on a before that of unit 7 on b/,
    ],
  ])('notices %s', (_, records, wanted) => {
    expect(checkJournal(journal([...forward, ...records])).join('\n')).toMatch(wanted);
  });

  it('allows undos on other hosts when one is stuck or unreachable', () => {
    const stuck = [rollback, ...undo(3, 'undo-failed'), ...undo(4), ...undo(2)];
    expect(checkJournal(journal([...forward, ...stuck]))).toEqual([]);
    const away = [
      rollback,
      { t: 'undo-intent', unit: 3 },
      { t: 'parked', host: 'a', why: { kind: 'unresolved', host: 'a' } },
      ...undo(4),
      ...undo(2),
      { t: 'unparked', host: 'a' },
      ...undo(3),
      ...undo(1),
    ];
    expect(checkJournal(journal([...forward, ...away]))).toEqual([]);
  });

  it('allows an undo before a commit point only on a host whose own rollback did not finish', () => {
    const alone = { ...rollback, hosts: ['b'], partial: true };
    const commit = { t: 'commit', unit: 4, irreversible: false };
    const before = [...forward, alone, ...undo(4, 'undo-failed'), commit, { t: 'resume' }];
    const back = [rollback, ...undo(4), ...undo(2)];
    expect(checkJournal(journal([...before, ...back]))).toEqual([]);
    expect(checkJournal(journal([...before, ...back, ...undo(3)])).join()).toMatch(
      /unit 3 on a, which is before a commit point/,
    );
  });

  it('requires no handler run for a change that was undone before the handler ran, in a resumed run', () => {
    const before = [notifying(5, 3), changed(5), rollback, ...undo(5)];
    const after = [{ t: 'resume' }, notifying(6, 4), changed(6), handlerRun(7, 5), changed(7)];
    const end = { t: 'end', outcome: 'rolled_back', exitCode: 3 };
    expect(checkJournal(journal([...forward, ...before, ...after, end]))).toEqual([]);
    const again = [rollback, ...undo(6), end];
    expect(checkJournal(journal([...forward, ...before, ...after, ...again]))).toEqual([
      'Line 23: unit 6 was undone on a, and handler "restart" did not run after.',
    ]);
  });

  it.each([
    ['requested', 0],
    ['unmet', 0],
    ['unnotified', 1],
  ])('a handler that is skipped as %s leaves %i services with the old file', (kind, problems) => {
    const skipped = { t: 'undo-result', unit: 6, state: 'undo-skipped', why: { kind } };
    const records = [
      ...[run, notifying(5, 3), changed(5), handlerRun(6, 4), changed(6)],
      ...[rollback, ...undo(5), skipped, { t: 'end', outcome: 'rolled_back', exitCode: 3 }],
    ];
    expect(checkJournal(journal(records))).toHaveLength(problems);
  });

  it('detects a rollback on more hosts at a time than the run', () => {
    const records = [
      { t: 'run', options: { forks: 1 } },
      ...forward.slice(1),
      rollback,
      { t: 'undo-intent', unit: 3 },
      { t: 'undo-intent', unit: 4 },
    ];
    expect(checkJournal(journal(records)).join()).toMatch(/2 hosts at a time, 1 in the run/);
  });

  it('reports units without an intent, and damaged lines', () => {
    expect(checkJournal(journal(forward), [1, 5])).toEqual([
      'Unit 5 ran on a host and has no intent.',
    ]);
    const text = journal(forward);
    expect(checkJournal(text.replace('"host":"b"', '"host":"c"'))).toEqual(['Line 3 is damaged.']);
    expect(checkJournal(text.slice(0, -20))).toEqual([]);
  });
});
