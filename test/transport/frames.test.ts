import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, type FrameOptions } from '../../src/transport/frames.ts';

const nonce = 'f00dfeed';
const mark = (word: string) => Buffer.from(`\n${nonce} ${word}\n`);

/** Feeds a stream in chunks, cycling through the given sizes. */
function read(
  stream: Buffer,
  sizes: readonly number[] = [4096],
  options: Partial<FrameOptions> = {},
): FrameReader {
  const reader = new FrameReader(nonce, { keepBytes: () => 10_000, ...options });
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    reader.push(stream.subarray(at, at + size));
    at += size;
  }
  return reader;
}

/** Bytes that resemble markers, except for the nonce, which commands cannot know. */
const imitation = fc.constantFrom(
  Buffer.from(`\n${nonce.slice(0, -1)} E 0 0\n`),
  Buffer.from(`\n${nonce.slice(0, 4)}`),
  Buffer.from(`${nonce} E 0 0`),
  Buffer.from(' E 0 0\n\n'),
  Buffer.from('\n\n\n'),
);
const output = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      imitation,
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts))
  .filter((bytes) => !bytes.includes(`\n${nonce} `));
const chunking = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe('FrameReader', () => {
  it('returns any bytes unchanged, for any chunk sizes', () => {
    fc.assert(
      fc.property(fc.array(output, { minLength: 1, maxLength: 5 }), chunking, (outputs, sizes) => {
        const parts = outputs.flatMap((bytes, index) => [
          bytes,
          mark(
            `E ${String(index)} ${String(index % 2)}${index === outputs.length - 1 ? ' D' : ''}`,
          ),
        ]);
        const stream = Buffer.concat([Buffer.from('noise\n'), mark('B'), ...parts]);
        const reader = read(stream, sizes, { awaitBegin: true });
        expect(reader.done).toBe(true);
        expect(reader.frames.map(({ code }) => code)).toEqual(outputs.map((_, index) => index));
        expect(reader.frames.map(({ shared }) => shared)).toEqual(
          outputs.map((_, index) => index % 2 === 1),
        );
        expect(reader.frames.map(({ bytes }) => bytes.toString('hex'))).toEqual(
          outputs.map((bytes) => bytes.toString('hex')),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('ends a frame only at its own marker, for any output bytes', () => {
    fc.assert(
      fc.property(fc.array(output, { maxLength: 8 }), chunking, (parts, sizes) => {
        const stream = Buffer.concat(parts);
        fc.pre(!stream.includes(`\n${nonce} `));
        const reader = read(stream, sizes);
        expect(reader.done).toBe(false);
        expect(reader.frames).toEqual([]);
      }),
    );
  });

  it('passes complete characters to the display, in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), chunking, (text, sizes) => {
        fc.pre(!text.includes(nonce));
        const shown: string[] = [];
        read(Buffer.concat([Buffer.from(text), mark('E 0 0 D')]), sizes, {
          onOutput: (part) => shown.push(part),
        });
        expect(shown.join('')).toBe(text);
      }),
    );
  });

  it('keeps at most keepBytes and passes the whole output to the overflow sink', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), chunking, (size, sizes) => {
        const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index % 251));
        const whole: Buffer[] = [];
        let ended = 0;
        const reader = read(Buffer.concat([bytes, mark('E 0 0 D')]), sizes, {
          keepBytes: () => 100,
          overflow: () => ({
            write: (part) => whole.push(part),
            end: () => ended++,
          }),
        });
        expect(reader.frames[0]?.bytes.equals(bytes.subarray(0, 100))).toBe(true);
        expect(reader.frames[0]?.size).toBe(size);
        expect(Buffer.concat(whole).equals(size > 100 ? bytes : Buffer.alloc(0))).toBe(true);
        expect(ended).toBe(size > 100 ? 1 : 0);
      }),
    );
  });

  it('displays the output of a detached step once and returns its frames once', () => {
    const frame = Buffer.concat([Buffer.from('hello'), mark('E 3 0')]);
    const shown: string[] = [];
    const reader = read(
      Buffer.concat([
        mark('L'),
        frame.subarray(0, -4),
        Buffer.from('\n'),
        mark('M'),
        frame,
        mark('D'),
      ]),
      [7],
      { onOutput: (part) => shown.push(part) },
    );
    expect(shown.join('').startsWith('hello')).toBe(true);
    expect(reader.frames.map(({ code, bytes }) => [code, bytes.toString()])).toEqual([
      [3, 'hello'],
    ]);
  });
});
