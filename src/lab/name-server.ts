import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

const HEADER = 12;

/** A TCP name server (RFC 1035) for a single name, on a port of the loopback interface. */
export class NameServer {
  readonly #server;
  readonly #sockets = new Set<Socket>();

  private constructor(name: string, address: string) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)));
      let received = Buffer.alloc(0);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const length = received.length < 2 ? Infinity : received.readUInt16BE(0);
        if (received.length < length + 2) return;
        socket.end(answer(received.subarray(2, length + 2), name, address));
      });
    });
  }

  static async start(name: string, address: string): Promise<NameServer> {
    const server = new NameServer(name, address);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}

/** The response, preceded by its length: the address of the name, or NXDOMAIN (3). */
function answer(query: Buffer, name: string, address: string): Buffer {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(HEADER, at + 5);
  const known = labels.join('.') === name;
  const record = known
    ? Buffer.from([0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split('.').map(Number)])
    : Buffer.alloc(0);
  const flags = [0x81, known ? 0x80 : 0x83, 0, 1, 0, known ? 1 : 0, 0, 0, 0, 0];
  const message = Buffer.concat([query.subarray(0, 2), Buffer.from(flags), question, record]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
