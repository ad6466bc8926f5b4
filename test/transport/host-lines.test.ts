import { expect, it } from 'vitest';
import { execWhereRoom, type HostLines } from '../../src/transport/host-lines.ts';
import { SessionRefusedError, type Line, type ShellChannel } from '../../src/transport/line.ts';

it('reuses a line after one of its channels has closed', async () => {
  const state: Pick<HostLines, 'lines'> = { lines: [] };
  /** Functions that close the open channels of each line. The host allows two per line. */
  const open = new Map<Line, (() => void)[]>();
  const exec = (line: Line): Promise<ShellChannel> => {
    const own = open.get(line) ?? [];
    open.set(line, own);
    if (own.length === 2) return Promise.reject(new SessionRefusedError('full'));
    const listeners: ((reason: string) => void)[] = [];
    const end = (): void => {
      own.splice(own.indexOf(end), 1);
      for (const listener of listeners) listener('closed');
    };
    own.push(end);
    const channel: Pick<ShellChannel, 'onClose' | 'destroy'> = {
      onClose: (listener) => listeners.push(listener),
      destroy: end,
    };
    return Promise.resolve(channel as ShellChannel);
  };
  const addLine = () => {
    const line: Line = { alive: true, exec: () => Promise.reject(new Error('unused')), close: end };
    state.lines.push({ line, full: false });
    return Promise.resolve();
  };
  const end = () => undefined;
  const another = () => execWhereRoom('h1', state, addLine, exec);
  const channels = [await another(), await another(), await another()];
  expect(state.lines).toHaveLength(2);
  // Close and reopen shells many times.
  for (let round = 0; round < 20; round++) {
    channels.shift()?.destroy();
    channels.push(await another());
  }
  expect(state.lines).toHaveLength(2);
});
