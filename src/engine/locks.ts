import { ConnectError, errorMessage, LockedError, RunnerError } from '../core/errors.ts';
import type { HostLock, HostSession } from '../core/host.ts';
import { inventoryHost, type Inventory } from '../core/inventory.ts';
import type { Clock } from '../core/ports.ts';
import type { Log } from '../journal/log.ts';
import type { Become } from '../language/document.ts';
import { mapLimited } from '../util/concurrency.ts';
import { FACT_TIMEOUT_MS, openSession, type Sessions } from './sessions.ts';
import type { Signals } from './services.ts';
import type { RunSettings } from './settings.ts';

/** Lease of a lock: the holder is considered alive this long after the last renewal. */
const LEASE_SECONDS = 600;

export interface LockParts extends Sessions, Signals {
  clock: Pick<Clock, 'every'>;
  log: Pick<Log, 'state' | 'write' | 'sync' | 'signal'>;
  inventory: Inventory;
  settings: Pick<RunSettings, 'run' | 'owner' | 'takeOver' | 'forks' | 'becomePassword'>;
  /**
   * Whether a run of this machine is known to have ended, so that its leftover lock can be
   * replaced.
   */
  isSettledRun: (run: string) => boolean;
}

/** A host that the run must lock. */
interface Wanted {
  become: Become;
  /**
   * `unreachable`: the host is unreachable. `requested`: the request is recorded but not answered, so the host
   * may have granted the lock. `held`: the host granted it.
   */
  state: 'unreachable' | 'requested' | 'held';
}

/**
 * The locks of this run on its hosts. Each lock has a run, an owner and a lease; other controllers
 * respect it.
 */
export class HostLocks {
  readonly #parts: LockParts;
  readonly #hosts = new Map<string, Wanted>();
  #endRenewing: (() => void) | undefined;
  /** Set when a lock was lost: the run that holds it now. */
  lost: string | undefined;

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  /**
   * Locks hosts that were not requested before: all of them, or none. Unreachable hosts are left to
   * `ensure`.
   * @throws LockedError when another run holds one of them
   */
  take(hosts: ReadonlyMap<string, Become>): Promise<void> {
    return this.#take(
      [...hosts].filter(([host]) => !this.#hosts.has(host) && host !== 'localhost'),
    );
  }

