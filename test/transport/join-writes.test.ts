import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { joinWrites } from '../../src/transport/join-writes.ts';

/** A stream that records the content of each system call. */
class Noted extends Duplex {
  readonly writes: string[] = [];

  override _read(): void {
    // The test reads nothing.
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('joinWrites', () => {
  it('combines all writes of one tick into one', async () => {
    const stream = new Noted();
    joinWrites(stream);
    for (const piece of ['length ', 'text ', 'seal']) stream.write(piece);
    expect(stream.writes).toEqual([]);
    await turn();
    expect(stream.writes).toEqual(['length text seal']);
    stream.write('next');
    await turn();
    expect(stream.writes).toEqual(['length text seal', 'next']);
  });

  it('writes the rest if the stream ends in the same tick', async () => {
    const stream = new Noted();
    joinWrites(stream);
    stream.write('bye');
    stream.end();
    await turn();
    expect(stream.writes).toEqual(['bye']);
  });

  it('calls callbacks, and returns false if the buffer is full', async () => {
    const stream = new Noted({ writableHighWaterMark: 4 });
    joinWrites(stream);
    const drained = once(stream, 'drain');
    const written = new Promise((resolve) => {
      expect(stream.write('12345', resolve)).toBe(false);
    });
    await Promise.all([drained, written]);
    expect(stream.writes).toEqual(['12345']);
  });

  describe('on a real socket', () => {
    let open: { end: () => void } | undefined;
    afterEach(() => open?.end());

    it('keeps all bytes in order, over several ticks and beyond the buffer size', async () => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      open = { end: () => (client.destroy(), server.close()) };
      const [peer] = (await once(server, 'connection')) as [Socket];
      const received = buffer(peer);
      joinWrites(client);
      const sent: Buffer[] = [];
      for (let count = 0; count < 300; count++) {
        const piece = Buffer.alloc((count * 37) % 1000, count % 251);
        sent.push(piece);
        if (!client.write(piece)) await once(client, 'drain');
        if (count % 7 === 0) await turn();
      }
      client.end();
      expect((await received).equals(Buffer.concat(sent))).toBe(true);
    });
  });
});
