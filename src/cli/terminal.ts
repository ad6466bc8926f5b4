import { Readable } from 'node:stream';
import type { OutputWriter } from '../util/output-writer.ts';

/** Standard input, which may be a terminal. */
export interface InputStream extends Readable {
  isTTY?: boolean;
  setRawMode?: (raw: boolean) => unknown;
}

/** The terminal of the operator, which may be closed at any time. */
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
    // A closed terminal ends the input or causes an error, for example on leaving raw mode after a
    // prompt.
    for (const event of ['error', 'end', 'close']) input.on(event, close);
    output.onLost(close);
  }

  /** Whether a prompt is possible. */
  get isOpen(): boolean {
    return this.#input.isTTY === true && this.output.isTTY && !this.#closed.signal.aborted;
  }

  /** Aborted when the terminal is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Passes typed input to the function while it runs, but no errors of the terminal. */
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
