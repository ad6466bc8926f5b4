import { ConnectError, JournalError, TaskError } from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import type { NotUndone } from '../core/undo.ts';
import { localHost, type Inventory, type InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { ModuleCall } from '../core/module.ts';
import { exitCode, failureIn, messageOf, resultOf, type Outcome } from '../core/outcome.ts';
import { loopItems, plainTask, type TaskNode } from '../language/document.ts';
import type { RecordedRun, RecordedUnit } from '../journal/recorded-run.ts';
import { reveal, type Stored } from '../journal/stored.ts';
import { allHold, holds } from '../template/conditions.ts';
import { Scope } from '../template/scope.ts';
import type { Secrets } from '../util/secrets.ts';
import type { CallResult } from './call.ts';
import type { CallParts } from './call.ts';
import { runChanges } from './run-effects.ts';
import type { Redactor } from '../util/redact.ts';
import type { Sealer } from '../util/seal.ts';
import { openIntent } from './hidden-intent.ts';
import { runTask } from './tries.ts';

/** Reason of a rollback; for `failed`, each undo sees failed_here or failed_elsewhere. */
export type RollbackReason = 'failed' | 'interrupted' | 'crash' | 'request';

/** Why a unit was not undone. */
export interface UndoFailure {
  why: NotUndone;
  /** The host is unreachable, and may be reachable later. */
  unreachable: boolean;
}

export interface UndoParts extends CallParts {
  redactor: Redactor;
  sealer: Sealer | undefined;
  inventory: Inventory;
}

/** Runs the recorded undo of a unit, using only the journal. */
export class UndoRunner {
  readonly #parts: UndoParts;
  readonly #run: RecordedRun;
  readonly #reason: RollbackReason;
  readonly #failed: Set<string>;
  readonly #attempt: number;
  /** Registers of undo tasks, by unit. */
  readonly #registered = new Map<number, JsonObject>();

  constructor(
    parts: UndoParts,
    run: RecordedRun,
    { reason, attempt }: { reason: RollbackReason; attempt: number },
  ) {
    this.#parts = parts;
    this.#run = run;
    this.#reason = reason;
    this.#attempt = attempt;
    this.#failed = new Set(run.failedHosts.keys());
  }

  /**
   * @returns undefined when the unit was undone, otherwise why not
   * @throws SecretError when it needs a secret that was not supplied
   */
  async undo(unit: RecordedUnit): Promise<UndoFailure | undefined> {
    const { undo } = openIntent(unit.whole(), this.#parts);
    const { redactor } = this.#parts;
    const captured = reveal(undo.captured, redactor);
    const scope = this.#scope(unit, captured, await this.#liveFacts(unit));
    const unmet = reveal(undo.when, redactor).find((condition) => !holds(condition, scope));
    if (unmet !== undefined) return refused({ kind: 'unmet', condition: unmet.text });
    switch (undo.body.kind) {
      case 'none':
        return undefined;
      case 'uncovered':
        return refused({ kind: 'uncovered' });
      case 'irreversible':
        return refused({ kind: 'irreversible', reason: undo.body.reason });
      case 'auto':
      case 'rerun':
        for (const { module, args } of undo.body.calls) {
          const call = { module, args: reveal(args, redactor) };
          const failure = await this.#task(unit, callTask(unit, call), scope);
          if (failure !== undefined) return failure;
        }
        return undefined;
      case 'declared':
        for (const task of undo.body.tasks) {
          const failure = await this.#task(unit, reveal(task, redactor), scope);
          if (failure !== undefined) return failure;
        }
        return undefined;
    }
  }

  /** Runs the probe of the unit, and returns its exit code. */
  async probe(unit: RecordedUnit, probe: Stored<TaskNode>): Promise<number | undefined> {
    const task = reveal(probe, this.#parts.redactor);
    const { outcome } = await this.#runTask(unit, task, this.#scope(unit, {}));
    return exitCode(outcome);
  }

  /** Runs one undo task with its registers, loop and condition. */
  async #task(unit: RecordedUnit, task: TaskNode, scope: Scope): Promise<UndoFailure | undefined> {
    const registers = this.#registers(unit);
    const outer = scope.with({ name: 'undo registers', values: registers, data: true });
    const items = task.loop === undefined ? [undefined] : loopItems(outer.render(task.loop));
    if (!items) {
      const message = `"loop" of undo task "${task.name}" is not a list`;
      return refused({ kind: 'failed', task: task.name, failure: { kind: 'template', message } });
    }
    for (const item of items as (JsonValue | undefined)[]) {
      const values: JsonObject = item === undefined ? {} : { [task.loopVar]: item };
      const inner = outer.with(
        { name: 'loop', values, data: true },
        ...task.vars.toReversed().map((vars) => ({ name: 'task', values: vars })),
      );
      if (!allHold(task.when, inner)) continue;
      const { outcome } = await this.#runTask(unit, task, inner);
      const failure = failureIn(outcome);
      // An interruption of the rollback may be the cause of the failure: the next rollback runs the
      // undo again.
      if (failure && (!task.ignoreErrors || this.#parts.isStopping())) {
        return {
          why: { kind: 'failed', task: task.name, failure },
          unreachable: mayBecomeReachable(outcome),
        };
      }
      const result = resultOf(outcome);
      if (task.register !== undefined && result) registers[task.register] = result;
    }
    return undefined;
  }

  #registers({ intent }: RecordedUnit): JsonObject {
    const known = this.#registered.get(intent.unit) ?? {};
    this.#registered.set(intent.unit, known);
    return known;
  }

  #runTask(unit: RecordedUnit, task: TaskNode, scope: Scope): Promise<CallResult> {
    const { intent } = unit;
    const { redactor } = this.#parts;
    const own = recordedTarget(this.#run, intent.target, redactor);
    return runTask(this.#parts, {
      task,
      step: recordedStep(this.#run, intent.step),
      host: recordedTarget(this.#run, intent.host, redactor),
      target: delegatedTarget(this.#run, task, { own, scope, secrets: redactor }),
      scope,
      directories: task.role ? [task.role.path] : [],
      outputs: String(intent.unit),
    });
  }

  /** Current facts, for an undo that uses `live.facts`. */
  async #liveFacts(unit: RecordedUnit): Promise<JsonObject | undefined> {
    const { body, when } = openIntent(unit.whole(), this.#parts).undo;
    if (!JSON.stringify([body, when]).includes('live.facts')) return undefined;
    const task = callTask(unit, { module: 'setup', args: {} });
    const { outcome, plan } = await this.#runTask(unit, task, this.#scope(unit, {}));
    const facts = runChanges(plan).setFacts?.['ansible_facts'];
    if (isJsonObject(facts)) return facts;
    const why = `Cannot gather the facts of ${unit.intent.host}: ${messageOf(outcome) ?? 'no answer'}`;
    if (!mayBecomeReachable(outcome)) throw new TaskError(why);
    const details = { host: unit.intent.host, stage: 'connect', retryable: true } as const;
    throw new ConnectError(why, details);
  }

  /** Variables as recorded with the intent. Later values are visible only under `live`. */
  #scope(unit: RecordedUnit, captured: JsonObject, facts?: JsonObject): Scope {
    const intent = openIntent(unit.whole(), this.#parts);
    const value = unit.result?.().value;
    const { redactor, inventory } = this.#parts;
    const { body } = intent.undo;
    const result = value === undefined ? undefined : reveal(value, redactor);
    const vars = body.kind === 'declared' ? reveal(body.vars, redactor) : {};
    const late: JsonObject = {
      inventory_hostname: intent.host,
      captured,
      undo: { reason: this.#reasonFor(intent.host), attempt: this.#attempt },
      live: {
        groups: Object.fromEntries(
          [...inventory.groups].map(([name, members]) => [name, [...members]]),
        ),
        ...(facts ? { facts } : {}),
      },
      ...(intent.item === undefined ? {} : { item: reveal(intent.item, redactor) }),
      ...(isJsonObject(result) ? { result } : {}),
    };
    return new Scope([
      { name: 'undo', values: late, data: true },
      { name: 'recorded', values: vars, data: true },
    ]);
  }

  #reasonFor(host: string): string {
    if (this.#reason !== 'failed') return this.#reason;
    return this.#failed.has(host) ? 'failed_here' : 'failed_elsewhere';
  }
}

/** @throws JournalError when the journal has no record of the step */
export function recordedStep(run: RecordedRun, number: number): StepInfo {
  const step = run.steps.get(number);
  if (!step) throw new JournalError(`The journal has no record of step ${String(number)}.`);
  return step.info;
}

/**
 * @throws JournalError when the journal has no address of the host
 * @throws SecretError when the address needs a secret that was not supplied
 */
export function recordedTarget(run: RecordedRun, name: string, secrets: Secrets): InventoryHost {
  const address = run.hosts.get(name);
  if (address) return { name, address: reveal(address, secrets), vars: {} };
  if (name === 'localhost') return localHost;
  throw new JournalError(`The journal has no address of host "${name}".`);
}

/**
 * Whether the host may be reachable later. A wrong password or host key is not retried: that may
 * lock an account.
 */
function mayBecomeReachable(outcome: Outcome): boolean {
  const failure = failureIn(outcome);
  return outcome.is === 'unreachable' && (failure?.kind !== 'connect' || failure.retryable);
}

/**
 * Where a task of a rollback runs: on its own host, or on the host it is delegated to.
 *
 * @throws TaskError when that host is not part of the run; the rest of the rollback continues
 */
export function delegatedTarget(
  run: RecordedRun,
  task: TaskNode,
  { own, scope, secrets }: { own: InventoryHost; scope: Scope; secrets: Secrets },
): InventoryHost {
  if (task.delegateTo === undefined) return own;
  const name = String(scope.render(task.delegateTo));
  if (name === localHost.name || run.hosts.has(name)) return recordedTarget(run, name, secrets);
  throw new TaskError(`Host "${name}" of "delegate_to" is not part of this run.`);
}

function refused(why: NotUndone): UndoFailure {
  return { why, unreachable: false };
}

/** Turns a recorded module call into a task. */
export function callTask(unit: RecordedUnit, { module, args }: ModuleCall): TaskNode {
  return plainTask({
    id: `undo/${String(unit.intent.unit)}`,
    name: `Undo with ${module}`,
    at: { file: 'journal', line: 1, column: 1 },
    module,
    args,
    become: unit.intent.become,
  });
}
