import { RunnerError } from '../core/errors.ts';
import type { UnitState } from '../core/events.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { loopItems, type TaskNode } from '../language/document.ts';
import type { ResultRecord } from '../journal/records.ts';
import { unknownValue, type Scope, type ScopeValue } from '../template/scope.ts';
import type { Redactor } from '../util/redact.ts';
import { emptyStep, isUncertain, type HostStep } from './host-step.ts';
import { holdsFor } from './result-conditions.ts';

/** A playbook error that shows itself only while running. */
export class InvalidTask extends RunnerError {
  readonly code = 'TASK_INVALID';
  constructor(message: string, task: TaskNode) {
    super(message, { at: task.at });
  }
}

/** The loop's items, undefined without a loop, or why they cannot be known. */
export function itemsOf(task: TaskNode, scope: Scope): JsonValue[] | undefined | RunnerError {
  if (task.loop === undefined) return undefined;
  try {
    const rendered = scope.render(task.loop);
    const items = loopItems(rendered);
    if (items) return items;
    const found = rendered === null ? 'null' : typeof rendered;
    return new InvalidTask(`"loop" must be a list, not ${found}.`, task);
  } catch (error) {
    if (error instanceof RunnerError) return error;
    throw error;
  }
}

/** Whether the items behind this one are left out. */
export function endsLoop(task: TaskNode, part: HostStep, scope: Scope): boolean {
  if (task.loopStops && part.failed && !part.ignored) return true;
  if (task.breakWhen.length === 0 || part.register === unknownValue) return false;
  return holdsFor(task.breakWhen, task, part.register, scope);
}

export function isSameItem(
  recorded: JsonValue | undefined,
  item: JsonValue,
  redactor: Redactor,
): boolean {
  return JSON.stringify(recorded) === JSON.stringify(redactor.referenceAll(item));
}

const doneStates = new Set<UnitState>(['ok', 'changed', 'skipped']);

/** What a resumed run knows of an item that was done before. */
export function recordedItem(
  task: TaskNode,
  known: ResultRecord | undefined,
  { item, redactor }: { item: JsonValue; redactor: Redactor },
): HostStep | undefined {
  if (!known || !doneStates.has(known.state) || known.ignored === true) return undefined;
  if (!isSameItem(known.item, item, redactor)) return undefined;
  const skipped = { skipped: true, changed: false, failed: false };
  const value = known.state === 'skipped' ? skipped : (known.value ?? {});
  return {
    ...emptyStep(known.state, withItem(redactor.resolveAll(value), task.loopVar, item)),
    changed: known.state === 'changed',
    changedUnits: known.state === 'changed' ? [known.unit] : [],
  };
}

/** How displays call an item. */
export function labelOf(task: TaskNode, item: JsonValue, scope: Scope): string {
  if (task.label !== undefined) return String(scope.render(task.label));
  if (isJsonObject(item))
    return typeof item['name'] === 'string' ? item['name'] : JSON.stringify(item);
  return typeof item === 'string' ? item : JSON.stringify(item);
}

export function withItem(
  result: ScopeValue,
  loopVar: string,
  item: JsonValue | undefined,
): ScopeValue {
  if (item === undefined || result === unknownValue || !isJsonObject(result)) return result;
  return { ...result, [loopVar]: item };
}

/** The items of a loop as one step. */
export function combine(parts: HostStep[], items: JsonValue[]): HostStep {
  const unknown = parts.some(({ register }) => register === unknownValue);
  const failed = parts.some((part) => part.failed);
  const changed = parts.some((part) => part.changed);
  const allSkipped = parts.every(({ state }) => state === 'skipped');
  const results = parts.map(({ register }) => register as JsonValue);
  const lost = parts.find((part) => isUncertain(part));
  const state: UnitState = lost
    ? lost.state
    : failed
      ? 'failed'
      : changed
        ? 'changed'
        : allSkipped
          ? 'skipped'
          : 'ok';
  return {
    state,
    register: unknown
      ? unknownValue
      : { results, changed, failed, skipped: allSkipped, count: items.length },
    changed,
    failed,
    ignored: parts.filter((part) => part.failed).every((part) => part.ignored) && failed,
    message: parts.findLast((part) => part.failed && !part.ignored)?.message,
    setFacts: Object.assign({}, ...parts.map((part) => part.setFacts)) as JsonObject,
    delegatedFacts: parts.flatMap((part) => part.delegatedFacts),
    groups: parts.flatMap((part) => part.groups),
    leftGroups: parts.flatMap((part) => part.leftGroups),
    addHosts: parts.flatMap((part) => part.addHosts),
    changedUnits: parts.flatMap((part) => part.changedUnits),
    included: parts.flatMap((part) => part.included ?? []),
  };
}
