import { createHash } from 'node:crypto';
import type { StepInfo } from '../core/states.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import {
  exitCode,
  failureIn,
  messageOf,
  resultOf,
  stateOf,
  type Outcome,
} from '../core/outcome.ts';
import type { TaskNode } from '../language/document.ts';
import type { Log } from '../journal/log.ts';
import type { UnitResult } from './unit.ts';

/** How a unit ended. */
export interface UnitEnd {
  number: number;
  step: StepInfo;
  host: string;
  outcome: Outcome;
  item?: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  label?: string | undefined;
  /**
   * The unit sets facts, groups or hosts, which are not in its record. A resumed run repeats the
   * item.
   */
  teaches?: boolean;
  /** What displays show of a task that ran. */
  shown?: Pick<UnitResult, 'actions' | 'diff' | 'undo'>;
  ignored?: boolean;
  task?: TaskNode;
  durationMs?: number;
}

/**
 * Records how a unit ended, and signals details that are not recorded. Values hidden by "no_log"
 * are left out.
 */
export function endUnit({ log }: { log: Pick<Log, 'write' | 'signal'> }, end: UnitEnd): void {
  const { step, host, outcome, shown, ignored, durationMs = 0 } = end;
  const hidden = end.task?.noLog === true;
  const state = stateOf(outcome);
  const failed = failureIn(outcome);
  const result = shown && resultOf(outcome);
  const rc = shown && exitCode(outcome);
  const text = (key: string) =>
    hidden ? undefined : typeof result?.[key] === 'string' ? result[key] : undefined;
  log.signal({
    t: 'details',
    unit: end.number,
    label: hidden && end.index !== undefined ? `item ${String(end.index + 1)}` : end.label,
    undo: shown?.undo,
    actions: hidden ? undefined : shown?.actions,
    diff: hidden ? undefined : shown?.diff,
    stdout: text('stdout'),
    stderr: text('stderr'),
  });
  log.write({
    t: 'result',
    unit: end.number,
    step: step.number,
    host,
    ...(end.item === undefined || hidden ? {} : { item: end.item }),
    state,
    ignored,
    failed,
    why: failed ? undefined : messageOf(outcome),
    rc,
    digest: result && !hidden ? outputDigest(result) : undefined,
    durationMs,
    value: keepsValue(end) && !hidden ? result : undefined,
    index: hidden || end.teaches === true ? undefined : end.index,
  });
}

function outputDigest(result: JsonObject): string {
  return createHash('sha256')
    .update(`${String(result['stdout'] ?? '')}\u0000${String(result['stderr'] ?? '')}`)
    .digest('hex');
}

/**
 * Whether the result is recorded: an undo may read `result`, and a resumed loop needs what its
 * finished items registered.
 */
function keepsValue({ task, index }: UnitEnd): boolean {
  if (task?.undo.kind === 'tasks') return true;
  return index !== undefined && (task?.register !== undefined || task?.breakWhen.length !== 0);
}
