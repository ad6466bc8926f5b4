import type { StepInfo, UnitState } from '../core/events.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { TaskNode } from '../language/document.ts';
import { unknownValue } from '../template/scope.ts';
import type { EngineContext } from './context.ts';
import { outputDigest, type UnitOutcome } from './unit.ts';

/** How a unit ended. */
export interface UnitEnd {
  number: number;
  step: StepInfo;
  host: string;
  state: UnitState;
  item?: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  label?: string | undefined;
  message?: string | undefined;
  outcome?: UnitOutcome;
  ignored?: boolean;
  task?: TaskNode;
  durationMs?: number;
}

/** Records and shows how a unit ended. Returns what it said, without what `no_log` hides. */
export function endUnit(
  { emit, log }: Pick<EngineContext, 'emit' | 'log'>,
  end: UnitEnd,
): string | undefined {
  const { step, host, state, outcome, ignored, durationMs = 0 } = end;
  const hidden = end.task?.noLog === true;
  const result = resultOf(outcome);
  const message =
    hidden && outcome?.failed && outcome.rc !== undefined
      ? 'failed; its output is hidden by no_log'
      : (outcome?.message ?? end.message);
  log.write({
    ...{ t: 'result', unit: end.number, step: step.number, host },
    ...(end.item === undefined || hidden ? {} : { item: end.item }),
    ...{ state, ignored, message, rc: outcome?.rc },
    digest: outcome && !hidden ? outputDigest(outcome.result) : undefined,
    durationMs,
    value: keepsValue(end) && !hidden ? result : undefined,
    index: hidden ? undefined : end.index,
  });
  const text = (key: string) =>
    hidden ? undefined : typeof result?.[key] === 'string' ? result[key] : undefined;
  emit({
    ...{ type: 'unit-end', step, host, item: end.label, state, message, ignored, durationMs },
    undo: outcome?.undo,
    actions: hidden ? undefined : outcome?.actions,
    diff: hidden ? undefined : outcome?.diff,
    stdout: text('stdout'),
    stderr: text('stderr'),
  });
  return message;
}

function resultOf(outcome: UnitOutcome | undefined): JsonObject | undefined {
  const result = outcome?.result;
  return result !== undefined && result !== unknownValue && isJsonObject(result)
    ? result
    : undefined;
}

/** An undo may ask for `result`; a resumed loop needs what its finished items registered. */
function keepsValue({ task, index }: UnitEnd): boolean {
  if (task?.undo.kind === 'tasks') return true;
  return index !== undefined && (task?.register !== undefined || task?.breakWhen.length !== 0);
}
