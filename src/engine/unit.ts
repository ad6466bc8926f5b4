import { describeAction } from '../core/action.ts';
import type { UndoKind } from '../core/states.ts';
import { effectOf, type FileDiff } from '../core/module.ts';
import { hasChanged, type Outcome } from '../core/outcome.ts';
import { runChanges, type RunChanges } from './run-effects.ts';
import { runTask } from './tries.ts';
import { UnitChange, type Unit, type UnitParts } from './unit-change.ts';
import { undoKind } from './undo-plan.ts';

/** What a unit did, and what displays show of it. */
export interface UnitResult {
  outcome: Outcome;
  changes: RunChanges;
  actions: string[];
  diff: FileDiff[] | undefined;
  /** Kind of its undo; undefined if there is nothing to undo. */
  undo: UndoKind | undefined;
}

/** Runs a unit. Its change is recorded before it starts. */
export async function runUnit(parts: UnitParts, unit: Unit): Promise<UnitResult> {
  const { task, step, host, target, scope, directories, number } = unit;
  const change = new UnitChange(parts, unit);
  const { outcome, plan, args } = await runTask(parts, {
    task,
    step,
    host,
    target,
    scope,
    directories,
    change,
    outputs: String(number),
  });
  const module = parts.modules.get(task.module);
  const reads = module !== undefined && effectOf(module, args) === 'reads';
  const touched = hasChanged(outcome) || change.copies !== undefined;
  return {
    outcome,
    changes: runChanges(plan),
    actions: reads ? [] : (plan?.actions ?? []).map(describeAction),
    diff: task.showDiff ? plan?.diff : undefined,
    undo: touched && module ? undoKind(task, module, args) : undefined,
  };
}
