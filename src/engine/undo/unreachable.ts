import { RunnerError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { NotUndone } from '../../core/undo.ts';
import type { Redactor } from '../../util/redact.ts';
import type { Log } from '../../journal/log.ts';
import type { Stop } from '../services.ts';
import { FACT_TIMEOUT_MS, openSession, type Sessions } from '../sessions.ts';
import { recordedTarget } from '../undo-unit.ts';

const PAUSE_MS = 3000;
const LONGEST_PAUSE_MS = 60_000;

export interface UnreachableParts extends Sessions, Stop {
  clock: Clock;
  redactor: Redactor;
  log: Pick<Log, 'state' | 'write' | 'signal'>;
}

/**
 * Unreachable hosts of a rollback that may be reachable later. Each change of this list is
 * recorded.
 */
export class UnreachableHosts {
  readonly #parts: UnreachableParts;
  readonly #reasons = new Map<string, NotUndone>();
  /**
   * Hosts that answered and were unreachable again for the next undo: the pause before the next
   * attempt, and its end.
   */
  readonly #rests = new Map<string, { pauseMs: number; until: number }>();

  constructor(parts: UnreachableParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#reasons.size;
  }

  /** Why each host is unreachable, by name. */
  get reasons(): ReadonlyMap<string, NotUndone> {
    return this.#reasons;
  }

  park(host: string, why: NotUndone): void {
    this.#reasons.set(host, why);
    const rest = this.#rests.get(host);
    if (rest) rest.until = this.#parts.clock.now() + rest.pauseMs;
    this.#parts.log.write({ t: 'parked', host, why });
  }

  /**
   * Waits until at least one of the hosts answers.
   *
   * @returns the hosts that answer and are removed from the list; none after the deadline or an
   * interruption
   */
  async waitForAny(deadline: number): Promise<string[]> {
    const { isStopping, log, clock, signal } = this.#parts;
    const names = [...this.#reasons.keys()];
    const left = Math.max(0, Math.round((deadline - clock.now()) / 1000));
    const text = `Unreachable: ${names.join(', ')}. Retrying for ${String(left)} s.`;
    log.signal({ t: 'message', level: 'warning', text });
    while (clock.now() < deadline && !isStopping()) {
      const answers = await Promise.all(names.map((host) => this.#answers(host)));
      const returned = names.filter((_, index) => answers[index] === true);
      for (const host of returned) {
        this.#reasons.delete(host);
        this.#rest(host);
        log.write({ t: 'unparked', host });
      }
      if (returned.length > 0) return returned;
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return [];
  }

  /** Sets the pause for the case that the host is unreachable again: twice as long each time. */
  #rest(host: string): void {
    const before = this.#rests.get(host)?.pauseMs;
    const pauseMs = before === undefined ? PAUSE_MS : Math.min(2 * before, LONGEST_PAUSE_MS);
    this.#rests.set(host, { pauseMs, until: 0 });
  }

  /** Sends a query: an open connection alone does not show that the host responds. */
  async #answers(host: string): Promise<boolean> {
    const { clock, log, redactor, signal } = this.#parts;
    if (clock.now() < (this.#rests.get(host)?.until ?? 0)) return false;
    const run = log.state;
    const unit = [...run.units.values()].find(({ intent }) => intent.target === host);
    const become = unit?.intent.become ?? { enabled: false, user: 'root', method: 'sudo' };
    try {
      const target = recordedTarget(run, host, redactor);
      const session = await openSession(this.#parts, target, become);
      await session.exchange(
        { control: { unit: unit?.intent.unit ?? 0 } },
        { timeoutMs: FACT_TIMEOUT_MS, signal },
      );
      return true;
    } catch (error) {
      if (error instanceof RunnerError) return false;
      throw error;
    }
  }
}
