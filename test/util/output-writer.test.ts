import { EventEmitter, once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { OutputWriter, type LostOutput } from '../../src/util/output-writer.ts';

/** A stream that fails after some chunks, like a closed terminal. */
class Failing extends Writable {
  readonly taken: string[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    super({ autoDestroy: false });
    this.#limit = limit;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    if (this.taken.length >= this.#limit) {
      done(Object.assign(new Error('write EIO'), { code: 'EIO', errno: -5 }));
      return;
    }
    this.taken.push(chunk.toString());
    done();
  }
}

const writerTo = (target: Writable) => new OutputWriter('standard output', target, () => 7);

describe('OutputWriter', () => {
  it('drops everything after the first failed write, and keeps its reason and time', async () => {
    const target = new Failing(1);
    const writer = writerTo(target);
    const losses: LostOutput[] = [];
    writer.onLost((lost) => losses.push(lost));
    for (const text of ['one', 'two', 'three']) writer.write(text);
    const lost = { output: 'standard output', code: 'EIO', reason: 'i/o error', at: 7 };
    expect(await writer.flushed()).toEqual(lost);
    writer.write('four');
    expect(target.taken).toEqual(['one']);
    expect(losses).toEqual([lost]);
    writer.onLost((late) => losses.push(late));
    expect(losses).toEqual([lost, lost]);
  });

  it('handles errors that are not caused by a write', async () => {
    const target = new Failing(1);
    const writer = writerTo(target);
    target.emit('error', Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    expect(writer.lost?.code).toBe('ECONNRESET');
    await expect(writer.flushed()).resolves.toMatchObject({ reason: 'reset' });
  });

  it('ends after an error of the display that writes to it', () => {
    const writer = writerTo(new Failing(1));
    writer.fail(new RangeError('Invalid string length'));
    expect(writer.lost).toMatchObject({ code: 'ERROR', reason: 'Invalid string length' });
  });

  it('writes text synchronously, so that two outputs keep their order', () => {
    const target = new Failing(9);
    const one = writerTo(target);
    const two = writerTo(target);
    one.write('1');
    two.write('2');
    one.write('3');
    expect(target.taken).toEqual(['1', '2', '3']);
  });

  it('waits for a slow reader, and has the size of the terminal', async () => {
    const ends: (() => void)[] = [];
    const slow = Object.assign(
      new Writable({
        write: (_chunk, _encoding, done) => {
          ends.push(done);
        },
      }),
      { isTTY: true, rows: 40, columns: 100 },
    );
    const writer = writerTo(slow);
    expect([writer.isTTY, writer.rows, writer.columns]).toEqual([true, 40, 100]);
    const resized = once(writer as EventEmitter, 'resize');
    slow.emit('resize');
    await resized;
    writer.write('text');
    let isFlushed = false;
    const flushed = writer.flushed().then(() => {
      isFlushed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFlushed).toBe(false);
    for (const end of ends) end();
    await flushed;
  });

  it('writes all of a long text to a file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'runner-output-'));
    const fd = openSync(join(dir, 'log'), 'w');
    try {
      const writer = writerTo(Object.assign(new Failing(0), { fd }));
      writer.write('é'.repeat(100_000));
      expect(await writer.flushed()).toBeUndefined();
      expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('é'.repeat(100_000));
    } finally {
      closeSync(fd);
      rmSync(dir, { recursive: true });
    }
  });
});
