import { describe, expect, it } from 'vitest';
import { askHosts } from '../../src/engine/ask-hosts.ts';
import { emptyStep, type HostStep } from '../../src/engine/host-step.ts';
import { initialKnowledge, type Knowledge } from '../../src/engine/knowledge.ts';
import { recordedLearnt } from '../../src/engine/learnt-record.ts';
import { Numbers } from '../../src/engine/numbers.ts';
import type { ResolveParts } from '../../src/engine/resolve.ts';
import { StepKeys, type Place } from '../../src/engine/step-key.ts';
import { step as stepOf, type StepParts } from '../../src/engine/step.ts';
import { Log } from '../../src/journal/log.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { plainTask, type Play, type TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { systemClock } from '../../src/util/time.ts';
import { ConnectError, errorMessage } from '../../src/core/errors.ts';
import type { Answer, UnitRecord } from '../../src/core/host.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Clock } from '../../src/core/ports.ts';
import { Interrupted } from '../../src/engine/interrupted.ts';
import { intentRecord, recordedHosts, runRecord, stepRecord } from '../helpers/records.ts';

const at = { file: 'p.yml', line: 1, column: 1 };
const become = { enabled: false, user: 'root', method: 'sudo' as const };
const task = (more: Partial<TaskNode> = {}): TaskNode => ({
  ...plainTask({ id: 'p/copy', name: 'Copy', at, module: 'copy', args: {}, become }),
  ...more,
});
const handler = task({ id: 'p/handlers/restart', name: 'Restart' });
const play = { id: 'p', name: 'P', hosts: 'all', vars: {}, handlers: [handler] } as unknown as Play;
const batch = ['h1', 'h2'];
const place: Place = { play, batch, number: 1, at: 'section', roles: [] };

/** Sessions of hosts whose step was interrupted. */
interface AskedHosts {
  session?: ResolveParts['connections']['session'];
  clock?: Clock;
}

const unasked = () => Promise.reject(new Error('Unexpected connection to a host.'));

/** Runs a step on hosts with the given results, and returns the hosts on which it ran. */
async function step(
  node: TaskNode,
  answers: Partial<Record<string, Partial<HostStep>>> = {},
  records: readonly JournalRecord[] = [],
  parts: Partial<StepParts> & { hosts?: AskedHosts } = {},
): Promise<{ asked: string[]; failed: string[]; knowledge: Knowledge; log: Log }> {
  const log = Log.inMemory(new Redactor());
  for (const record of [runRecord({ hosts: batch }), ...records]) log.write(record);
  const hosts = recordedHosts(log.state);
  const knowledge = initialKnowledge({ file: '', hosts, groups: new Map([['all', batch]]) });
  const asked: string[] = [];
  const quiet = { log, isStopping: () => false, clock: { now: () => 0 } };
  const redactor = new Redactor();
  const run = stepOf({
    ...{ knowledge, redactor, sealer: undefined, forks: 5, ...quiet },
    ...{ numbers: new Numbers(log.state), keys: new StepKeys() },
    variables: { scope: () => new Scope([]) },
    recall: (record) => recordedLearnt(record, { redactor, sealer: undefined }),
    ask: (task, units) => {
      const { session = unasked, clock = systemClock } = parts.hosts ?? {};
      const { signal } = new AbortController();
      const settings = { forks: 5, becomePassword: undefined };
      const isStopping = parts.isStopping ?? quiet.isStopping;
      const asking = {
        log,
        redactor,
        isStopping,
        signal,
        clock,
        settings,
        connections: { session },
      };
      return askHosts(asking, task, units, { probe: () => Promise.resolve(undefined) });
    },
    keepFacts: () => undefined,
    pause: () => Promise.resolve(),
    ...parts,
    items: {
      run: ({ host }) => {
        asked.push(host.name);
        return Promise.resolve({
          ...emptyStep({ is: 'ok', result: { of: host.name } }),
          ...answers[host.name],
        });
      },
      include: () => emptyStep({ is: 'ok', result: {} }),
      end: () => undefined,
      notRun: (_step, _host, error) => emptyStep(failedWith(errorMessage(error))),
    },
  });
  const { failed } = await run(node, batch, place);
  return { asked, failed: [...failed.keys()], knowledge, log };
}

const changed = { hasChanged: true };
const no = { outcome: failedWith('no') };

function failedWith(message: string): Outcome {
  return { is: 'failed', failure: { kind: 'refused', message }, result: {}, changed: false };
}

