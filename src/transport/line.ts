import type { Random } from '../core/ports.ts';
import type { Readable, Writable } from 'node:stream';

/** The standard streams of a running program on a host. */
export interface ShellChannel {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Calls the listener once, with the reason as text. */
  onClose(listener: (reason: string) => void): void;
  destroy(): void;
}

/** One connection to a host. */
export interface Line {
  readonly alive: boolean;
  /**
   * Opens a channel in which the login shell runs `command`, by default without a terminal.
   * @throws SessionRefusedError if the host accepts no more sessions on this connection
   */
  exec(command: string, options?: { terminal?: boolean }): Promise<ShellChannel>;
  close(): void;
}

/** The connection has reached sshd's MaxSessions. A session on another connection can succeed. */
export class SessionRefusedError extends Error {
  override name = 'SessionRefusedError';
}

/** Calls the listener only for the first reason: several events report the end of a channel. */
export function firstReason(listener: (reason: string) => void): (reason: string) => void {
  let isCalled = false;
  return (reason) => {
    if (isCalled) return;
    isCalled = true;
    listener(reason);
  };
}

/** A random word that marks processes started by this controller. */
export function newMark(random: Random): string {
  return random.bytes(8).toString('hex');
}
