import type { Duplex } from 'node:stream';

/**
 * Combines all writes to a socket in one tick into one. ssh2 writes each packet in up to four parts (length, payload,
 * padding, MAC). With `noDelay`, each part would otherwise be a separate system call and TCP packet.
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
