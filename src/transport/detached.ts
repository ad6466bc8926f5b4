import { ConnectError, TaskError } from '../core/errors.ts';
import type { Control, ControlAnswers, Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';
import { attach, sections, type Script } from './scripts.ts';
import type { RemoteShell, ShellOutput } from './shell.ts';

const RECONNECT_PAUSE_MS = 2000;

/** Functions of a session that runDetached uses. */
export interface DetachedSteps {
  /** Runs work in a shell, and reconnects if the connection is lost. */
  readonly use: <T>(limits: Limits, work: (shell: RemoteShell) => Promise<T>) => Promise<T>;
  readonly ask: (control: Control, limits: Limits) => Promise<ControlAnswers>;
  readonly clock: Clock;
}

/** Runs a detached unit. After a lost connection, it reconnects until the timeout and reads the unit's record on the host. */
export async function runDetached(
  script: Script & Required<Pick<Script, 'detach'>>,
  { use, ask, clock }: DetachedSteps,
  limits: Limits,
): Promise<ShellOutput[]> {
  const { run, unit } = script.detach;
  const deadline = clock.now() + limits.timeoutMs;
  const left = (): Limits => ({ ...limits, timeoutMs: Math.max(1, deadline - clock.now()) });
  let sent = false;
  let nonce = '';
  for (;;) {
    try {
      if (!sent) {
        return await use(limits, (shell) => {
          nonce = shell.nonce;
          sent = true;
          return shell.run(sections(script), left());
        });
      }
      const before = await ask({ unit }, left());
      if (before.unit?.state === 'never_started') {
        // The script can still be in transit. Send it again only after the fence, when the first one can no longer run.
        const now = await ask({ fence: true, unit }, left());
        sent = now.fence !== 'clear' || now.unit?.state !== 'never_started';
        if (sent) await clock.sleep(RECONNECT_PAUSE_MS, limits.signal).catch(() => undefined);
        continue;
      }
      if (before.unit?.state === 'interrupted') {
        throw new TaskError(
          'The connection was lost, and the step was interrupted on the host, by a restart or a signal.',
          { hint: 'Check on the host which of its changes were made.' },
        );
      }
      return await use(limits, (shell) => shell.run(attach(nonce, run, unit), left(), { nonce }));
    } catch (error) {
      const again =
        error instanceof ConnectError &&
        error.retryable &&
        clock.now() + RECONNECT_PAUSE_MS < deadline &&
        limits.signal?.aborted !== true;
      if (!again) throw error;
      await clock.sleep(RECONNECT_PAUSE_MS, limits.signal).catch(() => undefined);
    }
  }
}
