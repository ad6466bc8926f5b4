import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { emptyStep, type HostStep } from '../../src/engine/host-step.ts';
import { failuresOf, forHosts, includedOn, taught } from '../../src/engine/taught.ts';
import type { Learnt } from '../../src/engine/knowledge.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { unknownValue } from '../../src/template/scope.ts';
import { refusal, stepInfo } from '../helpers/records.ts';
import { hostOf, placeOf, playOf, taskOf } from '../helpers/tasks.ts';

const restart = taskOf({ id: 'p/handlers/restart', name: 'Restart' });
const place = placeOf({ play: playOf({ handlers: [restart] }) });
const known = hostOf('h3', { port: 2222 });
const inventory = { file: '/p/hosts.yml', hosts: new Map([['h3', known]]), groups: new Map() };
const ok: Outcome = { is: 'ok', result: { rc: 0 } };
const failed: Outcome = { is: 'failed', failure: refusal('no'), result: {}, changed: true };
const hosts = ['h1', 'h2'];

const teaches = (more: Partial<HostStep>, task: Partial<TaskNode> = {}, handler = false): Learnt =>
  taught(
    { ...emptyStep(ok), ...more },
    'h1',
    { task: taskOf(task), step: { ...stepInfo(1), handler }, place },
    inventory,
  );

const executed = (all: readonly Learnt[]) => ({ key: 'key', all });

describe('a step teaches', () => {
  it('its register and its facts, separately those for other hosts', () => {
    const { facts } = teaches(
      { setFacts: { a: 1 }, delegatedFacts: [{ host: 'h2', facts: { b: 2 } }] },
      { register: 'out' },
    );
    expect(facts).toEqual([
      { hosts: ['h1'], values: { out: { rc: 0 }, a: 1 } },
      { hosts: ['h2'], values: { b: 2 } },
    ]);
    expect(teaches({}).facts).toEqual([]);
    const appended = teaches({ appendFacts: { found: [1] } });
    expect(appended.facts).toEqual([{ hosts: ['h1'], values: { found: [1] }, append: true }]);
    const everywhere = forHosts(taskOf({ runOnce: true }), appended, hosts);
    expect(everywhere.facts).toEqual([{ hosts, values: { found: [1] }, append: true }]);
  });

  it('that a registered value is unknown if only a real run can provide it', () => {
    const outcome: Outcome = { is: 'predicted', change: 'cannot tell' };
    expect(teaches({ outcome }, { register: 'out' }).facts).toEqual([
      { hosts: ['h1'], values: { out: unknownValue } },
    ]);
  });

  it('that its outcome is unknown, only if it started a change', () => {
    const outcome: Outcome = { is: 'unreachable', failure: refusal('no answer') };
    expect(teaches({ outcome, uncertain: true }).uncertain).toBe('Copy');
    expect(teaches({ outcome }).uncertain).toBeUndefined();
  });

  it('which handlers it notifies, if it changed something and did not fail', () => {
    const notify = ['Restart'];
    const notified = (more: Partial<HostStep>) => teaches(more, { notify }).notified;
    expect(notified({ hasChanged: true })).toEqual([restart.id]);
    expect(notified({})).toEqual([]);
    expect(notified({ hasChanged: true, outcome: failed })).toEqual([]);
  });

  it('that it failed, unless the failure is ignored', () => {
    expect(teaches({ outcome: failed }).failed).toEqual(refusal('no'));
    expect(teaches({ outcome: failed, ignored: true }).failed).toBeUndefined();
  });

  it('that a handler has run', () => {
    expect(teaches({}, { id: restart.id }, true).handled).toBe(restart.id);
    expect(teaches({}).handled).toBeUndefined();
  });

  it('new hosts with their addresses, and keeps the address of a known host', () => {
    const added = ['h3', 'h4'].map((name) => ({
      ...{ name, groups: [], vars: { ansible_port: 24 } },
    }));
    expect(teaches({ addHosts: added }).added).toMatchObject([
      { name: 'h3', address: { port: 2222 } },
      { name: 'h4', address: { port: 24 } },
    ]);
  });
});

describe('with run_once', () => {
  const once = taskOf({ runOnce: true });
  const own: Learnt = { host: 'h1', facts: [{ hosts: ['h1'], values: { out: 1 } }] };
  const other = { hosts: ['h3'], values: { out: 2 } };

  it('the facts of the host apply to all hosts, but delegated ones do not', () => {
    const both = { ...own, facts: [...(own.facts ?? []), other] };
    expect(forHosts(once, both, hosts).facts).toEqual([{ hosts, values: { out: 1 } }, other]);
    expect(forHosts(once, { host: 'h1', facts: [other] }, hosts).facts).toEqual([other]);
    expect(forHosts(taskOf(), own, hosts)).toBe(own);
  });

  it('the include of the host applies to all hosts', () => {
    const one: Learnt = { host: 'h1', included: [{ source: '/p/a.yml', part: 'a' }] };
    expect(includedOn(once, executed([one]), hosts).included).toEqual(
      new Map(hosts.map((host) => [host, one.included])),
    );
    expect(includedOn(taskOf(), executed([one]), hosts).included).toEqual(
      new Map([
        ['h1', one.included],
        ['h2', []],
      ]),
    );
    const { failed: where } = includedOn(
      once,
      executed([{ host: 'h1', failed: refusal('no') }]),
      hosts,
    );
    expect([...where.keys()]).toEqual(hosts);
  });
});

it('fails a task on its host, or on all hosts with run_once or any_errors_fatal', () => {
  const all: Learnt[] = [{ host: 'h2', failed: refusal('second') }, { host: 'h1' }];
  const on = (task: Partial<TaskNode>) =>
    [...failuresOf(taskOf(task), executed(all), hosts).keys()].sort();
  expect(on({})).toEqual(['h2']);
  expect(on({ runOnce: true })).toEqual(hosts);
  expect(on({ anyErrorsFatal: true })).toEqual(hosts);
  const both: Learnt[] = [...all, { host: 'h1', failed: refusal('first') }];
  const said = failuresOf(taskOf({ anyErrorsFatal: true }), executed(both), hosts);
  expect([...said.values()].map(({ failure }) => failure)).toEqual([
    ...[refusal('second'), refusal('second')],
  ]);
});
