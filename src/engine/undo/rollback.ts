import pLimit from 'p-limit';
import { ConnectError, JournalError, RunnerError, SecretError } from '../core/errors.ts';
import type { UndoState } from '../core/events.ts';
import {
  isSettled,
  hadEffect,
  needsUndo,
  rollbackPolicy,
  undoCandidates,
  type RecordedRun,
  type RecordedUnit,
} from '../journal/recorded-run.ts';
import { groupBy } from '../util/group.ts';
import { openSession, type EngineContext } from './context.ts';
import { resolveUnknown } from './resolve.ts';
import { keepEvidence, runAfterTasks } from './rollback-tasks.ts';
import {
  recordedStep,
  recordedTarget,
  UndoRunner,
  type RollbackReason,
  type UndoFailure,
} from './undo-unit.ts';
import { verifyState } from './verify.ts';

export interface RollbackRequest {
  reason: RollbackReason;
  /** Only these hosts; undefined for all. */
  hosts: string[] | undefined;
  /** The run goes on with its other hosts afterwards. */
  partial?: boolean;
  /** Units the operator gives up on, by number. */
  skip: number[];
}

export interface RollbackResult {
  complete: boolean;
  /** The operator stopped it: units that are open were not tried. */
  interrupted: boolean;
  undone: number;
  /** Units that are not settled, with what stands in the way. */
  open: { unit: number; host: string; step: string; state: UndoState | undefined }[];
  /** Whether there was a state of before to compare with, and it was compared. */
  verified: boolean;
  /** Names of what is not as before. */
  different: string[];
  /** The point of no return that the rollback ended at. */
  pastNoReturn: string | undefined;
}

/** Seconds that hosts which are away are waited for, unless the playbook or the operator says otherwise. */
const DEFAULT_BUDGET_SECONDS = 300;
const PARKED_PAUSE_MS = 3000;

/** Takes the run back to its last commit point: newest step first, hosts of a step in parallel. */
export function rollBack(
  context: EngineContext,
  request: RollbackRequest,
): Promise<RollbackResult> {
  return new Rollback(context, request).run();
}

class Rollback {
  readonly #context: EngineContext;
  readonly #run: RecordedRun;
  readonly #request: RollbackRequest;
  readonly #undo: UndoRunner;
  readonly #attempt: number;
  /** Hosts on which an undo failed: what came before on them stays. */
  readonly #blocked = new Set<string>();
  /** Hosts that are away, with why. */
  readonly #parked = new Map<string, string>();
  #waitingHandlers: RecordedUnit[] = [];
  /** Hosts on which a shared unit waits for one that is away: what came before it there waits, too. */
  readonly #held = new Set<string>();
  #undone = 0;

  constructor(context: EngineContext, request: RollbackRequest) {
    const run = context.log.state;
    this.#context = context;
    this.#run = run;
    this.#request = request;
    this.#attempt = run.rollbacks + 1;
    this.#undo = new UndoRunner(context, run, { reason: request.reason, attempt: this.#attempt });
  }

