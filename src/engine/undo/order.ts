import type { UndoState } from '../../core/states.ts';
import type { NotUndone } from '../../core/undo.ts';
import { hadEffect, isSettled, type RecordedUnit } from '../../journal/recorded-run.ts';
import { groupBy } from '../../util/group.ts';
import { isRerun, notifiersOf, type Notifiers, type PathsOf } from './handlers.ts';

/** The next thing to do in a rollback. */
export type UndoMove =
  /** Undo the unit, or run its handler again. */
  | { do: 'undo'; unit: RecordedUnit }
  /** Settle the unit without an undo. A `silent` unit is not reported. */
  | { do: 'conclude'; unit: RecordedUnit; as: UndoState; why: NotUndone; silent?: true }
  /** All units of a step are settled, or wait for a host. */
  | { do: 'pass'; step: number };

export interface UndoWishes {
  /** Numbers of the units that the operator skips. */
  skip: ReadonlySet<number>;
  /** Units after the last commit point, of the chosen hosts; newest first. */
  candidates: readonly RecordedUnit[];
  /** All units of the run. */
  units: Iterable<RecordedUnit>;
  /** Number of hosts to work on in parallel, for a step. */
  hostsAtATime: (step: number) => number;
  pathsOf: PathsOf;
}

/**
 * A stage of a rollback, which ends before the next one starts: a step, or handlers that run again
 * after it.
 */
interface Stage {
  step: number;
  kind: 'undo' | 'rerun';
  /** The units of each host in their order, and the index of the next one. */
  queues: { units: readonly RecordedUnit[]; next: number }[];
  /** For hosts that several hosts delegated the step to: the units that modules undo there. */
  restores: ReadonlyMap<string, readonly RecordedUnit[]>;
}

/**
 * Decides which units may be undone when, by the rules of docs/rollback.md. It uses no host, clock
 * or file. A unit is undone only after all later units are settled. Within a step, hosts are
 * independent. A host that is stuck or unreachable blocks its own
 * units and those that it shares.
 *
 * The caller performs the moves, and reports how each undo ended.
 */
export class UndoOrder {
  readonly #wishes: UndoWishes;
  readonly #notifiers: Notifiers;
  readonly #blocks: Blocks;
  readonly #stages: readonly Stage[];
  #at = 0;
  /** Units that are being undone, by number. */
  readonly #moving = new Map<number, RecordedUnit>();
  /** Units that this rollback has dealt with. */
  readonly #passed = new Set<number>();
  /** Hosts on which an undo failed: their earlier units are not undone. */
  readonly #stuck = new Set<string>();
  readonly #unreachable = new Set<string>();
  /** Hosts on which a unit waits for an unreachable host: their earlier units wait, too. */
  readonly #held = new Set<string>();

  constructor(wishes: UndoWishes) {
    this.#wishes = wishes;
    // A notifier that is not undone, as before a commit point, neither requires nor blocks its
    // handler.
    this.#notifiers = notifiersOf(wishes.candidates, wishes.pathsOf);
    this.#blocks = new Blocks(wishes.units);
    this.#stages = stagesOf(wishes.candidates, this.#notifiers);
  }

  /** Whether all units are settled, except those that wait for a host. */
  get isAtEnd(): boolean {
    return this.#at >= this.#stages.length;
  }

  /** Units that are neither settled nor attempted. */
  get open(): RecordedUnit[] {
    return this.#wishes.candidates.filter((unit) => this.#isOpen(unit));
  }