  async #take(wanted: readonly (readonly [string, Become])[]): Promise<void> {
    const { settings, log, isSettledRun } = this.#parts;
    if (wanted.length === 0) return;
    // Locks of an earlier process of this run are kept, even if this fails.
    const before = new Set(log.state.locks.keys());
    const reached: { host: string; become: Become; session: HostSession }[] = [];
    const unreachable = await this.#each(wanted, async ([host, become]) => {
      if (!this.#hosts.has(host)) this.#hosts.set(host, { become, state: 'unreachable' });
      reached.push({ host, become, session: await this.#session(host, become) });
    });
    // Record first: a host may be locked although its answer is lost, and is then unlocked with the
    // others.
    for (const { host, become } of reached) {
      this.#hosts.set(host, { become, state: 'requested' });
      log.write({ t: 'lock', host, become });
    }
    await log.sync();
    const refusals: { host: string; lock: HostLock }[] = [];
    const failed = await this.#each(reached, async ({ host, become, session }) => {
      const { owner, takeOver } = settings;
      let lock = await lockFor(session, owner);
      if (lock && (takeOver.includes(lock.run) || isSettledRun(lock.run)))
        lock = await lockFor(session, owner, lock.run);
      if (lock) {
        refusals.push({ host, lock });
        this.#hosts.delete(host);
        log.write({ t: 'lock-refused', host });
        return;
      }
      this.#hosts.set(host, { become, state: 'held' });
    });
    const failure =
      refusals.length > 0
        ? refusal(refusals, settings.run)
        : [...unreachable, ...failed].find((error) => !(error instanceof ConnectError));
    if (failure) {
      await this.release(wanted.map(([host]) => host).filter((host) => !before.has(host)));
      throw failure;
    }
    this.#endRenewing ??= this.#parts.clock.every((LEASE_SECONDS * 1000) / 3, () => {
      // The next renewal is still within the lease, and detects a lost lock.
      this.#renew().catch((error: unknown) => {
        const text = `Cannot renew a lock: ${errorMessage(error)}.`;
        log.signal({ t: 'message', level: 'warning', text });
      });
    });
  }

  /**
   * Called before a host is changed: locks it if it was unreachable before.
   * @throws LockedError when another run holds the lock; ConnectError
   */
  async ensure(host: string): Promise<void> {
    const wanted = this.#hosts.get(host);
    if (!wanted || wanted.state === 'held') return;
    await this.#take([[host, wanted.become]]);
    if (this.#hosts.get(host)?.state === 'held') return;
    const details = { host, stage: 'lost', retryable: true } as const;
    throw new ConnectError(
      `The connection to "${host}" was lost while it was being locked.`,
      details,
    );
  }

  /**
   * Unlocks the given hosts, or all. Unreachable hosts keep their lock, which has no effect after
   * this run has ended.
   */
  async release(hosts: readonly string[] = [...this.#hosts.keys()]): Promise<void> {
    const given = hosts.flatMap((host): [string, Become][] => {
      const wanted = this.#hosts.get(host);
      this.#hosts.delete(host);
      return wanted && wanted.state !== 'unreachable' ? [[host, wanted.become]] : [];
    });
    await this.#each(given, async ([host, become]) => {
      const session = await this.#session(host, become);
      await session.exchange({ control: { unlock: true } }, { timeoutMs: FACT_TIMEOUT_MS });
    });
  }

  stop(): void {
    this.#endRenewing?.();
  }

  async #renew(): Promise<void> {
    const { log } = this.#parts;
    const held = [...this.#hosts].filter(([, { state }]) => state === 'held');
    await this.#each(held, async ([host, { become }]) => {
      const session = await this.#session(host, become);
      const { control } = await session.exchange(
        { control: { renew: true } },
        { timeoutMs: FACT_TIMEOUT_MS },
      );
      const { renew } = control;
      if (renew === undefined || renew === 'held' || this.lost !== undefined) return;
      const { lostTo } = renew;
      this.lost = lostTo;
      const by = lostTo === '' ? 'The lock was removed' : `Run ${lostTo} took it over`;
      const text = `This run no longer holds the lock of ${host}. ${by}; no new step is started.`;
      log.signal({ t: 'message', level: 'error', text });
    });
  }

  #session(name: string, become: Become) {
    const host = inventoryHost(this.#parts.inventory, name);
    if (!host) throw new LockedError(`Host "${name}" is not in the inventory.`);
    return openSession(this.#parts, host, become);
  }

  /** Returns the errors of hosts on which the work failed. */
  async #each<T>(hosts: readonly T[], work: (host: T) => Promise<void>): Promise<RunnerError[]> {
    const failures: RunnerError[] = [];
    await mapLimited(hosts, this.#parts.settings.forks, async (host) => {
      try {
        await work(host);
      } catch (error) {
        if (!(error instanceof RunnerError)) throw error;
        failures.push(error);
      }
    });
    return failures;
  }
}

/** Locks a host for the run. @returns the lock of another run that holds it */
async function lockFor(
  session: HostSession,
  owner: string,
  replaced?: string,
): Promise<HostLock | undefined> {
  const request = { owner, leaseSeconds: LEASE_SECONDS, replaced };
  const { control } = await session.exchange(
    { control: { lock: request } },
    { timeoutMs: FACT_TIMEOUT_MS },
  );
  return control.lock === 'held' ? undefined : control.lock;
}

function refusal(refusals: readonly { host: string; lock: HostLock }[], run: string): LockedError {
  const sorted = refusals.toSorted((a, b) => a.host.localeCompare(b.host));
  const lines = sorted.map(({ host, lock }) => {
    const since = new Date(lock.since * 1000).toISOString();
    const silent = lock.silentSeconds > lock.leaseSeconds;
    const seen = `last seen ${String(lock.silentSeconds)} s ago${silent ? ', lease expired' : ''}`;
    return `${host} is locked by run ${lock.run} of ${lock.owner} since ${since} (${seen})`;
  });
  const others = [...new Set(sorted.map(({ lock }) => lock.run))];
  return new LockedError(`${lines.join('; ')}. Run ${run} changes nothing there.`, {
    hint: others
      .map(
        (other) =>
          `Wait for run ${other} to end, or run "runner resume ${other}" or "runner rollback ${other}" on the machine that started it. If that machine is lost, use "--take-over ${other}" to replace the lock; the changes of that run can then no longer be undone.`,
      )
      .join(' '),
  });
}
