import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ControlAnswers } from '../../../src/core/host.ts';
import type { Clock } from '../../../src/core/ports.ts';
import { performIn, type Performance } from '../../helpers/scripted-hosts.ts';

const running: ControlAnswers = { fence: 'clear', unit: { state: 'running' } };
const onItsWay: ControlAnswers = { fence: 'busy', unit: { state: 'never_started' } };
const finished: ControlAnswers = { fence: 'clear', unit: { state: 'finished', code: 0 } };
const neverStarted: ControlAnswers = { fence: 'clear', unit: { state: 'never_started' } };

function virtualClock(): Clock {
  let now = 0;
  const sleep = (ms: number) => {
    now += ms;
    return Promise.resolve();
  };
  return { now: () => now, sleep, every: () => () => undefined };
}

/**
 * Rolls back a step that lost its connection, on a host that reports the given state of the step.
 */
async function rollBack(says: ControlAnswers): Promise<Performance> {
  const directory = mkdtempSync(join(tmpdir(), 'runner-running-'));
  try {
    return await performIn(directory, {
      text: `
- { name: First, command: ok, undo: [{ name: Undo first, command: ok }] }
- { name: Lost, command: lose, undo: [{ name: Undo, command: ok }] }`,
      inventory: 'all: { hosts: { h1: {} } }',
      settings: { rollbackBudgetSeconds: 60 },
      asked: () => says,
      clock: virtualClock(),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const undos = ({ recording }: Performance) =>
  recording.records.flatMap((record) =>
    record.t === 'undo-result' ? [`${String(record.unit)} ${record.state}`] : [],
  );

it.each([
  ['is still running', running, ['2 undo-failed', '1 undo-blocked']],
  ['may still arrive over a connection', onItsWay, ['2 undo-failed', '1 undo-blocked']],
  ['has finished', finished, ['2 undone', '1 undone']],
  ['never started', neverStarted, ['1 undone']],
])('handles a step that %s', async (_what, says, wanted) => {
  const said = await rollBack(says);
  expect(undos(said)).toEqual(wanted);
});
