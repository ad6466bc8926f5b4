import { StringDecoder } from 'node:string_decoder';
import type { OutputSink } from '../core/host.ts';

/**
 * What the shell wants next on its input: R the bytes of a file and what follows them, W the bytes alone, T what follows
 * now that they are taken, N what follows without them.
 */
export type Wish = 'R' | 'W' | 'T' | 'N';

export interface FrameOptions {
  /** Bytes of the output with this index that are kept; what is more goes to `overflow` only. */
  keepBytes: (index: number) => number;
  /** Called when an output grows above `keepBytes`. It gets all of it. */
  overflow?: (() => OutputSink | undefined) | undefined;
  onOutput?: ((text: string, isCut: boolean) => void) | undefined;
  onReady?: ((wish: Wish) => void) | undefined;
  /** Drop all before the first "B". */
  awaitBegin?: boolean;
  /** Where the bytes of the frame with this index go, instead of being kept. */
  sink?: ((index: number) => OutputSink | undefined) | undefined;
}

export interface Frame {
  code: number;
  bytes: Buffer;
  /** Bytes of the output in all. */
  size: number;
  /** Something that was left running holds the shell's output. */
  shared: boolean;
  /** It is what came before the first command, and failed. */
  prologue: boolean;
}

const DISPLAYED_BYTES = 64 * 1024;

/**
 * Cuts one stream of a shell into the outputs of its commands. Every marker is a line of its own that begins with a
 * word the commands cannot know: B is where answers begin, E CODE SHARED ends the output of a command, P CODE 0 that of
 * what came before the commands and failed, R, W, T and N say what is wanted next, L and M stand around a copy that is only
 * for display, D at the end of the last marker ends the answer.
 */
export class FrameReader {
  readonly frames: Frame[] = [];
  done = false;
  readonly #marker: Buffer;
  readonly #options: FrameOptions;
  /** Made when output is displayed: most answers are not. */
  #decoder: StringDecoder | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #begun: boolean;
  #displayOnly = false;
  #displayed = false;
  #parts: Buffer[] = [];
  #size = 0;
  #sink: OutputSink | undefined;
  #overflowing: OutputSink | undefined;

  constructor(nonce: string, options: FrameOptions) {
    this.#marker = Buffer.from(`\n${nonce} `);
    this.#options = options;
    this.#begun = options.awaitBegin !== true;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#step());
  }

  /** To be called when no more comes, whether or not the answer is whole. */
  close(): void {
    this.#sink?.end();
    this.#overflowing?.end();
    this.#sink = undefined;
    this.#overflowing = undefined;
  }

  #step(): boolean {
    const at = this.#buffer.indexOf(this.#marker);
    if (at === -1) {
      // A marker may be cut in two by the chunk's end: what cannot be the start of one is let through.
      const safe = this.#buffer.length - this.#markerStart();
      this.#take(this.#buffer.subarray(0, safe));
      this.#buffer = this.#buffer.subarray(safe);
      return false;
    }
    const lineEnd = this.#buffer.indexOf(0x0a, at + this.#marker.length);
    this.#take(this.#buffer.subarray(0, at));
    if (lineEnd === -1) {
      this.#buffer = this.#buffer.subarray(at);
      return false;
    }
    const word = this.#buffer.subarray(at + this.#marker.length, lineEnd).toString('latin1');
    this.#buffer = this.#buffer.subarray(lineEnd + 1);
    this.#mark(word);
    return true;
  }

  /** Length of the buffer's longest end that a marker begins with. */
  #markerStart(): number {
    const longest = Math.min(this.#marker.length - 1, this.#buffer.length);
    for (let length = longest; length > 0; length--) {
      const end = this.#buffer.subarray(this.#buffer.length - length);
      if (end.equals(this.#marker.subarray(0, length))) return length;
    }
    return 0;
  }

  #mark(word: string): void {
    const [kind = '', code, shared, last] = word.split(' ');
    switch (kind) {
      case 'B':
        this.#begun = true;
        return;
      case 'E':
      case 'P':
        if (!this.#displayOnly) this.#end(Number(code), shared === '1', kind === 'P');
        if (last === 'D') this.done = true;
        return;
      case 'L':
        this.#displayOnly = true;
        this.#displayed = true;
        return;
      case 'M':
        this.#displayOnly = false;
        return;
      case 'R':
      case 'W':
      case 'T':
      case 'N':
        this.#options.onReady?.(kind);
        return;
      case '':
        // No command ran: the marker is "D" alone.
        this.done = true;
        return;
      default:
      // Not ours: no shell of this program writes another word.
    }
  }

  #end(code: number, shared: boolean, prologue: boolean): void {
    // A sink is opened for an empty output too.
    this.#sink ??= this.#options.sink?.(this.frames.length);
    const bytes = Buffer.concat(this.#parts);
    this.frames.push({ code, bytes, size: this.#size, shared, prologue });
    this.#parts = [];
    this.#size = 0;
    this.close();
  }

  #take(bytes: Buffer): void {
    if (!this.#begun || bytes.length === 0) return;
    if (this.#size === 0 && !this.#displayOnly)
      this.#sink ??= this.#options.sink?.(this.frames.length);
    const { onOutput } = this.#options;
    if (onOutput && !this.#sink && (this.#displayOnly || !this.#displayed)) {
      this.#decoder ??= new StringDecoder('utf8');
      // A flood is not worth showing whole: its newest part is.
      const isCut = bytes.length > DISPLAYED_BYTES;
      onOutput(this.#decoder.write(bytes.subarray(-DISPLAYED_BYTES)), isCut);
    }
    if (this.#displayOnly) return;
    const before = this.#size;
    this.#size += bytes.length;
    if (this.#sink) {
      this.#sink.write(bytes);
      return;
    }
    const { overflow } = this.#options;
    const keepBytes = this.#options.keepBytes(this.frames.length);
    if (before <= keepBytes && this.#size > keepBytes) {
      this.#overflowing = overflow?.();
      for (const part of this.#parts) this.#overflowing?.write(part);
    }
    if (this.#size > keepBytes) this.#overflowing?.write(bytes);
    if (before < keepBytes) this.#parts.push(bytes.subarray(0, keepBytes - before));
  }
}
