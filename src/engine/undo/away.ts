import { RunnerError } from '../../core/errors.ts';
import { openSession, type EngineContext } from '../context.ts';
import { recordedTarget } from '../undo-unit.ts';

const PAUSE_MS = 3000;

/** Hosts that could not be reached during a rollback and may come back; each change is on record. */
export class AwayHosts {
  readonly #context: EngineContext;
  readonly #reasons = new Map<string, string>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#reasons.size;
  }

  /** Why each of them could not be reached, by name. */
  get reasons(): ReadonlyMap<string, string> {
    return this.#reasons;
  }

  /** @throws JournalError when that cannot be recorded */
  async park(host: string, message: string): Promise<void> {
    this.#reasons.set(host, message);
    await this.#context.log.append({ t: 'parked', host, message });
  }

  /**
   * Waits until at least one of them answers.
   *
   * @returns those that answer, which are away no longer; none when the time is over or the operator ends the wait
   * @throws JournalError when a return cannot be recorded
   */
  async waitForAny(deadline: number): Promise<string[]> {
    const { isStopping, log, clock, signal } = this.#context;
    const names = [...this.#reasons.keys()];
    const left = Math.max(0, Math.round((deadline - clock.now()) / 1000));
    const text = `${names.join(', ')} cannot be reached; tried again for ${String(left)} s.`;
    log.signal({ t: 'message', level: 'warning', text });
    while (clock.now() < deadline && !isStopping()) {
      const answers = await Promise.all(names.map((host) => this.#answers(host)));
      const returned = names.filter((_, index) => answers[index] === true);
      for (const host of returned) {
        this.#reasons.delete(host);
        await log.append({ t: 'unparked', host });
      }
      if (returned.length > 0) return returned;
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return [];
  }

  async #answers(host: string): Promise<boolean> {
    const run = this.#context.log.state;
    const unit = [...run.units.values()].find(({ intent }) => intent.target === host);
    const become = unit?.intent.become ?? { enabled: false, user: 'root', method: 'sudo' };
    try {
      await openSession(this.#context, recordedTarget(run, host, this.#context.redactor), become);
      return true;
    } catch (error) {
      if (error instanceof RunnerError) return false;
      throw error;
    }
  }
}
