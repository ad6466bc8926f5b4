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

/** A step whose line breaks is rolled back on a host that says what became of it. */
async function rollBack(says: ControlAnswers): Promise<Performance> {
  const folder = mkdtempSync(join(tmpdir(), 'runner-running-'));
  try {
    return await performIn(folder, {
      text: `
- { name: First, command: ok, undo: [{ name: Undo first, command: ok }] }
- { name: Lost, command: lose, undo: [{ name: Undo, command: ok }] }`,
      inventory: 'all: { hosts: { h1: {} } }',
      settings: { rollbackBudgetSeconds: 60 },
      asked: () => says,
      clock: virtualClock(),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const undos = ({ recording }: Performance) =>
  recording.records.flatMap((record) =>
    record.t === 'undo-result' ? [`${String(record.unit)} ${record.state}`] : [],
  );

it.each([
  ['still runs', running, ['2 undo-failed', '1 undo-blocked']],
  ['may still arrive at a connection', onItsWay, ['2 undo-failed', '1 undo-blocked']],
  ['has finished', finished, ['2 undone', '1 undone']],
  ['never started', neverStarted, ['1 undone']],
])('a rollback where a step %s', async (_what, says, wanted) => {
  const said = await rollBack(says);
  expect(undos(said)).toEqual(wanted);
});
