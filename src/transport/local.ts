import { spawn, type ChildProcess } from 'node:child_process';
import type { Line, ShellChannel } from './line.ts';

/** The controller itself as a host. */
export class LocalLine implements Line {
  readonly alive = true;
  readonly #children = new Set<ChildProcess>();

  exec(command: string): Promise<ShellChannel> {
    const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return Promise.resolve(childChannel(child, 'the shell'));
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGTERM');
  }
}

/** The streams of a child process as a channel. */
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
      let told = false;
      const once = (reason: string) => {
        if (told) return;
        told = true;
        listener(reason);
      };
      child.once('error', (error) => {
        once(error.message);
      });
      child.once('close', (code, signal) => {
        once(explain?.(code) ?? `${what} ended with ${signal ?? `code ${String(code)}`}`);
      });
    },
    destroy: () => child.kill('SIGTERM'),
  };
}

export function spawnPiped(file: string, args: string[]) {
  return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
}
