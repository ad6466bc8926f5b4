import { ConnectError, SecretError, type RunnerError } from '../../core/errors.ts';
import { failureOf } from '../../core/failure.ts';
import type { Log } from '../../journal/log.ts';
import type { RollbackResult } from '../../core/endings.ts';
import type { UndoState } from '../../core/states.ts';
import type { NotUndone } from '../../core/undo.ts';
import {
  isSettled,
  needsUndo,
  rollbackPolicy,
  undoCandidates,
  type RecordedRun,
  type RecordedUnit,
} from '../../journal/recorded-run.ts';
import type { Faults } from '../services.ts';
import type { RunSettings } from '../settings.ts';
import { hostError } from '../host-error.ts';
import { resolveUnknown, type Resolution, type ResolveParts } from '../resolve.ts';
import { keepEvidence, runAfterTasks } from '../rollback-tasks.ts';
import {
  recordedStep,
  UndoRunner,
  type RollbackReason,
  type UndoFailure,
  type UndoParts,
} from '../undo-unit.ts';
import { verifyState, type VerifyParts } from '../verify.ts';
import { UnreachableHosts, type UnreachableParts } from './unreachable.ts';
import { UndoOrder, type UndoMove } from './order.ts';
import { restoredPaths } from './paths.ts';

export interface RollbackParts
  extends UndoParts, ResolveParts, UnreachableParts, VerifyParts, Faults {
  log: Log;
  settings: VerifyParts['settings'] & Pick<RunSettings, 'rollbackBudgetSeconds'>;
}

export interface RollbackRequest {
  reason: RollbackReason;
  /** Only these hosts; undefined for all. */
  hosts: string[] | undefined;
  /** The run continues with its other hosts afterwards. */
  partial?: boolean;
  /** Numbers of the units that the operator skips. */
  skip: number[];
}

/** Seconds to wait for unreachable hosts, unless the playbook or the operator sets another time. */
const DEFAULT_BUDGET_SECONDS = 300;

/** Rolls the run back to its last commit point: newest step first, hosts of a step in parallel. */
export function rollBack(parts: RollbackParts, request: RollbackRequest): Promise<RollbackResult> {
  return new Rollback(parts, request).run();
}

class Rollback {
  readonly #parts: RollbackParts;
  readonly #run: RecordedRun;
  readonly #request: RollbackRequest;
  readonly #undo: UndoRunner;
  readonly #attempt: number;
  readonly #unreachable: UnreachableHosts;
  /** Outcomes of units without a result, as reported by the hosts, by unit number. */
  #resolutions: ReadonlyMap<number, Resolution> = new Map();
  #undone = 0;

  constructor(parts: RollbackParts, request: RollbackRequest) {
    const run = parts.log.state;
    this.#parts = parts;
    this.#run = run;
    this.#request = request;
    this.#attempt = run.rollbacks + 1;
    this.#unreachable = new UnreachableHosts(parts);
    this.#undo = new UndoRunner(parts, run, { reason: request.reason, attempt: this.#attempt });
  }

