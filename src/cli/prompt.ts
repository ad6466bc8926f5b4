import type { World } from './world.ts';

export function canAsk(world: World): boolean {
  return world.stdin.isTTY && world.stdout.isTTY;
}

/** Asks for text that is not shown. Undefined when the operator cancels. */
export async function askSecret(question: string): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: question });
  return isCancel(answer) ? undefined : answer;
}

export async function askText(question: string): Promise<string | undefined> {
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({ message: question });
  return isCancel(answer) ? undefined : answer;
}

export async function confirm(question: string): Promise<boolean> {
  const { isCancel, confirm: ask } = await import('@clack/prompts');
  const answer = await ask({ message: question, initialValue: false });
  return !isCancel(answer) && answer;
}
