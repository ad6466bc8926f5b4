import { StringDecoder } from 'node:string_decoder';
import type { OutputSink } from '../core/host.ts';

/**
 * What the shell expects next on its input: R the bytes of a file and the text after it, W only the bytes, T the text after
 * the bytes were read, N the text without the bytes.
 */
export type InputRequest = 'R' | 'W' | 'T' | 'N';

export interface FrameOptions {
  /** Maximum bytes to keep of the output with this index. The rest goes only to `overflow`. */
  keepBytes: (index: number) => number;
  /** Called when an output exceeds `keepBytes`. The sink gets the whole output. */
  overflow?: (() => OutputSink | undefined) | undefined;
  onOutput?: ((text: string, isCut: boolean) => void) | undefined;
  onReady?: ((request: InputRequest) => void) | undefined;
  /** Ignore everything before the first "B". */
  awaitBegin?: boolean;
  /** Returns a sink that gets the bytes of the frame with this index; they are not kept. */
  sink?: ((index: number) => OutputSink | undefined) | undefined;
}

export interface Frame {
  code: number;
  bytes: Buffer;
  /** Total size of the output in bytes. */
  size: number;
  /** A background process still holds the shell's output. */
  shared: boolean;
  /** The output of the prologue, which failed. */
  prologue: boolean;
}

const DISPLAYED_BYTES = 64 * 1024;

/**
 * Splits one stream of a shell into the outputs of its commands. Each marker is a separate line that begins with a random
 * word (the nonce), which commands cannot know. B begins the answers. E CODE SHARED ends the output of a command. P CODE 0
 * ends the output of a failed prologue. R, W, T and N request the next input (see InputRequest). L and M enclose a copy
 * for display only. D at the end of the last marker ends the answer.
 */
export class FrameReader {
  readonly frames: Frame[] = [];
  done = false;
  readonly #marker: Buffer;
  readonly #options: FrameOptions;
  /** Created when output is displayed, which is rare. */
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

  /** Must be called at the end of the stream, even if the answer is incomplete. */
  close(): void {
    this.#sink?.end();
    this.#overflowing?.end();
    this.#sink = undefined;
    this.#overflowing = undefined;
  }

  #step(): boolean {
    const at = this.#buffer.indexOf(this.#marker);
    if (at === -1) {
      // A chunk can end inside a marker, so keep bytes that could begin one.
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

  /** Length of the longest buffer suffix that is a prefix of the marker. */
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
      // Unknown markers are ignored: runner's scripts write no others.
    }
  }

  #end(code: number, shared: boolean, prologue: boolean): void {
    // Open the sink even if the output is empty.
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
      // Show only the end of a large chunk.
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
