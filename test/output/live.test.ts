import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { LiveDisplay } from '../../src/output/live.ts';
import { TextWriter } from '../../src/output/plain.ts';
import { stepInfo } from '../helpers/records.ts';

const step = stepInfo(1);
const start = (count: number): RunEvent => ({
  ...{ type: 'step-start', step },
  hosts: Array.from({ length: count }, (_, index) => `h${String(index + 1)}`),
});
const end = (host: string, item?: string): RunEvent => ({
  ...{ type: 'unit-end', step, host, item, state: 'ok', durationMs: 1 },
});
const output = (host: string, text: string): RunEvent => ({ type: 'output', step, host, text });
const over: RunEvent = { type: 'step-end', step, durationMs: 5 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const same = (text: string): string => text;
const palette = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };
const message = (text: string): RunEvent => ({ type: 'message', level: 'info', text });

function given({ rows = 24, columns = 80 } = {}) {
  let written = '';
  const faults: unknown[] = [];
  const text = new TextWriter({ palette, verbose: false, diff: false, undo: false });
  const display = new LiveDisplay(text, {
    write: (one) => (written += one),
    ...{ rows: () => rows, columns: () => columns, fail: (error) => faults.push(error) },
  });
  /** Returns and clears the written text, with `⌫N` for N erased lines. */
  const taken = (): string[] => {
    // eslint-disable-next-line no-control-regex -- matches the control sequences of the display
    const marked = written.replaceAll(/\u001b\[(\d+)A\u001b\[0J/g, '⌫$1\n');
    written = '';
    return marked.split('\n').slice(0, -1);
  };
  /** Returns the text that is written during the given number of frames. */
  const frames = async (count = 1): Promise<string[]> => {
    await vi.advanceTimersByTimeAsync(0);
    taken();
    await vi.advanceTimersByTimeAsync(100 * count);
    return taken();
  };
  return { display, taken, frames, faults };
}

describe('the live display', () => {
  it('shows the hosts that a step runs on, with the last line of their output', async () => {
    const { display, frames, faults } = given();
    display.show(start(3));
    display.show(output('h1', 'first\nlast one\n'));
    display.show(end('h2'));
    display.show(end('h3', 'an item'));
    expect(await frames()).toEqual([...['  ⋯ s1  1/3  100ms', '      h1  last one', '      h3']]);
    expect(await frames()).toEqual([
      ...['⌫3', '  ⋯ s1  1/3  200ms', '      h1  last one', '      h3'],
    ]);
    expect(faults).toEqual([]);
  });

  it('replaces a finished step with one line', async () => {
    const { display, frames, taken } = given();
    display.show(start(1));
    await frames();
    display.show(end('h1'));
    display.show(over);
    const [erased, ...lines] = taken();
    expect(erased).toBe('⌫2');
    expect(lines).toEqual([expect.stringContaining('s1') as string]);
    expect(await frames(5)).toEqual([]);
  });

  it('never exceeds the height and width of the window', async () => {
    const { display, frames } = given({ rows: 8, columns: 24 });
    display.show(start(9));
    display.show(output('h1', 'x'.repeat(40)));
    const lines = await frames();
    expect(lines).toHaveLength(6);
    expect(lines.at(1)).toBe(`      h1  ${'x'.repeat(12)}…`);
    expect(lines.at(-1)).toBe('      … and 5 more');
  });

  it('does not draw during a prompt, and prints pending lines afterwards', async () => {
    const { display, frames, taken } = given();
    display.show(start(1));
    await frames();
    const release = display.hold();
    expect(taken()).toEqual(['⌫2']);
    display.show(message('careful'));
    expect(await frames(3)).toEqual([]);
    release();
    expect(taken()).toEqual([expect.stringContaining('careful') as string]);
    expect(await frames()).toHaveLength(2);
  });

  it('ends with the run, even during a step', async () => {
    const { display, frames, taken } = given();
    display.show(start(1));
    await frames();
    await display.finish();
    expect(taken()).toEqual(['⌫2']);
    expect(await frames(5)).toEqual([]);
  });
});
