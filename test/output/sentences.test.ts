import { describe, expect, it } from 'vitest';
import type { RollbackResult, TransactionEnd } from '../../src/core/endings.ts';
import type { RunOutcome } from '../../src/core/states.ts';
import { readRun, type RecordedRun } from '../../src/journal/recorded-run.ts';
import {
  allowedCommands,
  conclude,
  concludeAlone,
  concludeCheck,
  refusalOf,
} from '../../src/output/sentences.ts';
import {
  changedRecord,
  intentRecord,
  runRecord,
  stepRecord,
  storedRecord,
} from '../helpers/records.ts';

const undo = (more: Partial<RollbackResult> = {}): TransactionEnd => ({
  status: 'rolled-back',
  why: 'h1: "A" failed',
  undo: {
    ...{ complete: true, interrupted: false, undone: 2, open: [], verified: true },
    ...{ different: [], pastNoReturn: undefined, ...more },
  },
});
const open = [{ unit: 7, host: 'h1', step: 'A', state: undefined }];

describe('the end of a run', () => {
  it.each<[TransactionEnd, state: string, message: string, next: readonly string[]]>([
    [{ status: 'done', left: [], incomplete: false }, 'done', 'Done.', []],
    [
      { status: 'done', left: ['h2'], incomplete: false },
      ...(['done_in_part', 'Done, except h2, which failed and was rolled back.', []] as const),
    ],
    [
      { status: 'done', left: ['h2'], incomplete: true },
      ...(['done_open', 'Done, except h2, which failed and could not be rolled back.'] as const),
      ['runner rollback r --host h2', 'runner show r'],
    ],
    [{ status: 'locked', message: 'h1 is held.' }, 'refused', 'h1 is held.', []],
    [
      { status: 'interrupted', changedAnything: false },
      ...(['stopped_early', 'Interrupted. Nothing was changed.', []] as const),
    ],
    [
      { status: 'interrupted', changedAnything: true },
      ...(['stopped', 'Interrupted. Changes were left in place.'] as const),
      ['runner resume r     # continues the run', 'runner rollback r   # undoes its changes'],
    ],
    [
      { status: 'nothing-changed', message: 'h1: no' },
      ...(['nothing_changed', 'Failed before anything was changed. h1: no.', []] as const),
    ],
    [
      { status: 'left-in-place', message: 'h1: no' },
      ...(['left_in_place', 'Failed: h1: no. Changes were left in place.'] as const),
      ['runner resume r     # continues the run', 'runner rollback r   # undoes its changes'],
    ],
    [
      undo(),
      'rolled_back',
      'Failed: h1: "A" failed. Rolled back (2 changes undone), verified.',
      [],
    ],
    [
      undo({ verified: false }),
      'rolled_back',
      'Failed: h1: "A" failed. Rolled back (2 changes undone), not verified: no state was recorded.',
      [],
    ],
    [
      undo({ undone: 0, verified: false }),
      'rolled_back',
      'Failed: h1: "A" failed. There was nothing to undo.',
      [],
    ],
    [
      undo({ complete: false, interrupted: true, open }),
      'rollback_paused',
      'Failed: h1: "A" failed. The rollback was interrupted: 1 change not undone yet.',
      ['runner rollback r   # resumes the rollback'],
    ],
    [
      undo({ complete: false, open }),
      'rollback_open',
      'Failed: h1: "A" failed. Rollback incomplete. Not undone: change 7 "A" on h1.',
      [
        'runner rollback r                 # retries the remaining undos',
        'runner rollback r --skip CHANGE   # skips one change, which stays',
        'runner show r                     # lists the changes',
      ],
    ],
    [
      undo({ pastNoReturn: 'gate' }),
      'past_no_return',
      'Failed: h1: "A" failed. The run had passed the point of no return "gate"; changes after it were rolled back.',
      ['runner resume r'],
    ],
    [
      undo({ pastNoReturn: 'gate', backTo: 'node 2' }),
      'past_no_return',
      'Failed: h1: "A" failed. The run had passed the point of no return "gate"; changes after commit point "node 2" were rolled back.',
      ['runner resume r'],
    ],
  ])('has a state, a message and the next commands: %j', (end, state, message, next) => {
    expect(conclude('r', end)).toEqual({ state, message, next });
  });

  it('is an incomplete rollback if the verification finds differences', () => {
    const { state, message } = conclude('r', undo({ different: ['"Ports" on h1'] }));
    expect(state).toBe('rollback_open');
    expect(message).toBe(
      'Failed: h1: "A" failed. Rolled back, but the verification found differences: "Ports" on h1.',
    );
  });

  it('offers resume and rollback for the other hosts after single hosts were rolled back', () => {
    expect(concludeAlone('r', ['h2'])).toEqual({
      state: 'stopped',
      message: 'Rolled back on h2. Changes on the other hosts were left in place.',
      next: ['runner resume r     # continues the run', 'runner rollback r   # undoes its changes'],
    });
  });

  it('offers no commands after check mode', () => {
    const failed = { status: 'failed', message: 'h1: no', changedAnything: false } as const;
    expect(concludeCheck(failed)).toEqual({
      ...{ outcome: 'preflight_failed', exitCode: 2 },
      message: 'The check failed: h1: no. Nothing was changed.',
    });
    expect(concludeCheck({ status: 'interrupted', changedAnything: false }).exitCode).toBe(130);
  });
});

describe('a recorded run', () => {
  const ended = (outcome: RunOutcome): RecordedRun =>
    readRun(
      [
        runRecord({ run: 'r', hosts: ['h1'] }),
        stepRecord(1, ['h1']),
        intentRecord(1, 1, 'h1'),
        changedRecord(1, 1, 'h1'),
        { t: 'end', outcome, exitCode: 0, message: 'm', at: '' } as const,
      ].map(storedRecord),
    );

  it('offers the commands that its state allows, and explains why it refuses others', () => {
    const stopped = ended('interrupted');
    expect(allowedCommands(stopped)).toEqual(['runner resume r', 'runner rollback r']);
    expect(refusalOf(stopped, 'resume')).toBeUndefined();
    expect(refusalOf(ended('done'), 'resume')).toEqual({
      message: 'Run r is done; there is nothing to resume.',
    });
    expect(refusalOf(ended('rolled_back'), 'rollback')).toEqual({
      message: 'Run r is already rolled back; there is nothing to roll back.',
      hint: 'Start a new run with: runner play.',
    });
    expect(refusalOf(ended('rollback_incomplete'), 'resume')).toEqual({
      message: 'The rollback of run r has started, so the run cannot be resumed.',
      hint: 'Finish the rollback with: runner rollback r.',
    });
  });
});
