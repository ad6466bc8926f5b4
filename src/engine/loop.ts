import { RunnerError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { combine, failureIn, resultOf, type Outcome } from '../core/outcome.ts';
import { loopItems, type TaskNode } from '../language/document.ts';
import type { ResultRecord } from '../journal/records.ts';
import type { Scope } from '../template/scope.ts';
import { isSame, reveal, type Stored } from '../journal/stored.ts';
import type { Secrets } from '../util/secrets.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { holdsFor } from './result-conditions.ts';

/** A playbook error that is found only during the run. */
export class InvalidTask extends RunnerError {
  readonly code = 'TASK_INVALID';
  constructor(message: string, task: TaskNode) {
    super(message, { at: task.at });
  }
}

/** The items of the loop, undefined without a loop, or the error that prevents it. */
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

/** Whether the items after this one are skipped. */
export function endsLoop(task: TaskNode, part: HostStep, scope: Scope): boolean {
  const { outcome, ignored } = part;
  if (task.loopStops && failureIn(outcome) && !ignored) return true;
  const result = resultOf(outcome);
  if (task.breakWhen.length === 0 || !result) return false;
  return holdsFor(task.breakWhen, task, result, scope);
}

export function isSameItem(
  recorded: Stored<JsonValue> | undefined,
  item: JsonValue,
  secrets: Secrets,
): boolean {
  return recorded !== undefined && isSame(recorded, item, secrets);
}

/** The recorded result of an item; undefined if a resumed run must run the item. */
export function recordedItem(
  task: TaskNode,
  known: ResultRecord<'stored'> | undefined,
  { item, secrets }: { item: JsonValue; secrets: Secrets },
): HostStep | undefined {
  if (!known || known.ignored === true || !isSameItem(known.item, item, secrets)) return undefined;
  const outcome = recordedOutcome(known, secrets);
  if (!outcome) return undefined;
  return {
    ...emptyStep(withItem(outcome, task.loopVar, item)),
    hasChanged: outcome.is === 'changed',
  };
}

function recordedOutcome(
  { state, value }: ResultRecord<'stored'>,
  secrets: Secrets,
): Outcome | undefined {
  if (state === 'skipped') return { is: state };
  if (state !== 'ok' && state !== 'changed') return undefined;
  const result = value === undefined ? {} : reveal(value, secrets);
  return { is: state, result: isJsonObject(result) ? result : {} };
}

/** Label of an item in displays. */
export function labelOf(task: TaskNode, item: JsonValue, scope: Scope): string {
  if (task.label !== undefined) return String(scope.render(task.label));
  if (isJsonObject(item))
    return typeof item['name'] === 'string' ? item['name'] : JSON.stringify(item);
  return typeof item === 'string' ? item : JSON.stringify(item);
}

/** Adds the item to its result. */
export function withItem(outcome: Outcome, loopVar: string, item: JsonValue | undefined): Outcome {
  const result = resultOf(outcome);
  return item === undefined || !result
    ? outcome
    : { ...outcome, result: { ...result, [loopVar]: item } };
}

/** Combines the items of a loop into one step. */
export function combineItems(parts: HostStep[], items: JsonValue[]): HostStep {
  const ended = parts.map((part) => ({ ...part, changed: part.hasChanged }));
  return {
    ...combine(ended, items.length),
    setFacts: Object.assign({}, ...parts.map((part) => part.setFacts)) as JsonObject,
    appendFacts: joinLists(parts.map((part) => part.appendFacts)),
    delegatedFacts: parts.flatMap((part) => part.delegatedFacts),
    groups: parts.flatMap((part) => part.groups),
    leftGroups: parts.flatMap((part) => part.leftGroups),
    addHosts: parts.flatMap((part) => part.addHosts),
    hasChanged: parts.some((part) => part.hasChanged),
    uncertain: parts.find((part) => part.uncertain)?.uncertain,
    included: parts.flatMap((part) => part.included ?? []),
  };
}

function joinLists(all: readonly Record<string, JsonValue[]>[]): Record<string, JsonValue[]> {
  const joined = new Map<string, JsonValue[]>();
  for (const lists of all)
    for (const [name, list] of Object.entries(lists))
      joined.set(name, [...(joined.get(name) ?? []), ...list]);
  return Object.fromEntries(joined);
}
