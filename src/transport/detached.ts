import { ConnectError, TaskError } from '../core/errors.ts';
import type { Control, ControlAnswers, Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';
import { attach, sections, type Script } from './scripts.ts';
import type { RemoteShell, ShellOutput } from './shell.ts';

const RECONNECT_PAUSE_MS = 2000;

/** What a session does for a detached unit. */
export interface DetachedSteps {
  /** Opens the connection again when it is lost. */
  readonly use: <T>(limits: Limits, work: (shell: RemoteShell) => Promise<T>) => Promise<T>;
  readonly ask: (control: Control, limits: Limits) => Promise<ControlAnswers>;
  readonly clock: Clock;
}

/** A lost connection is opened again until time is up; the host's own record says what became of the unit. */
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
        // What was sent may still be on its way; only when it cannot arrive any more is it sent again.
        const now = await ask({ fence: true, unit }, left());
        sent = now.fence !== 'clear' || now.unit?.state !== 'never_started';
        if (sent) await clock.sleep(RECONNECT_PAUSE_MS, limits.signal).catch(() => undefined);
        continue;
      }
      if (before.unit?.state === 'interrupted') {
        throw new TaskError(
          'The connection was lost, and the step was ended on the host before it was done: by a restart of the host, or by somebody.',
          { hint: 'What it had done by then is not known.' },
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
