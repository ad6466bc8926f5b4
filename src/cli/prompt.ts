import { UsageError } from '../core/errors.ts';
import type { World } from './world.ts';

export function canAsk(world: World): boolean {
  return world.stdin.isTTY === true && world.stdout.isTTY === true;
}

/** Asks for text that is not shown. Undefined when the operator cancels. */
export async function askSecret(
  question: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: question, ...(signal ? { signal } : {}) });
  return isCancel(answer) ? undefined : answer;
}

/** Asks twice for a secret that nothing can check: a typo would show only when it is needed. @throws UsageError */
export async function askSecretTwice(world: World, question: string): Promise<string> {
  if (!canAsk(world)) throw new UsageError(`There is no terminal to ask for: ${question}.`);
  const answer = await askSecret(question);
  if (!answer) throw new UsageError(`No answer was given to: ${question}.`);
  if ((await askSecret('Repeat it')) !== answer)
    throw new UsageError('The two answers differ. Nothing was changed.');
  return answer;
}

export async function askText(question: string, signal?: AbortSignal): Promise<string | undefined> {
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({ message: question, ...(signal ? { signal } : {}) });
  return isCancel(answer) ? undefined : answer;
}

export async function confirm(question: string): Promise<boolean> {
  const { isCancel, confirm: ask } = await import('@clack/prompts');
  const answer = await ask({ message: question, initialValue: false });
  return !isCancel(answer) && answer;
}

/** Whether a step is done. Undefined when the operator cancels. */
export async function askBeforeStep(message: string): Promise<'yes' | 'no' | 'all' | undefined> {
  const { isCancel, select } = await import('@clack/prompts');
  const answer = await select({
    message,
    options: [
      { value: 'yes' as const, label: 'yes' },
      { value: 'no' as const, label: 'no', hint: 'leave it out' },
      { value: 'all' as const, label: 'all', hint: 'do it, and ask no more' },
    ],
  });
  return isCancel(answer) ? undefined : answer;
}

/** What to do after Ctrl-C. Cancelling leaves everything as it is. */
export async function askAfterInterrupt(): Promise<'continue' | 'rollback' | 'leave'> {
  const { isCancel, select } = await import('@clack/prompts');
  const answer = await select({
    message: 'Interrupted. What now?',
    options: [
      { value: 'continue' as const, label: 'continue', hint: 'go on where it stood' },
      { value: 'rollback' as const, label: 'roll back', hint: 'take back what was done' },
      { value: 'leave' as const, label: 'leave', hint: 'end here; decide later' },
    ],
  });
  return isCancel(answer) ? 'leave' : answer;
}
