import { UnknownProgram } from '../model-host.ts';

/** A program says no, as the original does. */
export class Refusal extends Error {
  readonly code: number;

  constructor(text: string, code = 1) {
    super(text);
    this.code = code;
  }
}

export function refuse(text: string, code = 1): never {
  throw new Refusal(text, code);
}

/** The model knows no answer: a mistake of the test, never one of the host. */
export function unknown(program: string, words: readonly string[]): never {
  throw new UnknownProgram(`The model of ${program} does not know: ${words.join(' ')}`);
}
