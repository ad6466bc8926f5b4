import { UnknownProgram } from '../model-host.ts';

/** Thrown when a program fails like the real one. */
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

/** The model does not support the call. This is an error of the test, not a failure of the host. */
export function unknown(program: string, words: readonly string[]): never {
  throw new UnknownProgram(`The model of ${program} does not support: ${words.join(' ')}`);
}
