import type { StepInfo } from '../core/states.ts';
import { conceal, messageOf, type Outcome } from '../core/outcome.ts';
import {
  call,
  endedBy,
  type Call,
  type CallParts,
  type CallMode,
  type CallResult,
} from './call.ts';
import type { TaskNode } from '../language/document.ts';
import type { RunSettings } from './settings.ts';
import { untilUnmet, simulated, verdict, wantsRetry, type Holds } from './judge.ts';
import { retriesOf } from './limits.ts';
import { holdsFor } from './result-conditions.ts';
import { runEffect } from './run-effects.ts';

/** A call with the retries and conditions of its task. */
export type TaskCall = Omit<Call, 'attempt' | 'mode' | 'change'> &
  Partial<Pick<Call, 'mode' | 'change'>>;

/**
 * Runs a task on a host: calls its module, retries according to `retries` and `until`, and judges
 * the result.
 *
 * @throws JournalError; errors of hosts, modules and templates become outcomes
 */
export async function runTask(parts: CallParts, asked: TaskCall): Promise<CallResult> {
  const { task, scope } = asked;
  const { mode = modeOf(parts.settings, task), change } = asked;
  const holds: Holds = (conditions, result) => holdsFor(conditions, task, result, scope);
  let tries = { retries: 0, delaySeconds: 0 };
  for (let attempt = 1; ; attempt++) {
    let answer: CallResult | undefined;
    try {
      tries = retriesOf(task, scope);
    } catch (error) {
      answer = endedBy(error, { task, change });
    }
    answer ??= await call(parts, { ...asked, mode, change, attempt });
    const outcome = counted(answer.outcome, attempt);
    const again = mode === 'real' && wantsRetry(task, outcome, { ...tries, holds });
    const hasTriesLeft = again && attempt <= tries.retries;
    if (hasTriesLeft && !parts.isStopping()) {
      await pause(parts, asked, { attempt, outcome: visible(task, outcome), ...tries });
      continue;
    }
    const unmet = again && task.until.length > 0;
    const last = unmet ? untilUnmet(task, outcome, attempt) : outcome;
    // If an interruption ended the retries, the step failed regardless of "failed_when", so that a
    // resumed run retries it.
    const said = hasTriesLeft ? { ...asked, task: { ...task, failedWhen: undefined } } : asked;
    return { ...answer, outcome: judged(said, { ...answer, outcome: last }, { mode, holds }) };
  }
}

function modeOf({ check }: Pick<RunSettings, 'check'>, { simulate }: TaskNode): CallMode {
  if (check) return 'check';
  return simulate ? 'simulated' : 'real';
}

async function pause(
  { clock, log, signal }: CallParts,
  { step, host }: TaskCall,
  {
    attempt,
    outcome,
    retries,
    delaySeconds,
  }: { attempt: number; outcome: Outcome; retries: number; delaySeconds: number },
): Promise<void> {
  log.signal({
    t: 'retry',
    step,
    host: host.name,
    attempt,
    attempts: 1 + retries,
    message: messageOf(outcome) ?? '',
  });
  await clock.sleep(delaySeconds * 1000, signal).catch(() => undefined);
}

function counted(outcome: Outcome, attempts: number): Outcome {
  return outcome.result ? { ...outcome, result: { ...outcome.result, attempts } } : outcome;
}

/** The outcome for displays and the journal, without values that `no_log` hides. */
function visible({ noLog }: TaskNode, outcome: Outcome): Outcome {
  return noLog ? conceal(outcome) : outcome;
}

function judged(
  { task }: TaskCall,
  { outcome, plan }: CallResult,
  { mode, holds }: { mode: CallMode; holds: Holds },
): Outcome {
  const said = visible(task, verdict(task, outcome, { holds }));
  if (mode === 'real') return said;
  if (mode === 'simulated') return visible(task, simulated(said));
  const isKnown = said.is !== 'predicted' || said.change !== true || runEffect(plan, 'set-facts');
  if (isKnown) return said;
  const why = messageOf(said);
  return { is: 'predicted', change: true, ...(why === undefined ? {} : { why }) };
}

/** The step of a task that is not part of a play. */
export function outsidePlay(play: string, { id, name, module, at }: TaskNode): StepInfo {
  return { id, number: 0, play, name, module, at, handler: false };
}
