import { spawn, type ChildProcess } from 'node:child_process';
import { firstReason, type Line, type ShellChannel } from './line.ts';

/** The controller as a managed host. */
export class LocalLine implements Line {
  readonly alive = true;
  readonly #children = new Set<ChildProcess>();

  exec(command: string): Promise<ShellChannel> {
    const child = spawnPiped('/bin/sh', ['-c', `exec ${command}`]);
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    const channel = childChannel(child, 'the shell');
    return Promise.resolve({ ...channel, destroy: () => child.kill('SIGKILL') });
  }

  close(): void {
    // SIGKILL, because a session shell ignores SIGTERM, which commands can send to it.
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

/** A channel for the streams of a child process. */
export function childChannel(
  child: ReturnType<typeof spawnPiped>,
  what: string,
  explain?: (code: number | null) => string | undefined,
): ShellChannel {
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    onClose(listener) {
      const once = firstReason(listener);
      child.once('error', (error) => {
        once(error.message);
      });
      child.once('close', (code, signal) => {
        once(explain?.(code) ?? `${what} exited with ${signal ?? `code ${String(code)}`}`);
      });
    },
    destroy: () => child.kill('SIGTERM'),
  };
}

/** Starts a process in its own process group, so that Ctrl-C reaches only the runner. */
export function spawnPiped(file: string, args: string[]) {
  return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}
