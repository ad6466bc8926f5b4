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
 * Prompts in the terminal. Undefined if the operator cancels, the signal aborts, or the terminal is
 * closed, after which `canAsk` is false.
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
  // Prompts return a symbol when they are cancelled.
  return typeof answer === 'symbol' ? undefined : (answer as Exclude<T, symbol>);
}

/** Prompts for text without showing it. */
export async function askSecret(
  world: World,
  message: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { password } = await import('@clack/prompts');
  return ask(world, (options) => password({ ...options, message }), signal);
}

/** Prompts twice for a secret that cannot be checked before it is used. @throws UsageError */
export async function askSecretTwice(world: World, question: string): Promise<string> {
  if (!canAsk(world)) throw new UsageError(`Cannot prompt without a terminal: ${question}.`);
  const answer = await askSecret(world, question);
  if (!answer) throw new UsageError(`No value was given: ${question}.`);
  if ((await askSecret(world, 'Repeat the value')) !== answer)
    throw new UsageError('The two values do not match. Nothing was changed.');
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

/** Prompts for yes or no. False without an answer. */
export async function confirm(world: World, message: string): Promise<boolean> {
  const prompts = await import('@clack/prompts');
  const question = { message, initialValue: false };
  return (await ask(world, (options) => prompts.confirm({ ...options, ...question }))) ?? false;
}

/** Prompts whether to run a step. */
export async function askBeforeStep(
  world: World,
  message: string,
): Promise<'yes' | 'no' | 'all' | undefined> {
  const { select } = await import('@clack/prompts');
  const choices = [
    { value: 'yes' as const, label: 'yes' },
    { value: 'no' as const, label: 'no', hint: 'skip this step' },
    { value: 'all' as const, label: 'all', hint: 'run this step and all remaining steps' },
  ];
  return ask(world, (options) => select({ ...options, message, options: choices }));
}

/** Prompts for what to do after Ctrl-C. Without an answer, the changes are left in place. */
export async function askAfterInterrupt(world: World): Promise<'continue' | 'rollback' | 'leave'> {
  const { select } = await import('@clack/prompts');
  const message = 'Interrupted. What do you want to do?';
  const choices = [
    { value: 'continue' as const, label: 'continue', hint: 'continue the run' },
    { value: 'rollback' as const, label: 'roll back', hint: 'undo the changes' },
    { value: 'leave' as const, label: 'leave', hint: 'leave the changes in place' },
  ];
  return (
    (await ask(world, (options) => select({ ...options, message, options: choices }))) ?? 'leave'
  );
}

/** Prompts for steps of the run, one prompt at a time. Ctrl-C in a prompt interrupts the run. */
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

/**
 * Prompts before each step until the operator chooses "all". Ctrl-C in a prompt interrupts the run
 * before the step.
 */
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
  // With "strategy: free", hosts reach their steps at the same time.
  const next = inTurn();
  return (step, hosts) => next(() => ask(step, hosts));
}

/** Runs prompts one at a time. */
function inTurn(): <T>(question: () => Promise<T>) => Promise<T> {
  let before: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = before.then(question);
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** Prompts while the display does not draw. */
async function held<T>(display: Display, question: () => Promise<T>): Promise<T> {
  const release = display.hold?.();
  try {
    return await question();
  } finally {
    release?.();
  }
}