  /**
   * Returns moves that are possible now and were not returned before. Record their conclusions
   * before the next call. Empty while only running undos remain, and at the end.
   */
  next(): UndoMove[] {
    const moves: UndoMove[] = [];
    for (let stage = this.#stages[this.#at]; stage; stage = this.#stages[this.#at]) {
      this.#advanceAll(stage, moves);
      if (this.#moving.size > 0) return moves;
      if (stage.kind === 'undo') moves.push({ do: 'pass', step: stage.step });
      this.#at++;
      if (moves.length > 0) return moves;
    }
    return moves;
  }

  /**
   * The undo of a unit has ended and is recorded. `stuck`: earlier units on its hosts must not be
   * undone.
   */
  ended(unit: RecordedUnit, { stuck }: { stuck: boolean }): void {
    this.#moving.delete(unit.intent.unit);
    this.#passed.add(unit.intent.unit);
    if (stuck) this.#stick(unit);
  }

  /** The undo of a unit was not possible, because hosts are unreachable. */
  areUnreachable(unit: RecordedUnit, hosts: readonly string[]): void {
    this.#moving.delete(unit.intent.unit);
    for (const host of hosts) this.#unreachable.add(host);
  }

  /** Hosts answer again: the rollback starts over with the remaining units. */
  areReachable(hosts: readonly string[]): void {
    for (const host of hosts) this.#unreachable.delete(host);
    this.#held.clear();
    this.#at = 0;
    for (const { queues } of this.#stages) for (const queue of queues) queue.next = 0;
  }

  #isOpen(unit: RecordedUnit): boolean {
    return !this.#passed.has(unit.intent.unit) && !isSettled(unit);
  }

  /** Advances all hosts. Progress on one may unblock another. */
  #advanceAll(stage: Stage, moves: UndoMove[]): void {
    const passed = () => stage.queues.reduce((sum, { next }) => sum + next, 0);
    let before: number;
    do {
      before = passed();
      for (const queue of stage.queues) this.#advance(stage, queue, moves);
    } while (this.#moving.size === 0 && passed() > before);
  }

  /**
   * Whether another host changed the same target later in the step, so that its change must be
   * undone first.
   */
  #waitsForLater({ kind, restores }: Stage, { intent }: RecordedUnit): boolean {
    if (kind !== 'undo' || intent.undo.kind !== 'auto') return false;
    const later = restores.get(intent.target) ?? [];
    return later.some((one) => one.intent.unit > intent.unit && this.#isOpen(one));
  }

  /** Advances one host to its next undo. */
  #advance(stage: Stage, queue: Stage['queues'][number], moves: UndoMove[]): void {
    for (let unit = queue.units[queue.next]; unit; unit = queue.units[queue.next]) {
      if (this.#moving.has(unit.intent.unit)) return;
      if (this.#isOpen(unit)) {
        const move = this.#moveOf(stage.kind, unit);
        if (move === 'wait') {
          // A waiting handler blocks nothing.
          if (stage.kind === 'undo') this.#held.add(unit.intent.host).add(unit.intent.target);
        } else if (move.do === 'conclude') {
          this.#passed.add(unit.intent.unit);
          if (stage.kind === 'undo' && move.as === 'undo-blocked') this.#stick(unit);
          moves.push(move);
        } else {
          if (this.#moving.size >= this.#wishes.hostsAtATime(stage.step)) return;
          if (this.#waitsForLater(stage, unit)) return;
          this.#moving.set(unit.intent.unit, unit);
          moves.push(move);
          return;
        }
      }
      queue.next++;
    }
  }

  #moveOf(kind: Stage['kind'], unit: RecordedUnit): Exclude<UndoMove, { do: 'pass' }> | 'wait' {
    const conclude = (as: UndoState, why: NotUndone) =>
      ({ do: 'conclude', unit, as, why }) as const;
    const { intent } = unit;
    if (intent.block && !this.#blocks.needsUndo(unit))
      return { ...conclude('undo-skipped', { kind: 'unneeded' }), silent: true };
    if (kind === 'undo' && this.#blocks.isReplaced(unit))
      return conclude('undo-skipped', { kind: 'replaced' });
    if (this.#wishes.skip.has(intent.unit)) return conclude('undo-skipped', { kind: 'requested' });
    const obstacle = this.#obstacle(unit);
    if (obstacle === 'unreachable') return 'wait';
    if (obstacle !== undefined) return conclude('undo-blocked', obstacle);
    if (kind === 'undo') return { do: 'undo', unit };
    // A handler runs again after all changes that notified it, so that services read the restored
    // files.
    const notifiers = this.#notifiers.get(unit) ?? [];
    if (notifiers.some((notifier) => this.#isOpen(notifier))) return 'wait';
    if (notifiers.some((notifier) => !isSettled(notifier)))
      return conclude('undo-blocked', { kind: 'notifier' });
    if (notifiers.some(({ undo }) => undo === 'undone')) return { do: 'undo', unit };
    return conclude('undo-skipped', { kind: 'unnotified' });
  }

  /** What blocks the undo of a unit; "unreachable" if that is temporary. */
  #obstacle({ intent }: RecordedUnit): NotUndone | 'unreachable' | undefined {
    const own = [intent.host, intent.target];
    if (own.some((host) => this.#stuck.has(host))) return { kind: 'later' };
    // A shared unit waits for all hosts.
    if (intent.shared !== undefined && this.#stuck.size > 0)
      return { kind: 'later', hosts: [...this.#stuck] };
    if (own.some((host) => this.#unreachable.has(host) || this.#held.has(host)))
      return 'unreachable';
    if (intent.shared !== undefined && this.#unreachable.size > 0) return 'unreachable';
    return undefined;
  }

  #stick({ intent }: RecordedUnit): void {
    this.#stuck.add(intent.host).add(intent.target);
  }
}

/** The units inside the blocks of each host. */
class Blocks {
  readonly #byHost: ReadonlyMap<string, readonly RecordedUnit[]>;
  /** Blocks whose undo list replaces the undos of their tasks, by host. */
  readonly #replacing: ReadonlyMap<string, readonly RecordedUnit[]>;

  constructor(units: Iterable<RecordedUnit>) {
    const all = [...units];
    this.#byHost = groupBy(
      all.filter(({ intent }) => !intent.block),
      ({ intent }) => intent.host,
    );
    this.#replacing = groupBy(
      all.filter(({ intent }) => intent.block?.replace === true),
      ({ intent }) => intent.host,
    );
  }

  isReplaced({ intent: { host, unit } }: RecordedUnit): boolean {
    const blocks = this.#replacing.get(host) ?? [];
    return blocks.some(({ intent }) => intent.unit < unit && unit <= (intent.block?.until ?? 0));
  }

  /**
   * Whether a unit in the block had an effect. Units without an undo count: they are often why a
   * block has one.
   */
  needsUndo({ intent: { host, unit, block } }: RecordedUnit): boolean {
    const until = block?.until ?? 0;
    return (this.#byHost.get(host) ?? []).some(
      (inner) => inner.intent.unit > unit && inner.intent.unit <= until && hadEffect(inner),
    );
  }
}

/**
 * One stage per step, newest first. Handlers run again after the step with the first change that
 * notified them, in the order in which they ran: one may depend on another.
 */
function stagesOf(candidates: readonly RecordedUnit[], notifiers: Notifiers): Stage[] {
  let waiting: RecordedUnit[] = [];
  const stages: Stage[] = [];
  for (const [step, units] of byStep(candidates)) {
    const own = units.filter((unit) => !isRerun(unit));
    stages.push({ step, kind: 'undo', queues: queuesOf(own), restores: restoresOf(own) });
    waiting.push(...units.filter((unit) => isRerun(unit) && !isSettled(unit)));
    // The last unit is the oldest. Not Math.min(...): a step may have more units than a call takes
    // arguments.
    const reached = units.at(-1)?.intent.unit ?? 0;
    const isDue = (unit: RecordedUnit) => firstNotifier(unit, notifiers) >= reached;
    for (const [run, own] of byStep(waiting.filter(isDue)).reverse())
      stages.push({
        step: run,
        kind: 'rerun',
        queues: queuesOf(own.reverse()),
        restores: new Map(),
      });
    waiting = waiting.filter((unit) => !isDue(unit));
  }
  return stages;
}

/** Number of the first change that notified a handler, directly or through another handler. */
function firstNotifier(unit: RecordedUnit, notifiers: Notifiers): number {
  const own = notifiers.get(unit) ?? [];
  return Math.min(
    unit.intent.unit,
    ...own.map((one) => (isRerun(one) ? firstNotifier(one, notifiers) : one.intent.unit)),
  );
}

function restoresOf(units: readonly RecordedUnit[]): Stage['restores'] {
  const auto = units.filter(({ intent }) => intent.undo.kind === 'auto');
  const byTarget = groupBy(auto, ({ intent }) => intent.target);
  for (const [target, own] of byTarget)
    if (new Set(own.map(({ intent }) => intent.host)).size === 1) byTarget.delete(target);
  return byTarget;
}

function queuesOf(units: readonly RecordedUnit[]): Stage['queues'] {
  return [...groupBy(units, ({ intent }) => intent.host).values()].map((own) => ({
    units: own,
    next: 0,
  }));
}

/** Steps newest first, their units in the order given. */
function byStep(units: readonly RecordedUnit[]): [number, RecordedUnit[]][] {
  return [...groupBy(units, ({ intent }) => intent.step)].sort(([a], [b]) => b - a);
}
