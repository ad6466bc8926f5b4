import { ConnectError } from '../core/errors.ts';
import type { HostSession } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import type { RunEffect } from '../core/module.ts';
import type { Clock } from '../core/ports.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { renderAccess } from './access.ts';
import type { Stop } from './services.ts';
import { FACT_TIMEOUT_MS, openSession, type Sessions } from './sessions.ts';

type Needed = Sessions & Stop & { clock: Clock };

/** The session of a call, opened on first use. */
export class TargetLine {
  readonly #parts: Needed;
  readonly #open: () => Promise<HostSession>;
  #opened: Promise<HostSession> | undefined;

  constructor(
    parts: Needed,
    { task, target, scope }: { task: TaskNode; target: InventoryHost; scope: Scope },
  ) {
    this.#parts = parts;
    this.#open = async () =>
      openSession(parts, target, renderAccess(task.become, target.address, scope));
  }

  session(): Promise<HostSession> {
    return (this.#opened ??= this.#open());
  }

  /** Waits for an unreachable host. @throws ConnectError when the time limit is exceeded */
  async await(
    patience: Extract<RunEffect, { kind: 'await-host' }>,
    { check }: { check: boolean },
  ): Promise<void> {
    await (this.#opened = this.#answering(patience, check));
  }

  async #answering(
    { seconds, pauseSeconds, delaySeconds }: Extract<RunEffect, { kind: 'await-host' }>,
    check: boolean,
  ): Promise<HostSession> {
    const { clock, signal, isStopping } = this.#parts;
    if (delaySeconds > 0 && !check) await clock.sleep(delaySeconds * 1000, signal);
    const deadline = clock.now() + seconds * 1000;
    for (;;) {
      try {
        const session = await this.#open();
        // A connection that was opened before may be broken without notice.
        await session.exchange({ reads: [{ script: ':' }] }, { timeoutMs: FACT_TIMEOUT_MS });
        return session;
      } catch (error) {
        const again = error instanceof ConnectError && error.retryable && clock.now() < deadline;
        if (!again || isStopping()) throw error;
        await clock.sleep(pauseSeconds * 1000, signal).catch(() => undefined);
      }
    }
  }
}
