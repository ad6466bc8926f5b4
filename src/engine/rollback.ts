import pLimit from 'p-limit';
import { JournalError, RunnerError, SecretError } from '../core/errors.ts';
import type { StepInfo, UndoState } from '../core/events.ts';
import { localHost, type InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { ModuleCall } from '../core/module.ts';
import type { TaskNode } from '../core/playbook.ts';
import {
  isSettled,
  needsUndo,
  undoCandidates,
  type RecordedRun,
  type RecordedUnit,
} from '../journal/recorded-run.ts';
import { parseCondition } from '../template/conditions.ts';
import { protectValue, Scope, unknownValue } from '../template/scope.ts';
import { sleep } from '../util/time.ts';
import { FACT_TIMEOUT_MS, openSession, type EngineContext } from './context.ts';
import { fingerprintsBefore, fingerprintText } from './fingerprint.ts';
import { runUnit, type UnitOutcome } from './unit.ts';

export interface RollbackRequest {
  /** failed, interrupted, crash or request: `undo.reason` in the bodies. */
  reason: string;
  /** Only these hosts; undefined for all. */
  hosts: string[] | undefined;
  /** Units the operator gives up on, by number. */
  skip: number[];
}

export interface RollbackResult {
  complete: boolean;
  undone: number;
  /** Units that are not settled, with what stands in the way. */
  open: { unit: number; host: string; step: string; state: UndoState | undefined }[];
  /** Whether the fingerprints were compared, and differed anywhere. */
  verified: boolean;
  different: number;
  /** The point of no return that the rollback ended at. */
  pastNoReturn: string | undefined;
}

/** How long a step that still runs on its host is waited for. */
const RUNNING_LIMIT_MS = 10 * 60_000;

/** Takes a run back to its last commit point: newest step first, hosts of a step in parallel. */
export function rollBack(
  context: EngineContext,
  run: RecordedRun,
  request: RollbackRequest,
): Promise<RollbackResult> {
  return new Rollback(context, run, request).run();
}

class Rollback {
  readonly #context: EngineContext;
  readonly #run: RecordedRun;
  readonly #request: RollbackRequest;
  readonly #blocked = new Set<string>();
  readonly #waitingHandlers: RecordedUnit[] = [];
  #undone = 0;

  constructor(context: EngineContext, run: RecordedRun, request: RollbackRequest) {
    this.#context = context;
    this.#run = run;
    this.#request = request;
  }

  async run(): Promise<RollbackResult> {
    const { emit, journal } = this.#context;
    const attempt = this.#run.rollbacks + 1;
    await journal?.append({ t: 'rollback', reason: this.#request.reason, attempt });
    await this.#resolveUnknown(undoCandidates(this.#run));
    await this.#stopAtPivot();
    const candidates = undoCandidates(this.#run).filter(
      ({ intent }) => this.#request.hosts?.includes(intent.host) ?? true,
    );
    const todo = candidates.filter((unit) => !isSettled(unit));
    emit({
      type: 'rollback-start',
      run: this.#run.header.run,
      reason: this.#request.reason,
      units: todo.length,
    });
    for (const group of groupBySteps(candidates)) {
      if (this.#context.isStopping()) break;
      await this.#undoGroup(group, attempt);
      const [first] = group;
      if (first) this.#context.emit({ type: 'undo-step-end', step: this.#step(first.intent.step) });
      await this.#runHandlersDue(group, attempt);
    }
    const open = candidates.filter((unit) => !isSettled(unit));
    const complete = open.length === 0 && this.#request.hosts === undefined;
    // Behind a commit point the state of before is no longer what must come back.
    const verify = complete && this.#run.commit === undefined;
    const different = verify ? await this.#compareFingerprints() : 0;
    return {
      complete,
      undone: this.#undone,
      open: open.map(({ intent, undo }) => ({
        unit: intent.unit,
        host: intent.host,
        step: this.#step(intent.step).name,
        state: undo,
      })),
      verified: verify && fingerprintsBefore(this.#run).length > 0,
      different,
      pastNoReturn: this.#run.commit?.irreversible === true ? this.#run.commit.name : undefined,
    };
  }

  /** A step that cannot be undone and had an effect is a point of no return from then on. */
  async #stopAtPivot(): Promise<void> {
    const pivot = undoCandidates(this.#run).find(
      (unit) => unit.intent.undo.body.kind === 'irreversible' && needsUndo(unit),
    );
    if (!pivot) return;
    const commit = {
      name: this.#step(pivot.intent.step).name,
      unit: pivot.intent.unit,
      irreversible: true,
    };
    await this.#context.journal?.append({ t: 'commit', ...commit });
    this.#run.commit = commit;
  }

  /** rollback.md §1: the record on the host, then the probe, else possibly changed. */
  async #resolveUnknown(candidates: RecordedUnit[]): Promise<void> {
    const limit = pLimit(this.#context.settings.forks);
    const unknown = candidates.filter(
      (unit) => unit.state === 'unknown' && unit.undo === undefined && !unit.undoStarted,
    );
    await Promise.all(unknown.map((unit) => limit(() => this.#resolve(unit))));
  }

  async #resolve(unit: RecordedUnit): Promise<void> {
    const { intent } = unit;
    const options = { timeoutMs: FACT_TIMEOUT_MS, signal: this.#context.signal };
    let state: 'planned' | 'changed' | 'failed' | 'unknown' = 'unknown';
    try {
      const session = await openSession(this.#context, this.#target(intent.target), intent.become);
      const deadline = Date.now() + RUNNING_LIMIT_MS;
      for (;;) {
        // Only a host on which nobody else acts can say "never started".
        const fence = await session.fence(this.#run.header.run, options);
        if (fence === 'busy' && Date.now() < deadline) {
          await sleep(500, this.#context.signal);
          continue;
        }
        const record = await session.unitRecord(this.#run.header.run, String(intent.unit), options);
        if (record.state === 'never_started') state = 'planned';
        if (record.state === 'finished') state = record.code === 0 ? 'changed' : 'failed';
        if (record.state !== 'running' || Date.now() > deadline) break;
        await sleep(1000, this.#context.signal);
      }
      if (state === 'unknown' && intent.undo.probe)
        state = await this.#probe(unit, intent.undo.probe);
    } catch (error) {
      if (!(error instanceof RunnerError) || error instanceof JournalError) throw error;
      // Unreachable now: its undo will say so.
    }
    unit.state = state;
    await this.#context.journal?.append({ t: 'resolved', unit: intent.unit, state });
  }

  async #probe(unit: RecordedUnit, probe: TaskNode): Promise<'planned' | 'changed' | 'unknown'> {
    const outcome = await this.#runTask(unit, probe, this.#scope(unit, {}, 1));
    if (outcome.rc === 0) return 'changed';
    return outcome.rc === 1 ? 'planned' : 'unknown';
  }

  async #undoGroup(group: RecordedUnit[], attempt: number): Promise<void> {
    const byHost = new Map<string, RecordedUnit[]>();
    for (const unit of group) {
      const { host } = unit.intent;
      byHost.set(host, [...(byHost.get(host) ?? []), unit]);
    }
    const limit = pLimit(this.#context.settings.forks);
    await Promise.all(
      [...byHost.values()].map((units) =>
        limit(async () => {
          for (const unit of units) await this.#undoUnit(unit, attempt);
        }),
      ),
    );
  }

  async #undoUnit(unit: RecordedUnit, attempt: number): Promise<void> {
    const { intent } = unit;
    if (isSettled(unit) || (intent.block && !this.#blockNeedsUndo(unit))) return;
    if (intent.notifiedBy && intent.undo.body.kind === 'auto') {
      this.#waitingHandlers.push(unit);
      return;
    }
    if (this.#isReplaced(unit)) {
      await this.#settle(unit, 'undo-skipped', 'the undo of its block stands for it', 0);
      return;
    }
    if (this.#request.skip.includes(intent.unit)) {
      await this.#settle(unit, 'undo-skipped', 'skipped on request', 0);
      return;
    }
    if (this.#isBlocked(unit)) {
      await this.#settle(unit, 'undo-blocked', 'a later step of this host is not undone', 0);
      return;
    }
    const began = Date.now();
    await this.#context.journal?.append({ t: 'undo-intent', unit: intent.unit });
    const message = await this.#undo(unit, attempt);
    const took = Date.now() - began;
    if (message === undefined) {
      this.#undone++;
      await this.#settle(unit, 'undone', undefined, took);
      return;
    }
    // A step without an undo was allowed to run; it is reported and does not keep the others from going back.
    if (intent.undo.error === 'block' && intent.undo.body.kind !== 'uncovered') {
      this.#blocked.add(intent.host);
      if (intent.target !== intent.host) this.#blocked.add(intent.target);
    }
    await this.#settle(unit, 'undo-failed', message, took);
  }

  #isBlocked({ intent }: RecordedUnit): boolean {
    if (this.#blocked.has(intent.host) || this.#blocked.has(intent.target)) return true;
    // A shared unit waits for every host it was shared by.
    return intent.target !== intent.host && this.#blocked.size > 0;
  }

  /** Inside a block whose undo list replaces those of its tasks. */
  #isReplaced({ intent }: RecordedUnit): boolean {
    return [...this.#run.units.values()].some(
      ({ intent: { block, host, unit } }) =>
        block?.replace === true &&
        host === intent.host &&
        unit < intent.unit &&
        intent.unit <= block.until,
    );
  }

  #blockNeedsUndo({ intent }: RecordedUnit): boolean {
    const until = intent.block?.until ?? 0;
    return [...this.#run.units.values()].some(
      (unit) =>
        !unit.intent.block &&
        unit.intent.host === intent.host &&
        unit.intent.unit > intent.unit &&
        unit.intent.unit <= until &&
        needsUndo(unit),
    );
  }

  /** Undefined when the unit is undone, otherwise why not. */
  async #undo(unit: RecordedUnit, attempt: number): Promise<string | undefined> {
    const { undo } = unit.intent;
    try {
      const captured = this.#context.redactor.resolveAll(undo.captured);
      const scope = this.#scope(unit, captured, attempt);
      if (!undo.when.every((condition) => parseCondition(condition).test(scope.variables)))
        return undefined;
      switch (undo.body.kind) {
        case 'none':
          return undefined;
        case 'uncovered':
          return 'this step has no undo; put the host right by hand, then skip the unit';
        case 'irreversible':
          return `cannot be undone: ${undo.body.reason}`;
        case 'auto':
          for (const call of undo.body.calls) {
            const message = await this.#call(unit, call, scope);
            if (message !== undefined) return message;
          }
          return undefined;
        case 'declared':
          for (const task of undo.body.tasks) {
            const message = await this.#declared(unit, task, scope);
            if (message !== undefined) return message;
          }
          return undefined;
      }
    } catch (error) {
      if (error instanceof SecretError) return error.describe();
      if (error instanceof RunnerError && !(error instanceof JournalError)) return error.describe();
      throw error;
    }
  }

  #call(unit: RecordedUnit, call: ModuleCall, scope: Scope): Promise<string | undefined> {
    const args = this.#context.redactor.resolveAll(call.args);
    return this.#declared(unit, callTask(unit, call.module, args), scope);
  }

  /** Runs one undo task with its registers, loop and condition. */
  async #declared(unit: RecordedUnit, task: TaskNode, scope: Scope): Promise<string | undefined> {
    const resolved = this.#context.redactor.resolveAll(
      task as unknown as JsonValue,
    ) as unknown as TaskNode;
    const items = resolved.loop === undefined ? [undefined] : scope.render(resolved.loop);
    if (!Array.isArray(items)) return `"loop" of undo task "${task.name}" is not a list`;
    for (const item of items as (JsonValue | undefined)[]) {
      const values: JsonObject = item === undefined ? {} : { [resolved.loopVar]: item };
      const inner = scope.with(
        { name: 'loop', values, data: true },
        ...resolved.vars.toReversed().map((vars) => ({ name: 'task', values: vars })),
      );
      if (!resolved.when.every((condition) => parseCondition(condition).test(inner.variables)))
        continue;
      const outcome = await this.#runTask(unit, resolved, inner);
      if (outcome.failed && !resolved.ignoreErrors)
        return outcome.message ?? `undo task "${task.name}" failed`;
      if (resolved.register !== undefined && outcome.result !== unknownValue) {
        this.#registers(unit)[resolved.register] = outcome.result;
      }
    }
    return undefined;
  }

  readonly #registered = new Map<number, JsonObject>();

  #registers({ intent }: RecordedUnit): JsonObject {
    const known = this.#registered.get(intent.unit) ?? {};
    this.#registered.set(intent.unit, known);
    return known;
  }

  #runTask(unit: RecordedUnit, task: TaskNode, scope: Scope): Promise<UnitOutcome> {
    const { intent } = unit;
    const delegated =
      task.delegateTo === undefined ? intent.target : String(scope.render(task.delegateTo));
    const host = this.#target(intent.host);
    return runUnit(this.#context, {
      number: intent.unit,
      task,
      step: this.#step(intent.step),
      host,
      target: this.#target(delegated),
      scope,
      item: intent.item,
      label: undefined,
      folders: task.role ? [task.role.path] : [],
      notifiedBy: undefined,
      recorded: false,
    });
  }

  /** Names as they were when the intent was written; later changes never leak in. */
  #scope(unit: RecordedUnit, captured: JsonObject, attempt: number): Scope {
    const { intent, result } = unit;
    const { redactor } = this.#context;
    const vars =
      intent.undo.body.kind === 'declared' ? redactor.resolveAll(intent.undo.body.vars) : {};
    const late: JsonObject = {
      ...this.#registers(unit),
      inventory_hostname: intent.host,
      captured,
      undo: { reason: this.#request.reason, attempt },
      ...(intent.item === undefined ? {} : { item: intent.item }),
      ...(isJsonObject(result?.value) ? { result: redactor.resolveAll(result.value) } : {}),
    };
    return new Scope([
      { name: 'undo', values: late, data: true },
      { name: 'recorded', values: vars, data: true },
    ]);
  }

  /** Handlers run again once everything that notified them has been passed. */
  async #runHandlersDue(group: RecordedUnit[], attempt: number): Promise<void> {
    const reached = Math.min(...group.map(({ intent }) => intent.unit));
    for (const unit of [...this.#waitingHandlers]) {
      const notifiers = unit.intent.notifiedBy ?? [];
      if (notifiers.some((number) => number < reached)) continue;
      this.#waitingHandlers.splice(this.#waitingHandlers.indexOf(unit), 1);
      const restored = notifiers.some((number) => this.#run.units.get(number)?.undo === 'undone');
      if (!restored) {
        await this.#settle(unit, 'undo-skipped', 'nothing that notified it was taken back', 0);
        continue;
      }
      const began = Date.now();
      await this.#context.journal?.append({ t: 'undo-intent', unit: unit.intent.unit });
      const message = this.#isBlocked(unit)
        ? 'the host is blocked'
        : await this.#undo(unit, attempt);
      if (message === undefined) this.#undone++;
      await this.#settle(
        unit,
        message === undefined ? 'undone' : 'undo-failed',
        message,
        Date.now() - began,
      );
    }
  }

  async #settle(
    unit: RecordedUnit,
    state: UndoState,
    message: string | undefined,
    durationMs: number,
  ): Promise<void> {
    unit.undo = state;
    const { intent } = unit;
    await this.#context.journal?.append({
      t: 'undo-result',
      unit: intent.unit,
      state,
      message,
      durationMs,
    });
    this.#context.emit({
      type: 'undo-end',
      step: this.#step(intent.step),
      host: intent.host,
      item: typeof intent.item === 'string' ? intent.item : undefined,
      state,
      message,
      durationMs,
    });
  }

  async #compareFingerprints(): Promise<number> {
    const limit = pLimit(this.#context.settings.forks);
    let different = 0;
    const results = await Promise.all(
      fingerprintsBefore(this.#run).map((before) =>
        limit(async () => {
          const scope = new Scope([
            {
              name: 'recorded',
              values: this.#context.redactor.resolveAll(before.vars),
              data: true,
            },
          ]);
          const text = await fingerprintText(this.#context, before.task, before.host, scope).catch(
            (error: unknown) => {
              if (error instanceof RunnerError) return `(${error.message})`;
              throw error;
            },
          );
          return { before, text: text ?? '' };
        }),
      ),
    );
    for (const { before, text } of results) {
      const { host, name, task, vars } = before;
      await this.#context.journal?.append({
        t: 'fingerprint',
        phase: 'after',
        host,
        name,
        text,
        task,
        vars,
      });
      const equal = this.#context.redactor.reference(text) === before.text || text === before.text;
      if (!equal) different++;
      this.#context.emit({
        type: 'fingerprint',
        host,
        name,
        equal,
        diff: equal
          ? undefined
          : { path: `${host}: ${name}`, before: `${before.text}\n`, after: `${text}\n` },
      });
    }
    return different;
  }

  #step(number: number): StepInfo {
    const step = this.#run.steps.get(number);
    if (!step) throw new JournalError(`The journal has no record of step ${String(number)}.`);
    return step.info;
  }

  #target(name: string): InventoryHost {
    const address = this.#run.hosts.get(name);
    if (address) return { name, address, vars: {} };
    if (name === 'localhost') return localHost;
    throw new JournalError(`The journal has no address of host "${name}".`);
  }
}

