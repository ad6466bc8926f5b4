import { Readable } from 'node:stream';
import type { OutputWriter } from '../util/output-writer.ts';

/** What an operator types, in a terminal. */
export interface InputStream extends Readable {
  isTTY?: boolean;
  setRawMode?: (raw: boolean) => unknown;
}

/** The terminal that an operator reads and types in. It may be closed at any time. */
export class Terminal {
  readonly output: OutputWriter;
  readonly #input: InputStream;
  readonly #closed = new AbortController();

  constructor(input: InputStream, output: OutputWriter) {
    this.#input = input;
    this.output = output;
    if (input.isTTY !== true || !output.isTTY) return;
    const close = () => {
      this.#closed.abort();
    };
    // A closed terminal ends the input, or fails what is asked of it, such as leaving raw mode after a question.
    for (const event of ['error', 'end', 'close']) input.on(event, close);
    output.onLost(close);
  }

  /** Whether a question can be asked. */
  get isOpen(): boolean {
    return this.#input.isTTY === true && this.output.isTTY && !this.#closed.signal.aborted;
  }

  /** Aborted when the terminal is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Gives the work what is typed while it is going on, without the errors of the terminal. */
  async whileTyping<T>(work: (input: Readable) => Promise<T>): Promise<T> {
    const typed = new Typed(this.#input);
    const push = (bytes: Buffer) => {
      typed.push(bytes);
    };
    this.#input.on('data', push);
    this.#input.resume();
    try {
      return await work(typed);
    } finally {
      this.#input.off('data', push);
      this.#input.pause();
    }
  }
}

class Typed extends Readable {
  readonly isTTY = true;
  readonly #input: InputStream;

  constructor(input: InputStream) {
    super({ read: () => undefined });
    this.#input = input;
  }

  setRawMode(raw: boolean): this {
    this.#input.setRawMode?.(raw);
    return this;
  }
}
