import type { Random } from '../core/ports.ts';
import type { Readable, Writable } from 'node:stream';

/** A running program on a host: its standard streams, and how to end it. */
export interface ShellChannel {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Called once, with the reason in words. */
  onClose(listener: (reason: string) => void): void;
  destroy(): void;
}

/** One connection to a host. */
export interface Line {
  readonly alive: boolean;
  /**
   * Opens a channel in which the login shell runs `command`, without a terminal.
   * @throws SessionRefusedError when the host takes no further session on this connection
   */
  exec(command: string, options?: { terminal?: boolean }): Promise<ShellChannel>;
  close(): void;
}

/** sshd's MaxSessions is reached: another connection may still do. */
export class SessionRefusedError extends Error {
  override name = 'SessionRefusedError';
}

/** Passes on the first reason only: a channel ends in several ways at once. */
export function firstReason(listener: (reason: string) => void): (reason: string) => void {
  let told = false;
  return (reason) => {
    if (told) return;
    told = true;
    listener(reason);
  };
}

/** A word by which what this controller started on a host can be told from what others did. */
export function newMark(random: Random): string {
  return random.bytes(8).toString('hex');
}