describe('a step', () => {
  it('runs on each host, and its register is set and recorded', async () => {
    const { asked, failed, knowledge, log } = await step(task({ register: 'out' }));
    expect({ asked, failed }).toEqual({ asked: batch, failed: [] });
    expect(knowledge.facts.get('h2')).toEqual({ out: { of: 'h2' } });
    const { learnt } = log.state.steps.get(1) ?? {};
    expect(learnt?.get('h2')?.().facts).toEqual([{ hosts: ['h2'], values: { out: { of: 'h2' } } }]);
  });

  it('runs only on hosts without a record, and restores the registers of the others', async () => {
    const first = await step(task({ register: 'out' }), { h2: no });
    const recorded: JournalRecord[] = [
      { t: 'step', step: first.log.state.steps.get(1)!.info, hosts: batch, key: 'p/1/copy#1' },
      ...[...first.log.state.steps.get(1)!.learnt.values()].map(
        (record) => record() as unknown as JournalRecord,
      ),
    ];
    const { asked, knowledge } = await step(task({ register: 'out' }), {}, recorded);
    expect(first.failed).toEqual(['h2']);
    expect(asked).toEqual(['h2']);
    expect(knowledge.facts.get('h1')).toEqual({ out: { of: 'h1' } });
  });

  it('notifies the handlers of a change, but not those of a failed task', async () => {
    const node = task({ notify: ['Restart'] });
    const { knowledge } = await step(node, { h1: changed, h2: { ...changed, ...no } });
    expect([...knowledge.notified]).toEqual([['h1', new Set(['p/handlers/restart'])]]);
  });

  it('with run_once runs on one host, and sets its register on all', async () => {
    const { asked, knowledge } = await step(task({ register: 'out', runOnce: true }));
    expect(asked).toEqual(['h1']);
    expect(knowledge.facts.get('h2')).toEqual({ out: { of: 'h1' } });
  });

  it('with any_errors_fatal fails on all hosts, unless the failure is ignored', async () => {
    const fatal = task({ anyErrorsFatal: true });
    expect((await step(fatal, { h2: no })).failed).toEqual(batch);
    expect((await step(fatal, { h2: { ...no, ignored: true } })).failed).toEqual([]);
  });
});

describe('a step that was interrupted on a host', () => {
  const records = [stepRecord(1, batch, 'p/1/copy#1'), intentRecord(1, 1, 'h1')];
  const answering = (unit: UnitRecord): AskedHosts => {
    let now = 0;
    const answer: Answer = { control: { fence: 'clear', unit }, reads: [] };
    return {
      session: () => Promise.resolve({ exchange: () => Promise.resolve(answer) }),
      clock: {
        now: () => now,
        sleep: (ms: number) => Promise.resolve(void (now += ms)),
        every: () => () => undefined,
      },
    };
  };

  it('runs again if its first attempt never started', async () => {
    const { asked, failed } = await step(task(), {}, records, {
      hosts: answering({ state: 'never_started' }),
    });
    expect({ asked, failed }).toEqual({ asked: batch, failed: [] });
  });

  it('does not run again while its first attempt is still running', async () => {
    const { asked, failed } = await step(task(), {}, records, {
      hosts: answering({ state: 'running' }),
    });
    expect({ asked, failed }).toEqual({ asked: ['h2'], failed: ['h1'] });
  });

  it('with run_once continues on the host on which it started, even if that is not the first', async () => {
    const began = [stepRecord(1, ['h2'], 'p/1/copy#1'), intentRecord(1, 1, 'h2')];
    const hosts = answering({ state: 'never_started' });
    expect((await step(task({ runOnce: true }), {}, began, { hosts })).asked).toEqual(['h2']);
  });

  it('does not run on a host that is unreachable', async () => {
    const session = () =>
      Promise.reject(
        new ConnectError('no answer', { host: 'h1', stage: 'connect', retryable: false }),
      );
    const { asked, failed } = await step(task(), {}, records, {
      hosts: { session },
    });
    expect({ asked, failed }).toEqual({ asked: ['h2'], failed: ['h1'] });
  });

  it('runs nowhere if the operator interrupts the run meanwhile', async () => {
    const run = step(task(), {}, records, {
      hosts: answering({ state: 'running' }),
      isStopping: () => true,
    });
    await expect(run).rejects.toBeInstanceOf(Interrupted);
  });
});

it('skips a step that the operator declines, without a failure, and records that', async () => {
  const { asked, failed, log } = await step(task({ register: 'out' }), {}, [], {
    agree: () => Promise.resolve(false),
  });
  expect({ asked, failed }).toEqual({ asked: [], failed: [] });
  const facts = log.state.steps.get(1)?.learnt.get('h1')?.().facts;
  expect(facts).toEqual([
    { hosts: ['h1'], values: { out: expect.objectContaining({ skipped: true }) as object } },
  ]);
});

it('runs a step for each item of a loop in turn, and not for an empty list', async () => {
  const pauses: number[] = [];
  const pause = (seconds: number) => Promise.resolve(void pauses.push(seconds));
  const loop = { loop: ['a', 'b', 'c'], loopPauseSeconds: 2, register: 'out' };
  const { asked, knowledge } = await step(task(loop), {}, [], { pause });
  expect(asked.filter((host) => host === 'h1')).toHaveLength(3);
  expect(pauses).toEqual([2, 2, 2, 2]);
  expect(knowledge.facts.get('h1')?.['out']).toMatchObject({ count: 3 });
  expect((await step(task({ ...loop, loop: [] }))).asked).toEqual([]);
});

it('ends the run if the operator chooses that before a step', async () => {
  let stopping = false;
  const agree = () => Promise.resolve(!(stopping = true));
  await expect(step(task(), {}, [], { agree, isStopping: () => stopping })).rejects.toBeInstanceOf(
    Interrupted,
  );
});