  async run(): Promise<RollbackResult> {
    const { log, settings } = this.#parts;
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
      this.#parts.clock.now() + (settings.rollbackBudgetSeconds ?? budgetSeconds) * 1000;
    if (!partial && this.#attempt === 1) await keepEvidence(this.#parts, this.#run);
    this.#resolutions = await this.#resolve(this.#candidates());
    await this.#stopAtNoReturn();
    const order = this.#order();
    log.signal({ t: 'undo-start', reason, units: order.open.length });
    await this.#walkUntil(deadline, order);
    const open = undoCandidates(this.#run).filter((unit) => !isSettled(unit));
    const complete = (partial ? this.#candidates() : open).every((unit) => isSettled(unit));
    const whole = complete && !partial;
    if (whole) await runAfterTasks(this.#parts, this.#run);
    // After a commit point, the rollback does not restore the recorded state from before the run.
    const { verified, different } =
      whole && this.#run.commit === undefined
        ? await verifyState(this.#parts, this.#run)
        : { verified: false, different: [] };
    return {
      complete,
      interrupted: !complete && this.#parts.isStopping(),
      undone: this.#undone,
      open: open.map(({ intent, undo }) => ({
        unit: intent.unit,
        host: intent.host,
        step: recordedStep(this.#run, intent.step).name,
        state: undo,
      })),
      verified,
      different,
      pastNoReturn: this.#run.noReturn,
      backTo: this.#run.commit?.name,
    };
  }

  #resolve(units: readonly RecordedUnit[]): Promise<Map<number, Resolution>> {
    return resolveUnknown(this.#parts, this.#run, units, this.#undo);
  }

  #candidates(): RecordedUnit[] {
    const { hosts } = this.#request;
    return undoCandidates(this.#run).filter(({ intent }) => {
      if (hosts && !hosts.includes(intent.host)) return false;
      // The other hosts still need what a "run_once" step did.
      return hosts === undefined || intent.shared !== 'run_once';
    });
  }

  #order(): UndoOrder {
    const { forks } = this.#parts.settings;
    return new UndoOrder({
      skip: new Set(this.#request.skip),
      candidates: this.#candidates(),
      units: this.#run.units.values(),
      hostsAtATime: (step) => Math.min(forks, recordedStep(this.#run, step).throttle ?? forks),
      pathsOf: (unit) => restoredPaths(unit, this.#parts),
    });
  }

  /** Records an irreversible step that had an effect as a point of no return. */
  async #stopAtNoReturn(): Promise<void> {
    const irreversible = undoCandidates(this.#run).find(
      (unit) => unit.intent.undo.kind === 'irreversible' && needsUndo(unit),
    );
    if (!irreversible) return;
    const { step, unit } = irreversible.intent;
    const { name, id } = recordedStep(this.#run, step);
    const commit = { t: 'commit', key: id, name, unit, irreversible: true, silent: true } as const;
    await this.#parts.log.append(commit);
  }

  /** Repeats the walk as long as unreachable hosts come back. */
  async #walkUntil(deadline: number, order: UndoOrder): Promise<void> {
    for (;;) {
      await this.#walk(order);
      if (this.#unreachable.size === 0 || this.#parts.isStopping()) break;
      const returned = await this.#unreachable.waitForAny(deadline);
      if (returned.length === 0) break;
      order.areReachable(returned);
    }
    if (!this.#parts.isStopping()) this.#giveUp(order);
  }

  /** Performs all possible moves, hosts in parallel. */
  async #walk(order: UndoOrder): Promise<void> {
    const begun: Promise<void>[] = [];
    const going = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const perform = (unit: RecordedUnit) => {
      const undo = this.#perform(unit, order);
      const ended = undo
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => going.delete(ended));
      begun.push(undo);
      going.add(ended);
    };
    try {
      while (failures.length === 0 && !this.#parts.isStopping()) {
        const moves = order.next();
        for (const move of moves) {
          if (move.do === 'undo') perform(move.unit);
          else this.#note(move);
        }
        if (moves.length > 0) continue;
        if (going.size === 0) break;
        await Promise.race(going);
      }
    } finally {
      // Wait for the running undos, even after a failure.
      await Promise.all(going);
    }
    await Promise.all(begun);
  }

  #note(move: Exclude<UndoMove, { do: 'undo' }>): void {
    if (move.do === 'pass') {
      const step = recordedStep(this.#run, move.step);
      this.#parts.log.signal({ t: 'undo-step-end', step });
    } else this.#settle(move.unit, move.as, move.why, 0, move.silent);
  }

  /** Settles the units that waited for hosts that stayed unreachable. */
  #giveUp(order: UndoOrder): void {
    for (const [host, why] of this.#unreachable.reasons) {
      const units = order.open.filter(({ intent }) => [intent.host, intent.target].includes(host));
      for (const [index, unit] of units.entries()) {
        if (index === 0) this.#settle(unit, 'undo-failed', why, 0);
        else this.#settle(unit, 'undo-blocked', { kind: 'unreachable', host }, 0);
        order.ended(unit, { stuck: true });
      }
    }
    for (const unit of order.open) this.#settle(unit, 'undo-blocked', { kind: 'unreachable' }, 0);
  }

  /** Undoes one unit and records the result. */
  async #perform(unit: RecordedUnit, order: UndoOrder): Promise<void> {
    const { intent } = unit;
    const { clock, log } = this.#parts;
    if (await this.#isHeldBack(unit, order)) return;
    const began = clock.now();
    await log.append({ t: 'undo-intent', unit: intent.unit });
    const failure = await this.#attemptUndo(unit);
    const settle = (state: UndoState, why: NotUndone | undefined, stuck: boolean) => {
      this.#settle(unit, state, why, clock.now() - began);
      order.ended(unit, { stuck });
    };
    if (failure === undefined) {
      this.#parts.fault?.('after-undo', recordedStep(this.#run, intent.step).id);
      this.#undone++;
      settle('undone', undefined, false);
    } else if (failure instanceof SecretError) {
      settle('undo-blocked', whyOf(failure), true);
    } else if (failure.why.kind === 'unmet') {
      settle('undo-skipped', failure.why, false);
    } else if (failure.unreachable) {
      this.#park(unit, failure.why, order);
    } else {
      // A step without an undo was allowed to run. It is reported, and does not block the undo of
      // earlier steps.
      const stuck = intent.undo.error === 'block' && intent.undo.kind !== 'uncovered';
      settle('undo-failed', failure.why, stuck);
    }
  }

  #park(unit: RecordedUnit, why: NotUndone, order: UndoOrder): void {
    const hosts = hostsToWaitFor(unit);
    for (const host of hosts) this.#unreachable.park(host, why);
    order.areUnreachable(unit, hosts);
  }

  /**
   * Whether a unit cannot be undone now: it may still be running, its outcome is unknown, or it is
   * settled.
   */
  async #isHeldBack(unit: RecordedUnit, order: UndoOrder): Promise<boolean> {
    const { unit: number, target } = unit.intent;
    let resolution = this.#resolutions.get(number);
    if (resolution === 'unreachable' && !unit.undoStarted)
      resolution = (await this.#resolve([unit])).get(number);
    if (resolution === 'unreachable') {
      this.#park(unit, { kind: 'unresolved', host: target }, order);
      return true;
    }
    if (resolution === 'running')
      this.#settle(unit, 'undo-failed', { kind: 'running', host: target }, 0);
    else if (!isSettled(unit)) return false;
    order.ended(unit, { stuck: resolution === 'running' });
    return true;
  }

  async #attemptUndo(unit: RecordedUnit): Promise<UndoFailure | SecretError | undefined> {
    try {
      return await this.#undo.undo(unit);
    } catch (error) {
      const known = hostError(error, recordedStep(this.#run, unit.intent.step));
      if (known instanceof SecretError) return known;
      return { why: whyOf(known), unreachable: known instanceof ConnectError && known.retryable };
    }
  }

  /**
   * Records the result of an undo. It is on disk before the next undo starts; if it is lost before,
   * the undo runs again.
   */
  #settle(
    { intent: { unit } }: RecordedUnit,
    state: UndoState,
    why: NotUndone | undefined,
    durationMs: number,
    silent?: true,
  ): void {
    const result = { t: 'undo-result', unit, state, why, durationMs, silent } as const;
    this.#parts.log.write(result);
  }
}

function whyOf(error: RunnerError): NotUndone {
  return { kind: 'failed', failure: failureOf(error, { place: true }) };
}

/**
 * Hosts that a unit waits for. If it runs on the controller, the error may mean that the controller
 * or the host is unreachable.
 */
function hostsToWaitFor({ intent: { host, target } }: RecordedUnit): string[] {
  return target === 'localhost' ? [...new Set([host, target])] : [target];
}
