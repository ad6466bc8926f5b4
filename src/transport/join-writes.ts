import type { Duplex } from 'node:stream';

/**
 * Makes all that is written to a socket without a pause one write. ssh2 hands over each packet in up to four
 * pieces (length, text, rest, seal), and with `noDelay` each would be a system call and a packet of TCP of its own.
 */
export function joinWrites(socket: Duplex): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      queueMicrotask(() => {
        socket.uncork();
      });
    }
    return write(...args);
  };
}
