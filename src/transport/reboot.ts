import type { ExecAction, RebootAction } from '../core/action.ts';
import { ConnectError, errorMessage, TaskError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';

const POLL_MS = 1000;
/** A host that goes down may let a question hang. */
const ANSWER_TIMEOUT_MS = 15_000;

/** What a session does for a restart of its host. */
export interface RestartSteps {
  /** Name of the host. */
  readonly host: string;
  /** Gives the command. */
  readonly order: (command: ExecAction, options: Limits) => Promise<readonly CommandOutput[]>;
  /** What `restartedScript` prints, in a shell that may be a new one. */
  readonly look: (options: Limits) => Promise<CommandOutput>;
  readonly clock: Clock;
}

/**
 * Restarts a host and waits until it answers with another boot id and its test succeeds.
 * @returns the seconds it took as output, or the answer of a command that was refused
 * @throws ConnectError when it does not come back in time; TaskError when it never went down, or is not up whole
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
    // The line may break before the command could answer.
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
    throw new TimeoutError('Interrupted while the host restarted.');
  });
}

/** How a restart ended: with the host up, or what was last known of it. */
type RestartEnd =
  | { isUp: true }
  | { isUp: false; /** Restarted, and its test fails. */ isNew: boolean; last: Error | undefined };

/** Asks again and again whether the host is up. @throws ConnectError when another host answers */
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
      // Dialling has a patience of its own, which may be longer than what is left.
      const answer = await before(deadline, clock, look({ timeoutMs }));
      if (answer === undefined) break;
      const word = answer.stdout.trim().split('\n').at(-1);
      if (word === 'up') return { isUp: true };
      isNew = word === 'new';
      last = new Error(isNew ? answer.stderr.trim() : 'it still runs');
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
    return new ConnectError(`"${host}" was told to restart and did not come back ${limit}${said}`, {
      host,
      stage: last?.stage ?? 'lost',
      retryable: false,
      hint: 'Look at its console. If it only needs longer, raise "reboot_timeout".',
      cause: last,
    });
  }
  if (isNew) {
    const message = `The host restarted, and "${argvText(test)}" did not succeed ${limit}: ${errorMessage(last)}`;
    return new TaskError(message);
  }
  return new TaskError(`The host was told to restart and still runs as before ${limit}.`, {
    hint: 'Does something hold it back? See: systemd-inhibit --list; systemctl list-jobs.',
    cause: last,
  });
}

/** Undefined when it takes longer than that. */
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
