import { describe, expect, it } from 'vitest';
import type { StepInfo } from '../../src/core/states.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { coverage, UndoPreview } from '../../src/output/plan.ts';
import { Summary } from '../../src/output/summary.ts';
import { stepInfo } from '../helpers/records.ts';

type UnitEnd = Extract<RunEvent, { type: 'unit-end' }>;
const step = (number: number): StepInfo => stepInfo(number);
const end = (number: number, host: string, more: Partial<UnitEnd> = {}): RunEvent => ({
  ...{ type: 'unit-end', step: step(number), host, state: 'changed', undo: 'auto', durationMs: 1 },
  ...more,
});
const over = (number: number): RunEvent => ({
  type: 'step-end',
  step: step(number),
  durationMs: 1,
});
const commit = (name: string, irreversible = false): RunEvent => ({
  type: 'commit',
  name,
  irreversible,
});

const preview = (events: RunEvent[], failAt?: string): string[] => {
  const seen = new UndoPreview(failAt);
  for (const event of events) seen.see(event);
  return seen.lines().filter((line) => line !== '');
};

describe('the rollback order in a plan', () => {
  it('lists the changes of each step with their hosts, last step first', () => {
    const hosts = ['h4', 'h3', 'h2', 'h1'];
    expect(
      preview([
        ...hosts.map((host) => end(1, host)),
        end(2, 'h2', { undo: 'declared' }),
        end(2, 'h1', { undo: 'declared' }),
        end(2, 'h1', { undo: 'declared', item: 'b' }),
        end(3, 'h1', { state: 'ok' }),
        end(4, 'h1', { undo: undefined }),
      ]),
    ).toEqual([
      'Rollback order if the last step fails, back to the start of the run:',
      '  none         s4: h1',
      '  declared     s2: h1, h2',
      '  auto         s1: 4 hosts',
    ]);
  });

  it('contains only changes after the last commit point and before a point of no return', () => {
    const events = [
      end(1, 'h1'),
      commit('first'),
      end(2, 'h1'),
      commit('wipe', true),
      end(3, 'h1'),
    ];
    expect(preview(events)).toEqual([
      'Rollback order if the last step fails, back to commit point "first":',
      '  auto         s2: h1',
    ]);
  });

  it('contains only changes up to the step of --fail-at, also after a point of no return', () => {
    const events = [end(1, 'h1'), over(1), end(2, 'h1'), end(2, 'h2'), over(2), end(3, 'h1')];
    expect(preview(events, 'p/2')).toEqual([
      'Rollback order if "p/2" fails, back to the start of the run:',
      ...['  auto         s2: h1, h2', '  auto         s1: h1'],
    ]);
    const after = [end(1, 'h1'), commit('wipe', true), end(2, 'h1'), over(2)];
    expect(preview(after, 'p/2')).toEqual([
      'Rollback order if "p/2" fails, back to commit point "wipe":',
      '  auto         s2: h1',
    ]);
  });
});

it('shows the undo coverage of a plan, rounded down', () => {
  const summary = new Summary();
  const events: RunEvent[] = [
    { type: 'step-start', step: step(1), hosts: ['h1'] },
    ...[end(1, 'h1'), end(1, 'h2', { undo: 'declared' }), end(1, 'h3', { undo: 'uncovered' })],
    end(1, 'h4', { state: 'unknown', undo: 'irreversible' }),
    over(1),
  ];
  expect(coverage(summary)).toEqual(['', '0 changes; undo coverage 100 %.']);
  for (const event of events) summary.see(event);
  expect(coverage(summary)).toEqual([
    ...['', '3 changes, 1 unknown until the run; undo coverage 66 %.', 'Cannot be undone: s1.'],
  ]);
});