/** Units in the order of the walk: step by step, newest first. */
function groupBySteps(units: RecordedUnit[]): RecordedUnit[][] {
  const groups = new Map<number, RecordedUnit[]>();
  for (const unit of units) {
    const { step } = unit.intent;
    groups.set(step, [...(groups.get(step) ?? []), unit]);
  }
  return [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
}

/** A recorded module call as a task of its own. */
function callTask(unit: RecordedUnit, module: string, args: JsonObject): TaskNode {
  const at = { file: 'journal', line: 1, column: 1 };
  return {
    kind: 'task',
    id: `undo/${String(unit.intent.unit)}`,
    name: `Undo with ${module}`,
    at,
    module,
    // Recorded arguments are data: braces in them are not templates.
    args: protectValue(args),
    argsAt: at,
    when: [],
    loop: undefined,
    loopVar: 'item',
    label: undefined,
    register: undefined,
    until: [],
    retries: 0,
    delaySeconds: 0,
    changedWhen: undefined,
    failedWhen: undefined,
    notify: [],
    listen: [],
    vars: [],
    become: unit.intent.become,
    delegateTo: undefined,
    runOnce: false,
    tags: [],
    ignoreErrors: false,
    noLog: false,
    timeoutSeconds: undefined,
    detach: false,
    environment: {},
    role: undefined,
    readOnly: false,
    undo: { kind: 'default' },
    undoOn: 'always',
    undoWhen: [],
    undoError: 'block',
    capture: [],
    probe: undefined,
    irreversible: undefined,
  };
}
