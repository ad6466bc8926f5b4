import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy before a host, in which tests inject faults. */
export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ client: Socket; host: Socket }>();
  #cutAfter = Infinity;
  #refusing = false;
  /** Number of connections accepted so far, refused ones included. */
  accepted = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: { address: string; port: number }): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => {
      proxy.#accept(client, target);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets all connections, like a firewall that lost its state. */
  cut(): void {
    for (const { client, host } of this.#pairs) {
      client.resetAndDestroy();
      host.resetAndDestroy();
    }
  }

  /** Resets all connections once this many more bytes went to the host. */
  cutAfter(bytes: number): void {
    this.#cutAfter = bytes;
  }

  /** Stops all traffic but closes nothing, like a host that lost its power. */
  freeze(): void {
    for (const { client, host } of this.#pairs) {
      client.pause();
      host.pause();
    }
  }

  /** Whether new connections are closed at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, { address, port }: { address: string; port: number }): void {
    this.accepted++;
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const host = connect(port, address);
    const pair = { client, host };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, host],
      [host, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        if (from === client) this.#cutAfter -= chunk.length;
        if (this.#cutAfter <= 0) {
          this.#cutAfter = Infinity;
          this.cut();
          return;
        }
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  }
}
