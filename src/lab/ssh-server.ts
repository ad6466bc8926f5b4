import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { PrivateRoot } from './private-root.ts';

/** Duration of a simulated restart. */
const DOWN_MS = 700;

export interface ServerFault {
  /** Close new connections immediately. */
  refuse?: boolean;
  /** Close the connection after this many more bytes from the client. */
  dropAfterBytes?: number;
  /** Stop reading, but keep the connection open. */
  stall?: boolean;
}

/** SSH server of a lab host. Supports only public keys and exec, and can simulate faults. */
export class LabSshServer {
  readonly #root: PrivateRoot;
  readonly #ssh: ssh2.Server;
  readonly #tcp: TcpServer;
  readonly #sockets = new Set<Socket>();
  #fault: ServerFault = {};
  #boot: string;
  #down = false;
  #closed = false;

  constructor(root: PrivateRoot, hostKey: string, authorized: Buffer) {
    this.#root = root;
    this.#boot = root.bootId();
    this.#ssh = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
      this.#serve(connection, authorized);
    });
    this.#tcp = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
  }

  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(port, address, () => {
        const bound = this.#tcp.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  /** Also affects open connections. */
  setFault(fault: ServerFault): void {
    this.#fault = fault;
    for (const socket of this.#sockets) {
      if (fault.refuse) socket.destroy();
      else if (fault.stall) socket.pause();
    }
  }

  /** Clears faults and closes all connections. */
  reset(): void {
    this.#fault = {};
    this.#down = false;
    this.#boot = this.#root.bootId();
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#tcp.close(() => {
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    if (this.#fault.refuse || this.#down) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {
      // The client closed the connection.
    });
    socket.on('data', (chunk: Buffer) => {
      const left = this.#fault.dropAfterBytes;
      if (left === undefined) return;
      this.#fault.dropAfterBytes = left - chunk.length;
      if (left - chunk.length <= 0) socket.destroy();
    });
    this.#ssh.injectSocket(socket);
  }

  #serve(connection: Connection, authorized: Buffer): void {
    connection.on('error', () => {
      // The connection was lost; the runner reports it.
    });
    connection.on('authentication', (context: AuthContext) => {
      if (context.method !== 'publickey') {
        context.reject(['publickey']);
        return;
      }
      const key = ssh2.utils.parseKey(authorized);
      if (key instanceof Error || !context.key.data.equals(key.getPublicSSH())) {
        context.reject(['publickey']);
      } else if (context.signature && context.blob) {
        if (key.verify(context.blob, context.signature, context.hashAlgo)) context.accept();
        else context.reject();
      } else {
        context.accept();
      }
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('exec', (acceptExec, _reject, { command }) => {
        this.#exec(acceptExec(), command);
      });
    });
  }

  /** After a restart of the host, closes all connections and refuses new ones for DOWN_MS. */
  #noticeRestart(): void {
    // When the lab stops, the files of its hosts are removed.
    if (this.#closed) return;
    const boot = this.#root.bootId();
    if (boot === this.#boot) return;
    this.#boot = boot;
    this.#down = true;
    for (const socket of this.#sockets) socket.destroy();
    setTimeout(() => {
      this.#down = false;
    }, DOWN_MS);
  }

  #exec(channel: ServerChannel, command: string): void {
    const child = this.#root.spawn(command);
    channel.on('error', () => {
      // The connection was lost. The command continues, as with sshd without a terminal.
    });
    channel.pipe(child.stdin as NonNullable<typeof child.stdin>);
    child.stdin?.on('error', () => {
      // The command closed its input.
    });
    channel.on('close', () => {
      child.stdin?.end();
      child.stdout?.resume();
      child.stderr?.resume();
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      if (channel.writable) channel.write(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (channel.writable) channel.stderr.write(chunk);
    });
    child.on('error', () => {
      channel.exit(127);
      channel.end();
    });
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') this.#noticeRestart();
      if (!channel.writable) return;
      if (signal !== null) channel.exit(signal.replace('SIG', ''));
      else channel.exit(code ?? 1);
      channel.end();
    });
  }
}
