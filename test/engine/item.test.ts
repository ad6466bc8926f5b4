import { describe, expect, it, vi } from 'vitest';
import { JournalError } from '../../src/core/errors.ts';
import { isMistake } from '../../src/core/failure.ts';
import { failureIn } from '../../src/core/outcome.ts';
import { FailAt } from '../../src/engine/fail-at.ts';
import { itemsWith, type Item } from '../../src/engine/item.ts';
import { initialKnowledge } from '../../src/engine/knowledge.ts';
import { Numbers } from '../../src/engine/numbers.ts';
import { Log } from '../../src/journal/log.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { onTrace } from '../../src/util/trace.ts';
import { callWorld } from '../helpers/call-world.ts';
import { recordedHosts, runRecord, stepInfo, stepRecord } from '../helpers/records.ts';
import { conditionsOf, taskOf } from '../helpers/tasks.ts';

const boom = () => {
  throw new RangeError('boom');
};

/** Runs items on h1, and records traced errors. */
function runner() {
  const log = Log.inMemory(new Redactor());
  for (const record of [runRecord({ hosts: ['h1', 'h2'] }), stepRecord(1, ['h1'])])
    log.write(record);
  const hosts = recordedHosts(log.state);
  const inventory = { file: '', hosts, groups: new Map([['all', ['h1', 'h2']]]) };
  const { parts } = callWorld(() => ({}), log);
  const held = () => Promise.resolve();
  const take = vi.fn(held);
  const items = itemsWith({
    run: {
      ...{ ...parts, log, inventory, locks: { ensure: held, take } },
      ...{ redactor: new Redactor(), sealer: undefined },
    },
    ...{ knowledge: initialKnowledge(inventory), numbers: new Numbers(log.state) },
    ...{ directories: [], failAt: new FailAt(undefined) },
  });
  const traced: string[] = [];
  const stop = onTrace('errors', (text) => traced.push(text));
  const [host] = hosts.values();
  if (!host) throw new Error('No host.');
  const item: Item = {
    ...{ task: taskOf({ id: 'p/one', module: 'command', args: { cmd: 'ok' } }), host },
    ...{
      step: { ...stepInfo(1), id: 'p/one', module: 'command' },
      scope: new Scope([]),
      handler: undefined,
      notifies: [],
    },
    earlier: undefined,
    mayBeInPlace: false,
  };
  return { items, item, log, parts, take, traced, stop };
}

const internal = (module: string) => ({
  kind: 'internal',
  message: `Internal error in "${module}": boom.`,
});

describe('an unexpected error on one host', () => {
  it('fails the task there if it occurs before the call, and is traced with its stack', async () => {
    const { items, item, log, take, traced, stop } = runner();
    take.mockImplementation(boom);
    const { outcome, uncertain } = await items.run({
      ...item,
      task: { ...item.task, delegateTo: 'h2' },
    });
    stop();
    expect(outcome).toMatchObject({ is: 'failed', failure: internal('command') });
    expect(uncertain).toBeUndefined();
    const failure = failureIn(outcome);
    expect(failure && isMistake(failure)).toBe(true);
    expect(log.state.results.map((whole) => whole())).toMatchObject([
      { host: 'h1', step: 1, state: 'failed', failed: internal('command') },
    ]);
    expect(traced).toEqual([expect.stringMatching(/^p\/one: RangeError: boom\n +at /)]);
  });

  it('leaves the outcome of a started change unknown', async () => {
    const { items, item, log, parts } = runner();
    vi.spyOn(parts.clock, 'now').mockImplementation(() => (log.state.units.size > 0 ? boom() : 0));
    const { outcome, uncertain } = await items.run(item);
    expect(outcome).toMatchObject({ is: 'unknown', failure: internal('command') });
    expect(uncertain).toBe(true);
    expect([...log.state.units.values()]).toMatchObject([
      { intent: { unit: 1, host: 'h1' }, state: 'unknown' },
    ]);
  });

  it('fails an include there', () => {
    const { items, item, log } = runner();
    const task = taskOf({ module: 'include_tasks' });
    const step = { ...item.step, module: 'include_tasks' };
    const { outcome } = items.include({ task, locate: boom }, item.host, step, item);
    expect(outcome).toMatchObject({ is: 'failed', failure: internal('include_tasks') });
    expect(log.state.results).toHaveLength(1);
  });

  it('has a hidden message for a task with no_log', async () => {
    const { items, item, log, parts, take } = runner();
    const task = { ...item.task, noLog: true };
    take.mockImplementation(boom);
    await items.run({ ...item, task: { ...task, delegateTo: 'h2' } });
    vi.spyOn(parts.clock, 'now').mockImplementation(() => (log.state.units.size > 0 ? boom() : 0));
    await items.run({ ...item, task });
    expect(log.state.results.map((whole) => whole().failed)).toEqual([
      { kind: 'hidden' },
      { kind: 'hidden' },
    ]);
  });

  it('is thrown if it is a journal error', async () => {
    const { items, item, take } = runner();
    take.mockRejectedValue(new JournalError('full'));
    const task = taskOf({ delegateTo: 'h2', when: conditionsOf('true') });
    await expect(items.run({ ...item, task })).rejects.toThrow('full');
  });
});
