import { TaskError, TimeoutError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { AddedHost, Plan, Question, RunEffect } from '../core/module.ts';
import type { Kept, Questions, Signals, Stop } from './services.ts';

/** What a step changes in the run itself. */
export interface RunChanges {
  setFacts: JsonObject | undefined;
  appendFacts: Record<string, JsonValue[]> | undefined;
  joinGroups: string[] | undefined;
  leaveGroups: string[] | undefined;
  addHosts: AddedHost[] | undefined;
}

/** The effect of the given kind that a plan has on the run. */
export function runEffect<K extends RunEffect['kind']>(
  plan: Plan | undefined,
  kind: K,
): Extract<RunEffect, { kind: K }> | undefined {
  return plan?.run?.find(
    (effect): effect is Extract<RunEffect, { kind: K }> => effect.kind === kind,
  );
}

export function runChanges(plan: Plan | undefined): RunChanges {
  const joined = runEffect(plan, 'join-groups');
  const added = (plan?.run ?? []).flatMap((one) => (one.kind === 'add-host' ? [one.host] : []));
  return {
    setFacts: runEffect(plan, 'set-facts')?.facts,
    appendFacts: runEffect(plan, 'append-facts')?.lists,
    joinGroups: joined?.groups,
    leaveGroups: joined?.leave,
    addHosts: added.length > 0 ? added : undefined,
  };
}

/** Whether later steps can see the changes. */
export function teaches({ setFacts, appendFacts, ...lists }: RunChanges): boolean {
  if (setFacts !== undefined || appendFacts !== undefined) return true;
  return Object.values(lists).some((list) => (list?.length ?? 0) > 0);
}

type Operators = Questions & Signals & Stop & Pick<Kept, 'keepFile'> & { clock: Clock };

/**
 * Performs the effects of a plan: pauses, prompts, writes files and displays text. The answer to a
 * prompt becomes part of the plan's result.
 *
 * @param key prompts with the same key share one answer
 */
export async function actOnRun(
  parts: Operators,
  plan: Plan,
  { check, key }: { check: boolean; key: string },
): Promise<void> {
  const pause = runEffect(plan, 'pause');
  if (pause && !check) await parts.clock.sleep(pause.seconds * 1000, parts.signal);
  const ask = runEffect(plan, 'ask');
  if (ask && !check)
    plan.result = { ...plan.result, user_input: await answerTo(parts, ask.question, key) };
  for (const one of plan.run ?? []) if (one.kind === 'keep' && !check) parts.keepFile?.(one);
  const show = runEffect(plan, 'show');
  if (!show || (check && show.inCheckMode !== true)) return;
  parts.log.signal({ t: 'document', title: show.title, text: show.text });
}

async function answerTo(
  { ask, isStopping }: Operators,
  question: Question,
  key: string,
): Promise<string> {
  const answer = await ask?.(key, question);
  if (answer !== undefined) return answer;
  if (ask && isStopping()) throw new TimeoutError('Interrupted: the prompt was not answered.');
  throw new TaskError(`Cannot prompt for input: ${question.text}`, {
    hint: 'Start the run in a terminal and without --output json, or use "seconds" instead of "prompt".',
  });
}
