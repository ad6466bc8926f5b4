import { RunnerError } from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import type { InventoryHost } from '../core/inventory.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { RecordedUnit } from '../journal/recorded-run.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import type { Redactor } from '../util/redact.ts';
import type { Sealer } from '../util/seal.ts';
import { itemOf } from './hidden-intent.ts';
import type { HostStep } from './host-step.ts';
import { loopVariables } from './include.ts';
import type { Item, Items, Resolved } from './item.ts';
import { combineItems, endsLoop, isSameItem, itemsOf, recordedItem } from './loop.ts';
import { handlerRef, notifiedHandlers } from './notify.ts';
import { finishedUnits, mayBeInPlace, type StepEntry } from './replay.ts';
import type { Place } from './step-key.ts';
import type { Variables } from './variables.ts';

/** A step that is being run. */
export interface LiveStep {
  task: TaskNode;
  step: StepInfo;
  place: Place;
  /** For an include or a `meta` step. */
  resolves?: Resolved | undefined;
  /** Records of earlier attempts of this execution. */
  entry: StepEntry | undefined;
}

export interface OnHostParts {
  items: Items;
  variables: Pick<Variables, 'scope'>;
  redactor: Redactor;
  /** Encrypts values that `no_log` hides. */
  sealer: Sealer | undefined;
  /** Waits between two items of a loop. */
  pause: (seconds: number) => Promise<void>;
}

/**
 * Runs a step on one host: once, or for each item of its loop.
 *
 * @throws JournalError; any other error becomes an outcome
 */
export async function onHost(
  parts: OnHostParts,
  live: LiveStep,
  host: InventoryHost,
): Promise<HostStep> {
  try {
    return await runOn(parts, live, host);
  } catch (error) {
    return parts.items.notRun(live.step, host, error, live.task);
  }
}

async function runOn(parts: OnHostParts, live: LiveStep, host: InventoryHost): Promise<HostStep> {
  const { items: runner } = parts;
  const { task, step, resolves, entry } = live;
  const items = itemsOf(task, scopeOf(parts, live, host));
  if (items instanceof RunnerError) return runner.notRun(step, host, items, task);
  if (items !== undefined) return overItems(parts, live, host, items);
  const scope = scopeOf(parts, live, host);
  if (resolves) return runner.include(resolves, host, step, { scope });
  const earlier = finishedUnits(entry, host.name).get(undefined);
  return runner.run({
    task,
    host,
    step,
    scope,
    earlier,
    mayBeInPlace: mayBeInPlace(entry, host.name, undefined),
    ...handlersOf(live),
  });
}

async function overItems(
  parts: OnHostParts,
  live: LiveStep,
  host: InventoryHost,
  items: JsonValue[],
): Promise<HostStep> {
  const { task, step } = live;
  const finished = finishedUnits(live.entry, host.name);
  let ended = false;
  const said = await mapLimited(items, task.loopParallel, async (item, index) => {
    if (ended) return undefined;
    const loop = { item, index, length: items.length };
    const { part, ends } = await tryItem(parts, live, host, {
      loop,
      finished: finished.get(index),
    });
    ended ||= ends;
    return part;
  });
  if (said.length === 0) parts.items.end(step, host, { is: 'skipped', why: 'the list is empty' });
  return combineItems(
    said.filter((part) => part !== undefined),
    items,
  );
}

/**
 * Runs one item, and returns whether the items after it are skipped. A failure does not affect the
 * results of other items.
 */
async function tryItem(
  parts: OnHostParts,
  live: LiveStep,
  host: InventoryHost,
  {
    loop,
    finished,
  }: {
    loop: { item: JsonValue; index: number; length: number };
    finished: RecordedUnit | undefined;
  },
): Promise<{ part: HostStep; ends: boolean }> {
  const { task, step, resolves } = live;
  const { items } = parts;
  const fail = (error: unknown) => items.notRun(step, host, error, task);
  try {
    const scope = scopeOf(parts, live, host, loopVariables(task, loop.item, loop));
    if (resolves)
      return { part: items.include(resolves, host, step, { scope, loop }), ends: false };
    const part = await onItem(parts, live, host, { ...loop, scope, finished });
    try {
      return { part, ends: endsLoop(task, part, scope) };
    } catch (error) {
      const { outcome } = fail(error);
      return { part: { ...part, outcome, ignored: false }, ends: true };
    }
  } catch (error) {
    return { part: fail(error), ends: task.loopStops };
  }
}

/** Runs one item, unless its result is recorded. */
async function onItem(
  parts: OnHostParts,
  live: LiveStep,
  host: InventoryHost,
  {
    item,
    index,
    scope,
    finished,
  }: { item: JsonValue; index: number; scope: Scope; finished: RecordedUnit | undefined },
): Promise<HostStep> {
  const { task, step, entry } = live;
  const { items, redactor } = parts;
  const recorded = entry?.items.get(host.name)?.get(index)?.();
  const known = recordedItem(task, recorded, { item, secrets: redactor });
  if (known) return known;
  if (index > 0 && task.loopPauseSeconds > 0) await parts.pause(task.loopPauseSeconds);
  const isSame = finished && isSameItem(itemOf(finished.whole(), parts), item, redactor);
  return items.run({
    task,
    host,
    step,
    scope,
    item,
    index,
    earlier: isSame ? finished : undefined,
    mayBeInPlace: mayBeInPlace(entry, host.name, index),
    ...handlersOf(live),
  });
}

function handlersOf({ task, step, place }: LiveStep): Pick<Item, 'handler' | 'notifies'> {
  return {
    handler: step.handler ? handlerRef(task) : undefined,
    notifies: notifiedHandlers(task, place.play),
  };
}

function scopeOf(
  { variables }: OnHostParts,
  { task, place: { play, batch } }: LiveStep,
  host: InventoryHost,
  item?: JsonObject,
): Scope {
  return variables.scope(host, { play, task, batch, ...(item ? { item } : {}) });
}
