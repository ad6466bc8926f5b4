import { expect, it } from 'vitest';
import type { UndoKind, UnitState } from '../../src/core/states.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { coverage } from '../../src/output/plan.ts';
import { countHosts, Summary, worstState } from '../../src/output/summary.ts';
import { step } from '../helpers/entries.ts';

const end = (host: string, state: UnitState, undo?: UndoKind): RunEvent => ({
  ...{ type: 'unit-end', step, host, state, undo, durationMs: 1 },
});

it('gathers what became of a step, and counts it when it ends', () => {
  const summary = new Summary();
  summary.see({ type: 'step-start', step, hosts: ['h1', 'h2', 'h3'] });
  summary.see(end('h1', 'changed', 'auto'));
  summary.see(end('h1', 'ok'));
  summary.see(end('h2', 'changed', 'uncovered'));
  summary.see(end('h3', 'unknown', 'irreversible'));
  expect(summary.counts.changed).toBe(0);
  const { ends = [] } = summary.see({ type: 'step-end', step, durationMs: 1 }) ?? {};
  expect(worstState(ends)).toBe('unknown');
  expect(countHosts(ends)).toBe('h3 unknown; h1, h2 changed');
  expect(summary.counts).toEqual({
    ...{ changed: 2, covered: 1, uncovered: 1, cannotTell: 1 },
    irreversible: new Set(['s1']),
  });
  expect(coverage(summary)).toEqual([
    '',
    '2 changes, 1 unknown until the run; undo coverage 50 %.',
    'Cannot be undone: s1.',
  ]);
  expect(summary.see(end('h1', 'changed'))).toBeUndefined();
});
