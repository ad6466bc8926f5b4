import { describeAction } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import type { InventoryHost } from '../core/inventory.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { exitCode, failureIn, messageOf, resultOf } from '../core/outcome.ts';
import type { HandlerRef, IntentRecord, UndoBody, UndoPlan } from '../journal/records.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import type { Sealer } from '../util/seal.ts';
import { renderAccess } from './access.ts';
import { recordedArguments } from './arguments.ts';
import type { CallParts, ChangeRecord, PlannedCall } from './call.ts';
import type { Log } from '../journal/log.ts';
import type { HostLocks } from './locks.ts';
import type { Faults } from './services.ts';
import { runTask } from './tries.ts';
import { hideIntent } from './hidden-intent.ts';
import { undoBody, undoesAlways } from './undo-plan.ts';

/** One execution of a task on one host for one loop item. */
export interface Unit {
  number: number;
  task: TaskNode;
  step: StepInfo;
  host: InventoryHost;
  /** Where the unit runs: the host itself, or the host it is delegated to. */
  target: InventoryHost;
  scope: Scope;
  item: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  /** Directories for templates and files, nearest first. */
  directories: string[];
  /** Set if the task is a handler. */
  handler: HandlerRef | undefined;
  /** Handlers to notify if the unit changes something. */
  notifies: readonly HandlerRef[];
  /** Names of variables that steps with `no_log` set. */
  hiddenNames: ReadonlySet<string>;
  /** Why the unit is shared by several hosts; undefined if it is not. */
  shared: IntentRecord['shared'];
}

export interface UnitParts extends CallParts, Faults {
  log: Pick<Log, 'append' | 'signal'>;
  locks: Pick<HostLocks, 'ensure'>;
  sealer: Sealer | undefined;
}

/** Records a unit before it changes its host. */
export class UnitChange implements ChangeRecord {
  readonly #parts: UnitParts;
  readonly #unit: Unit;
  copies: readonly string[] | undefined;

  constructor(parts: UnitParts, unit: Unit) {
    this.#parts = parts;
    this.#unit = unit;
  }

  get unit(): number {
    return this.#unit.number;
  }

  /** @throws TaskError when the previous state cannot be captured; ConnectError; JournalError */
  async begin(planned: PlannedCall): Promise<void> {
    if (this.copies) return;
    const { locks, log, fault, sealer } = this.#parts;
    const { task, target } = this.#unit;
    // Connect first, so that nothing is recorded for an unreachable host.
    await planned.session();
    await locks.ensure(target.name);
    const { body, copies } = this.#undo(planned);
    const captured = await this.#capture();
    fault?.('before-intent', task.id);
    const intent = this.#intent(planned, { body, captured });
    await log.append(this.#isHidden(body) ? hideIntent(intent, sealer) : intent);
    fault?.('after-intent', task.id);
    this.copies = copies;
  }

  /** The undo of the unit, and the paths that it needs copies of. */
  #undo({ module, args, plan }: PlannedCall): { body: UndoBody; copies: string[] } {
    const { task, scope, number, handler } = this.#unit;
    const copies = new Set<string>();
    const captured = (path: string) => {
      copies.add(path);
      return { copyOf: path, unit: number };
    };
    const planned = { task, module, args, isHandler: handler !== undefined };
    const body = undoBody(planned, plan, { scope, captured });
    return { body, copies: [...copies] };
  }

  /**
   * Whether "no_log" hides values of the intent: on the task, on a "capture" task, or on a step
   * that its undo reads.
   */
  #isHidden(body: UndoBody): boolean {
    const { task, hiddenNames } = this.#unit;
    if (task.noLog || task.capture.some(({ noLog }) => noLog)) return true;
    return body.kind === 'declared' && Object.keys(body.vars).some((name) => hiddenNames.has(name));
  }

  #intent(
    { module, args, plan }: PlannedCall,
    { body, captured }: Pick<UndoPlan, 'body' | 'captured'>,
  ): IntentRecord {
    const { task, step, host, target, scope, number, item, index, shared } = this.#unit;
    const { handler, notifies } = this.#unit;
    return {
      t: 'intent',
      unit: number,
      step: step.number,
      host: host.name,
      target: target.name,
      shared,
      ...(item === undefined ? {} : { item, index, hidden: task.noLog || undefined }),
      module: task.module,
      args: task.noLog ? {} : recordedArguments(module, args),
      actions: task.noLog ? [] : plan.actions.map(describeAction),
      become: renderAccess(task.become, target.address, scope),
      undo: {
        body,
        on: undoesAlways(task, plan) ? 'always' : task.undoOn,
        when: task.undoWhen,
        error: task.undoError,
        captured,
        probe: task.probe,
      },
      ...(notifies.length > 0 ? { notifies: [...notifies] } : {}),
      handler,
      ...(plan.touches ? { touches: plan.touches } : {}),
    };
  }

  /** Runs the "capture" tasks. The step does not start unless each of them returned an answer. */
  async #capture(): Promise<JsonObject> {
    const { task, step, host, target, scope, directories, number } = this.#unit;
    const registers: JsonObject = {};
    for (const one of task.capture) {
      const { outcome } = await runTask(this.#parts, {
        task: one,
        step,
        host,
        target,
        directories,
        scope: scope.with({ name: 'captured', values: registers, data: true }),
        outputs: String(number),
      });
      // A non-zero exit code is an answer (`systemctl is-active`); a lost connection is not.
      if (failureIn(outcome) && (outcome.is === 'unreachable' || exitCode(outcome) === undefined)) {
        throw new TaskError(
          `Cannot capture the previous state ("${one.name}"): ${messageOf(outcome) ?? ''}`,
          { hint: 'Fix the task in "capture". This step changed nothing.' },
        );
      }
      const result = resultOf(outcome);
      if (one.register !== undefined && result) registers[one.register] = result;
    }
    return registers;
  }
}
