import { ConnectError } from '../core/errors.ts';
import { SessionRefusedError, type Line, type ShellChannel } from './line.ts';

const LINES_PER_HOST = 8;

export interface HostLines {
  /** More than one when a host allows few sessions a connection. */
  lines: { line: Line; full: boolean }[];
  dialling: Promise<Line> | undefined;
  user: string;
  /** Other users are reached on a terminal only. */
  terminal: boolean;
  /** Nobody knows it any more: a line that is still dialled is closed when it is there. */
  isClosed: boolean;
}

/**
 * A channel on a line that has room for one; when none has, on a further line.
 * @throws ConnectError when the host refuses one on each of them
 */
export async function execWhereRoom(
  host: string,
  state: Pick<HostLines, 'lines'>,
  addLine: () => Promise<void>,
  exec: (line: Line) => Promise<ShellChannel>,
): Promise<ShellChannel> {
  for (;;) {
    const free = state.lines.find(({ line, full }) => line.alive && !full);
    if (!free) {
      await addLine();
      continue;
    }
    try {
      const channel = await exec(free.line);
      // Whoever had no room here finds it again.
      channel.onClose(() => {
        free.full = false;
      });
      return channel;
    } catch (error) {
      if (!(error instanceof SessionRefusedError)) throw error;
      if (state.lines.length >= LINES_PER_HOST) {
        throw new ConnectError(`"${host}" refused to open a session: ${error.message}.`, {
          host,
          stage: 'shell',
          retryable: true,
          hint: 'Look at MaxSessions in its sshd_config.',
          cause: error,
        });
      }
      free.full = true;
    }
  }
}

/** Resolves when no line is left, or on its way. */
export async function closeLines(pending: Promise<HostLines>): Promise<void> {
  const state = await pending.catch(() => undefined);
  if (!state) return;
  state.isClosed = true;
  for (const { line } of state.lines) line.close();
  await state.dialling?.catch(() => undefined);
}
