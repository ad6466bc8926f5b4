import { describe, expect, it } from 'vitest';
import type { CommandOutput } from '../../src/core/fact.ts';
import type { Exchange, HostSession } from '../../src/core/host.ts';
import { SessionHostView } from '../../src/engine/host-view.ts';
import { fileState } from '../../src/facts/file.ts';
import { pathStates } from '../../src/facts/archive.ts';

/**
 * A view of a host that returns the same answer to every query, and the number of queries by round
 * trip.
 */
function viewOf(answer: CommandOutput): { view: SessionHostView; trips: number[] } {
  const trips: number[] = [];
  const session = {
    exchange({ reads = [] }: Exchange) {
      trips.push(reads.length);
      return Promise.resolve({ control: {}, reads: reads.map(() => answer) });
    },
  };
  const view = new SessionHostView({
    name: 'h1',
    session: () => Promise.resolve(session as unknown as HostSession),
    factTimeoutMs: 1000,
    wantsDiff: false,
    signal: new AbortController().signal,
  });
  return { view, trips };
}

describe('a fact of a host', () => {
  it('is read once, and together with others in one round trip', async () => {
    const { view, trips } = viewOf({ code: 0, stdout: 'absent\n', stderr: '' });
    const ask = (path: string) => view.fact(fileState, path);
    await Promise.all([ask('/a'), ask('/b'), ask('/a')]);
    await ask('/b');
    expect(trips).toEqual([2]);
  });

  it('can fail without being awaited, and rejects when it is awaited later', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const { view } = viewOf({
      code: 0,
      stdout: '',
      stderr: '',
      bytes: { stdout: 13e6, stderr: 0 },
    });
    void view.fact(fileState, '/a');
    await new Promise((done) => setTimeout(done, 20));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    await expect(view.fact(fileState, '/a')).rejects.toThrow('is too long');
  });

  it('fails if the answer is truncated, since missing entries may exist', async () => {
    const { view } = viewOf({
      code: 0,
      stdout: '',
      stderr: '',
      bytes: { stdout: 13e6, stderr: 0 },
    });
    await expect(view.fact(pathStates, '/srv', '["a"]')).rejects.toThrow(
      'An answer from "h1" is too long: 13000000 bytes.',
    );
  });
});
