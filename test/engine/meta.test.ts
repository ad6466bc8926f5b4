import { expect, it } from 'vitest';
import { initialKnowledge, learn } from '../../src/engine/knowledge.ts';
import { runMeta } from '../../src/engine/meta.ts';
import type { Place } from '../../src/engine/step-key.ts';
import type { MetaAction } from '../../src/language/document.ts';
import { Log } from '../../src/journal/log.ts';
import { Redactor } from '../../src/util/redact.ts';
import { recordedHosts, runRecord } from '../helpers/records.ts';

/** Runs an action on h1, in a batch of h1 and h2, inside two roles. */
async function meta(action: MetaAction) {
  const log = Log.inMemory(new Redactor());
  log.write(runRecord({ hosts: ['h1', 'h2'] }));
  const hosts = recordedHosts(log.state);
  const knowledge = initialKnowledge({ file: '', hosts, groups: new Map() });
  for (const host of ['h1', 'h2'])
    learn(knowledge, { host, facts: [{ hosts: [host], values: { ansible_facts: {}, a: 1 } }] });
  const calls: string[] = [];
  const note = (call: string, { name }: { name: string }) => {
    calls.push(`${call} ${name}`);
    return Promise.resolve();
  };
  const place = {
    ...{ play: { id: 'p' }, batch: ['h1', 'h2'], number: 1, at: 'section', roles: ['outer', 'r'] },
  } as unknown as Place;
  const parts = {
    knowledge,
    forget: (address: { name: string }) => void note('forget', address),
    reset: (address: { name: string }) => note('reset', address),
  };
  await runMeta(parts, { action }, ['h1'], place);
  return { calls, knowledge, ended: [...knowledge.ended].map(([id, names]) => [id, [...names]]) };
}

it.each([
  ['end_play', [['p', ['h1', 'h2']]]],
  ['end_batch', [['p', ['h1', 'h2']]]],
  ['end_host', [['p', ['h1']]]],
  ['end_role', [['r', ['h1']]]],
] as const)('%s ends its play or role on its hosts', async (action, expected) => {
  const { ended, knowledge } = await meta(action);
  expect(ended).toEqual(expected);
  expect([...knowledge.endedPlays]).toEqual(action === 'end_play' ? ['p'] : []);
});

it('clear_facts discards gathered and cached facts, and no other variable', async () => {
  const { calls, knowledge } = await meta('clear_facts');
  expect(calls).toEqual(['forget h1']);
  expect(knowledge.facts.get('h1')).toEqual({ a: 1 });
  expect(knowledge.facts.get('h2')).toHaveProperty('ansible_facts');
});

it('reset_connection closes the connections to its hosts', async () => {
  expect((await meta('reset_connection')).calls).toEqual(['reset h1']);
});
