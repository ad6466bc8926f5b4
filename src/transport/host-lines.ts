import { ConnectError } from '../core/errors.ts';
import { SessionRefusedError, type Line, type ShellChannel } from './line.ts';

const LINES_PER_HOST = 8;

export interface HostLines {
  /** More than one if the host allows few sessions per connection. */
  lines: { line: Line; full: boolean }[];
  dialling: Promise<Line> | undefined;
  user: string;
  /** Whether becoming another user requires a terminal. */
  terminal: boolean;
  /** Whether it was closed. A line that is being dialled is then closed as soon as it is connected. */
  isClosed: boolean;
}

/**
 * Opens a channel on a line that accepts another session, or on a new line.
 * @throws ConnectError if the host refuses sessions on the maximum number of lines
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
      // The line accepts a session again.
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
          hint: 'Check MaxSessions in its sshd_config.',
          cause: error,
        });
      }
      free.full = true;
    }
  }
}

/** Closes all lines. Resolves when no dialling is pending. */
export async function closeLines(pending: Promise<HostLines>): Promise<void> {
  const state = await pending.catch(() => undefined);
  if (!state) return;
  state.isClosed = true;
  for (const { line } of state.lines) line.close();
  await state.dialling?.catch(() => undefined);
}
