import type { ExecAction, RebootAction } from '../core/action.ts';
import { ConnectError, errorMessage, TaskError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';

const POLL_MS = 1000;
/** A host that is shutting down can leave a request without an answer. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Functions of a session that restart() uses. */
export interface RestartSteps {
  /** Name of the host. */
  readonly host: string;
  /** Runs the restart command. */
  readonly order: (command: ExecAction, options: Limits) => Promise<readonly CommandOutput[]>;
  /** Runs `restartedScript`, reconnecting if necessary. */
  readonly look: (options: Limits) => Promise<CommandOutput>;
  readonly clock: Clock;
}

/**
 * Restarts a host and waits until it has another boot ID and the test command succeeds.
 * @returns the duration in seconds as output, or the output of the failed restart command
 * @throws ConnectError if it does not come back in time; TaskError if it did not restart, or the test fails
 */
export async function restart(
  { argv, test, timeoutSeconds, delaySeconds = 0 }: RebootAction,
  { host, order, look, clock }: RestartSteps,
  { signal }: Limits,
): Promise<CommandOutput[]> {
  const began = clock.now();
  const deadline = began + (timeoutSeconds + delaySeconds) * 1000;
  try {
    const outputs = await order(
      { kind: 'exec', argv },
      { timeoutMs: timeoutSeconds * 1000, signal },
    );
    if (outputs.at(-1)?.code !== 0) return [...outputs];
  } catch (error) {
    // The restart can end the connection before the command returns.
    if (!(error instanceof ConnectError && error.stage === 'lost')) throw error;
  }
  await pause(clock, delaySeconds * 1000, signal);
  const end = await untilUp(deadline, { look, clock }, signal);
  if (!end.isUp) throw notBack(host, { test, timeoutSeconds }, end);
  const seconds = String(Math.round((clock.now() - began) / 1000));
  return [{ code: 0, stdout: seconds, stderr: '' }];
}

function pause(clock: Clock, ms: number, signal: Limits['signal']): Promise<void> {
  return clock.sleep(ms, signal).catch(() => {
    throw new TimeoutError('Interrupted while the host was restarting.');
  });
}

/** The result of a restart: the host is up, or its last known state. */
type RestartEnd =
  | { isUp: true }
  | { isUp: false; /** Restarted, but its test fails. */ isNew: boolean; last: Error | undefined };

/** Polls the host until it is up. @throws ConnectError if the host key differs */
async function untilUp(
  deadline: number,
  { look, clock }: Pick<RestartSteps, 'look' | 'clock'>,
  signal: Limits['signal'],
): Promise<RestartEnd> {
  let last: Error | undefined;
  let isNew = false;
  while (clock.now() < deadline) {
    await pause(clock, POLL_MS, signal);
    const timeoutMs = Math.min(ANSWER_TIMEOUT_MS, Math.max(POLL_MS, deadline - clock.now()));
    try {
      // Retries while dialling can take longer than the remaining time.
      const answer = await before(deadline, clock, look({ timeoutMs }));
      if (answer === undefined) break;
      const word = answer.stdout.trim().split('\n').at(-1);
      if (word === 'up') return { isUp: true };
      isNew = word === 'new';
      last = new Error(isNew ? answer.stderr.trim() : 'it has not restarted yet');
    } catch (error) {
      const other = error instanceof ConnectError && error.stage === 'host_key';
      if (other || !(error instanceof ConnectError || error instanceof TimeoutError)) throw error;
      last = error;
    }
  }
  return { isUp: false, isNew, last };
}

function notBack(
  host: string,
  { test, timeoutSeconds }: Pick<RebootAction, 'test' | 'timeoutSeconds'>,
  { isNew, last }: Extract<RestartEnd, { isUp: false }>,
): Error {
  const limit = `within ${String(timeoutSeconds)} s`;
  if (last === undefined || last instanceof ConnectError) {
    const said = last === undefined ? '' : `: ${last.message}`;
    return new ConnectError(`"${host}" did not come back ${limit} after the restart${said}`, {
      host,
      stage: last?.stage ?? 'lost',
      retryable: false,
      hint: 'Check its console. If it needs more time, increase "reboot_timeout".',
      cause: last,
    });
  }
  if (isNew) {
    const message = `The host restarted, and "${argvText(test)}" did not succeed ${limit}: ${errorMessage(last)}`;
    return new TaskError(message);
  }
  return new TaskError(`The host did not restart ${limit}.`, {
    hint: 'Check what delays it with "systemd-inhibit --list" and "systemctl list-jobs".',
    cause: last,
  });
}

/** The result of the work; undefined if it takes longer than the deadline. */
async function before<T>(deadline: number, clock: Clock, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = clock.sleep(Math.max(POLL_MS, deadline - clock.now()), done.signal);
  try {
    return await Promise.race([work, late.then(() => undefined)]);
  } finally {
    late.catch(() => undefined);
    done.abort();
  }
}

function argvText(argv: readonly string[]): string {
  return argv.at(-1) ?? '';
}