  async run(): Promise<RollbackResult> {
    const { emit, log, settings } = this.#context;
    const { reason, hosts, partial = false } = this.#request;
    log.releaseReserve();
    await log.append({
      t: 'rollback',
      reason,
      attempt: this.#attempt,
      hosts,
      partial: partial || undefined,
    });
    const { budgetSeconds = DEFAULT_BUDGET_SECONDS } = rollbackPolicy(this.#run);
    const deadline =
      this.#context.clock.now() + (settings.rollbackBudgetSeconds ?? budgetSeconds) * 1000;
    if (!partial && this.#attempt === 1) await keepEvidence(this.#context, this.#run);
    await resolveUnknown(this.#context, this.#run, this.#candidates(), this.#undo);
    await this.#stopAtPivot();
    const candidates = this.#candidates();
    const todo = candidates.filter((unit) => !isSettled(unit));
    emit({ type: 'rollback-start', run: this.#run.header.run, reason, units: todo.length });
    await this.#walkUntil(deadline, candidates);
    const open = undoCandidates(this.#run).filter((unit) => !isSettled(unit));
    const complete = (partial ? this.#candidates() : open).every((unit) => isSettled(unit));
    const whole = complete && !partial;
    if (whole) await runAfterTasks(this.#context, this.#run);
    // Behind a commit point the state of before is no longer what must come back.
    const { verified, different } =
      whole && this.#run.commit === undefined
        ? await verifyState(this.#context, this.#run)
        : { verified: false, different: [] };
    return {
      complete,
      interrupted: !complete && this.#context.isStopping(),
      undone: this.#undone,
      open: open.map(({ intent, undo }) => ({
        unit: intent.unit,
        host: intent.host,
        step: recordedStep(this.#run, intent.step).name,
        state: undo,
      })),
      verified,
      different,
      pastNoReturn: this.#run.commit?.irreversible === true ? this.#run.commit.name : undefined,
    };
  }

  #candidates(): RecordedUnit[] {
    const { hosts } = this.#request;
    return undoCandidates(this.#run).filter(({ intent }) => {
      if (hosts && !hosts.includes(intent.host)) return false;
      // What was done once for all hosts is still needed by the others.
      return hosts === undefined || intent.shared !== 'run_once';
    });
  }

  /** A step that cannot be undone and had an effect is a point of no return from then on. */
  async #stopAtPivot(): Promise<void> {
    const pivot = undoCandidates(this.#run).find(
      (unit) => unit.intent.undo.kind === 'irreversible' && needsUndo(unit),
    );
    if (!pivot) return;
    const { step, unit } = pivot.intent;
    const { name, id } = recordedStep(this.#run, step);
    await this.#context.log.append({ t: 'commit', key: id, name, unit, irreversible: true });
  }

  /** Walks again and again while hosts are away and may come back. */
  async #walkUntil(deadline: number, candidates: readonly RecordedUnit[]): Promise<void> {
    for (;;) {
      this.#waitingHandlers = [];
      this.#held.clear();
      await this.#walk(candidates);
      if (this.#parked.size === 0 || this.#context.isStopping()) break;
      if (!(await this.#someReturn(deadline))) break;
    }
    if (this.#context.isStopping()) return;
    for (const [host, message] of this.#parked) {
      const units = candidates.filter(
        (unit) => !isSettled(unit) && [unit.intent.host, unit.intent.target].includes(host),
      );
      for (const [index, unit] of units.entries()) {
        if (index === 0) await this.#settle(unit, 'undo-failed', message, 0);
        else await this.#settle(unit, 'undo-blocked', `${host} cannot be reached`, 0);
      }
    }
    for (const unit of candidates.filter((one) => !isSettled(one) && one.undo === undefined))
      await this.#settle(unit, 'undo-blocked', 'waits for a host that cannot be reached', 0);
  }

  /** Waits until at least one of the hosts that are away answers. False when the time is over. */
  async #someReturn(deadline: number): Promise<boolean> {
    const { emit, isStopping, log, clock } = this.#context;
    const names = () => [...this.#parked.keys()].join(', ');
    const left = Math.max(0, Math.round((deadline - clock.now()) / 1000));
    const text = `${names()} cannot be reached; tried again for ${String(left)} s.`;
    emit({ type: 'message', level: 'warning', text });
    while (clock.now() < deadline && !isStopping()) {
      const answers = await Promise.all([...this.#parked.keys()].map((host) => this.#isBack(host)));
      for (const [index, host] of [...this.#parked.keys()].entries()) {
        if (answers[index] !== true) continue;
        this.#parked.delete(host);
        await log.append({ t: 'unparked', host });
      }
      if (answers.includes(true)) return true;
      await clock.sleep(PARKED_PAUSE_MS, this.#context.signal).catch(() => undefined);
    }
    return false;
  }

  async #isBack(host: string): Promise<boolean> {
    const unit = [...this.#run.units.values()].find(({ intent }) => intent.target === host);
    const become = unit?.intent.become ?? { enabled: false, user: 'root', method: 'sudo' };
    try {
      await openSession(this.#context, recordedTarget(this.#run, host), become);
      return true;
    } catch (error) {
      if (error instanceof RunnerError) return false;
      throw error;
    }
  }

  async #walk(candidates: readonly RecordedUnit[]): Promise<void> {
    for (const group of groupBySteps(candidates)) {
      if (this.#context.isStopping()) return;
      await this.#undoGroup(group);
      const [first] = group;
      if (first) {
        const step = recordedStep(this.#run, first.intent.step);
        this.#context.emit({ type: 'undo-step-end', step });
      }
      await this.#runHandlersDue(Math.min(...group.map(({ intent }) => intent.unit)));
    }
    await this.#runHandlersDue(0);
  }

  async #undoGroup(group: RecordedUnit[]): Promise<void> {
    const [first] = group;
    const { throttle } = first ? recordedStep(this.#run, first.intent.step) : {};
    await this.#perHost(group, (unit) => this.#undoUnit(unit), throttle);
  }

  /** Hosts in parallel, the units of one host in the order given. */
  async #perHost(
    units: readonly RecordedUnit[],
    work: (unit: RecordedUnit) => Promise<void>,
    throttle?: number,
  ): Promise<void> {
    const byHost = groupBy(units, ({ intent }) => intent.host);
    const { forks } = this.#context.settings;
    const limit = pLimit(Math.min(forks, throttle ?? forks));
    await Promise.all(
      [...byHost.values()].map((own) =>
        limit(async () => {
          for (const unit of own) await work(unit);
        }),
      ),
    );
  }

  async #undoUnit(unit: RecordedUnit): Promise<void> {
    const { intent } = unit;
    if (isSettled(unit)) return;
    if (intent.block && !this.#blockNeedsUndo(unit)) {
      await this.#record(unit, 'undo-skipped', 'nothing inside was changed', 0);
      return;
    }
    if (intent.notifiedBy && intent.undo.kind === 'auto') {
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
    const obstacle = this.#obstacle(unit);
    if (obstacle === 'parked') {
      this.#held.add(intent.host).add(intent.target);
      return;
    }
    if (obstacle !== undefined) {
      this.#block(unit);
      await this.#settle(unit, 'undo-blocked', obstacle, 0);
      return;
    }
    await this.#perform(unit);
  }

  /** Undoes one unit and keeps the record of it. */
  async #perform(unit: RecordedUnit): Promise<void> {
    const { intent } = unit;
    const { log } = this.#context;
    const began = Date.now();
    await log.append({ t: 'undo-intent', unit: intent.unit });
    const failure = await this.#attemptUndo(unit);
    const took = Date.now() - began;
    if (failure === undefined) {
      this.#context.fault?.('after-undo', recordedStep(this.#run, intent.step).id);
      this.#undone++;
      await this.#settle(unit, 'undone', undefined, took);
    } else if (failure instanceof SecretError) {
      this.#block(unit);
      await this.#settle(unit, 'undo-blocked', failure.describe(), took);
    } else if (failure.skipped === true) {
      await this.#settle(unit, 'undo-skipped', failure.message, took);
    } else if (failure.away) {
      // The delegate or the host itself; which of them is not told, so both wait.
      for (const host of new Set([intent.host, intent.target])) {
        if (host !== intent.target && intent.target !== 'localhost') continue;
        this.#parked.set(host, failure.message);
        await log.append({ t: 'parked', host, message: failure.message });
      }
    } else {
      // A step without an undo was allowed to run; it is reported and does not keep the others from going back.
      if (intent.undo.error === 'block' && intent.undo.kind !== 'uncovered') this.#block(unit);
      await this.#settle(unit, 'undo-failed', failure.message, took);
    }
  }

  async #attemptUndo(unit: RecordedUnit): Promise<UndoFailure | SecretError | undefined> {
    try {
      return await this.#undo.undo(unit);
    } catch (error) {
      if (error instanceof SecretError) return error;
      if (error instanceof RunnerError && !(error instanceof JournalError))
        return { message: error.describe(), away: error instanceof ConnectError };
      throw error;
    }
  }

  #block({ intent }: RecordedUnit): void {
    this.#blocked.add(intent.host);
    this.#blocked.add(intent.target);
  }

  /** What keeps a unit from being undone now: "parked" when that may pass. */
  #obstacle({ intent }: RecordedUnit): string | undefined {
    const own = [intent.host, intent.target];
    if (own.some((host) => this.#blocked.has(host)))
      return 'a later step of this host is not undone';
    // A shared unit waits for every host it was shared by.
    if (intent.shared !== undefined && this.#blocked.size > 0)
      return `a later step of ${[...this.#blocked].join(', ')} is not undone`;
    if (own.some((host) => this.#parked.has(host) || this.#held.has(host))) return 'parked';
    if (intent.shared !== undefined && this.#parked.size > 0) return 'parked';
    return undefined;
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

  /** What has no undo of its own is what a block's undo is often for. */
  #blockNeedsUndo({ intent }: RecordedUnit): boolean {
    const until = intent.block?.until ?? 0;
    return [...this.#run.units.values()].some(
      (unit) =>
        !unit.intent.block &&
        unit.intent.host === intent.host &&
        unit.intent.unit > intent.unit &&
        unit.intent.unit <= until &&
        hadEffect(unit),
    );
  }

  /** Handlers run again once everything that notified them has been passed, so that services read what was restored. */
  async #runHandlersDue(reached: number): Promise<void> {
    const due = this.#waitingHandlers.filter(({ intent }) =>
      (intent.notifiedBy ?? []).every((number) => number >= reached),
    );
    this.#waitingHandlers = this.#waitingHandlers.filter((unit) => !due.includes(unit));
    for (const group of groupBySteps(due))
      await this.#perHost(group, (unit) => this.#runHandlerAgain(unit));
  }

  async #runHandlerAgain(unit: RecordedUnit): Promise<void> {
    const notifiers = (unit.intent.notifiedBy ?? []).flatMap(
      (number) => this.#run.units.get(number) ?? [],
    );
    const obstacle = this.#obstacle(unit);
    if (obstacle === 'parked') return;
    if (obstacle !== undefined || notifiers.some((notifier) => !isSettled(notifier))) {
      const why = obstacle ?? 'a step that notified it is not undone';
      await this.#settle(unit, 'undo-blocked', why, 0);
    } else if (!notifiers.some(({ undo }) => undo === 'undone')) {
      await this.#settle(unit, 'undo-skipped', 'nothing that notified it was taken back', 0);
    } else {
      await this.#perform(unit);
    }
  }

  async #settle(
    unit: RecordedUnit,
    state: UndoState,
    message: string | undefined,
    durationMs: number,
  ): Promise<void> {
    await this.#record(unit, state, message, durationMs);
    const { intent } = unit;
    this.#context.emit({
      type: 'undo-end',
      step: recordedStep(this.#run, intent.step),
      host: intent.host,
      item: intent.item,
      state,
      message,
      durationMs,
    });
  }

  async #record(
    unit: RecordedUnit,
    state: UndoState,
    message: string | undefined,
    durationMs: number,
  ): Promise<void> {
    const { unit: number } = unit.intent;
    const result = { t: 'undo-result', unit: number, state, message, durationMs } as const;
    await this.#context.log.append(result);
  }
}

/** Units in the order of the walk: step by step, newest first. */
function groupBySteps(units: readonly RecordedUnit[]): RecordedUnit[][] {
  const groups = groupBy(units, ({ intent }) => intent.step);
  return [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
}
