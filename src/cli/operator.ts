import type { Readable, Writable } from 'node:stream';
import type { StepInfo } from '../core/states.ts';
import { UsageError } from '../core/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Log } from '../journal/log.ts';
import type { Display } from '../output/display.ts';
import { printable } from '../util/text.ts';
import type { StopSignals } from './stop-signals.ts';
import type { World } from './world.ts';

export function canAsk({ terminal }: World): boolean {
  return terminal.isOpen;
}

interface PromptOptions {
  input: Readable;
  output: Writable;
  signal: AbortSignal;
}

/**
 * Asks in the terminal. Undefined when the operator cancels, when the signal aborts, and when the terminal is closed
 * before there is an answer: `canAsk` is false then.
 */
async function ask<T>(
  { terminal }: World,
  prompt: (options: PromptOptions) => Promise<T>,
  signal?: AbortSignal,
): Promise<Exclude<T, symbol> | undefined> {
  if (!terminal.isOpen) return undefined;
  const { output, closed } = terminal;
  const ends = AbortSignal.any(signal ? [closed, signal] : [closed]);
  const answer = await terminal.whileTyping((input) => prompt({ input, output, signal: ends }));
  // A symbol stands for cancelling.
  return typeof answer === 'symbol' ? undefined : (answer as Exclude<T, symbol>);
}

/** Asks for text that is not shown. */
export async function askSecret(
  world: World,
  message: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { password } = await import('@clack/prompts');
  return ask(world, (options) => password({ ...options, message }), signal);
}

/** Asks twice for a secret that nothing can check: a typo would show only when it is needed. @throws UsageError */
export async function askSecretTwice(world: World, question: string): Promise<string> {
  if (!canAsk(world)) throw new UsageError(`There is no terminal to ask for: ${question}.`);
  const answer = await askSecret(world, question);
  if (!answer) throw new UsageError(`No answer was given to: ${question}.`);
  if ((await askSecret(world, 'Repeat it')) !== answer)
    throw new UsageError('The two answers differ. Nothing was changed.');
  return answer;
}

export async function askText(
  world: World,
  message: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { text } = await import('@clack/prompts');
  return ask(world, (options) => text({ ...options, message }), signal);
}

/** False when nobody answers. */
export async function confirm(world: World, message: string): Promise<boolean> {
  const prompts = await import('@clack/prompts');
  const question = { message, initialValue: false };
  return (await ask(world, (options) => prompts.confirm({ ...options, ...question }))) ?? false;
}

/** Whether a step is done. */
export async function askBeforeStep(
  world: World,
  message: string,
): Promise<'yes' | 'no' | 'all' | undefined> {
  const { select } = await import('@clack/prompts');
  const choices = [
    { value: 'yes' as const, label: 'yes' },
    { value: 'no' as const, label: 'no', hint: 'leave it out' },
    { value: 'all' as const, label: 'all', hint: 'do it, and ask no more' },
  ];
  return ask(world, (options) => select({ ...options, message, options: choices }));
}

/** What to do after Ctrl-C. Without an answer, everything is left as it is. */
export async function askAfterInterrupt(world: World): Promise<'continue' | 'rollback' | 'leave'> {
  const { select } = await import('@clack/prompts');
  const message = 'Interrupted. What now?';
  const choices = [
    { value: 'continue' as const, label: 'continue', hint: 'go on where it stood' },
    { value: 'rollback' as const, label: 'roll back', hint: 'take back what was done' },
    { value: 'leave' as const, label: 'leave', hint: 'end here; decide later' },
  ];
  return (
    (await ask(world, (options) => select({ ...options, message, options: choices }))) ?? 'leave'
  );
}

/** Asks whoever started the run, one question after the other. Ctrl-C is what it is elsewhere. */
export function askOperator(
  world: World,
  { display, log, stop }: { display: Display; log: Log; stop: StopSignals },
): Engine['ask'] {
  const { redactor } = world;
  const answered = new Map<string, Promise<string | undefined>>();
  const ask = inTurn();
  return (key, { text, hidden }) => {
    const whole = `${key} ${text}`;
    const known = answered.get(whole);
    if (known) return known;
    const name = `pause_answer_${key}_${String(answered.size + 1)}`;
    const prompt = hidden ? askSecret : askText;
    const answer = ask(async () => {
      const said = await held(display, () =>
        prompt(world, printable(redactor.mask(text)), stop.signal),
      );
      if (said === undefined && canAsk(world)) stop.request();
      if (hidden && said !== undefined) {
        redactor.add(name, said, { late: true });
        log.write({ t: 'secret', name, env: name.toUpperCase() });
      }
      return said;
    });
    answered.set(whole, answer);
    return answer;
  };
}

/** Asks before each step, until the answer is that the others need no question. Ctrl-C ends the run before the step. */
export function stepByStep(world: World, display: Display, stop: StopSignals): Engine['agree'] {
  const { redactor } = world;
  let all = false;
  const ask = async ({ name, play }: StepInfo, hosts: readonly string[]): Promise<boolean> => {
    if (all) return true;
    if (stop.stopping) return false;
    const where = hosts.length <= 5 ? hosts.join(', ') : `${String(hosts.length)} hosts`;
    const question = printable(redactor.mask(`${play}: ${name}, on ${where}?`));
    const answer = await held(display, () => askBeforeStep(world, question));
    if (answer === undefined) stop.request();
    all = answer === 'all';
    return answer === 'all' || answer === 'yes';
  };
  // Hosts that go their own ways come to their steps side by side.
  const next = inTurn();
  return (step, hosts) => next(() => ask(step, hosts));
}

/** Lets questions be asked one after the other. */
function inTurn(): <T>(question: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = before.then(question);
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** Asks while the display leaves the screen alone. */
async function held<T>(display: Display, question: () => Promise<T>): Promise<T> {
  const release = display.hold?.();
  try {
    return await question();
  } finally {
    release?.();
  }
}
