import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../src/core/inventory.ts';
import {
  applyConsequence,
  initialKnowledge,
  learn,
  type Knowledge,
  type Learnt,
} from '../../src/engine/knowledge.ts';
import { learntRecord, recordedLearnt } from '../../src/engine/learnt-record.ts';
import { unknownValue } from '../../src/template/scope.ts';
import { storeRecord } from '../../src/journal/codec.ts';
import type { LearntRecord } from '../../src/journal/records.ts';
import { systemRandom } from '../../src/util/random.ts';
import { Redactor } from '../../src/util/redact.ts';
import { refusal } from '../helpers/records.ts';

const address = (name: string) => ({
  ...{ name, transport: 'ssh' as const, address: name, port: 22, user: 'root' },
  keyPath: undefined,
});
const inventory = (): Inventory => ({
  file: '',
  hosts: new Map(['h1', 'h2'].map((name) => [name, { name, address: address(name), vars: {} }])),
  groups: new Map([['all', ['h1', 'h2']]]),
});
const facts = (values: Record<string, string>, ...hosts: string[]): Pick<Learnt, 'facts'> => ({
  facts: [{ hosts, values }],
});
const learnAll = (...all: Learnt[]): Knowledge => {
  const knowledge = initialKnowledge(inventory());
  for (const one of all) learn(knowledge, one);
  return knowledge;
};

/** One record of each kind, in an order that matters. */
const history: Learnt[] = [
  { host: 'h1', ...facts({ a: 'first' }, 'h1', 'h2') },
  { host: 'h2', ...facts({ a: 'second' }, 'h2'), joined: ['web'] },
  { host: 'h1', joined: ['web'], notified: ['restart'] },
  { host: 'h1', notified: ['restart', 'reload'] },
  { host: 'h1', handled: 'restart', notified: ['restart'] },
  { host: 'h2', left: ['web'], uncertain: 'Reboot' },
  { host: 'h1', added: [{ name: 'h3', groups: ['web'], vars: { x: 1 }, address: address('h3') }] },
  { host: 'h2', failed: refusal('no'), included: [{ source: '/p/x.yml', part: 'x' }] },
];

describe('learn', () => {
  it('keeps the last value of a variable on each host', () => {
    const { facts: known } = learnAll(...history);
    expect(known.get('h1')).toEqual({ a: 'first' });
    expect(known.get('h2')).toEqual({ a: 'second' });
  });

  it('appends to the lists of each host, also from the record', () => {
    const more = (list: number[], ...hosts: string[]): Learnt => ({
      host: 'h1',
      facts: [{ hosts, values: { found: list }, append: true }],
    });
    const all = [
      more([1], 'h2'),
      more([2, 3], 'h1', 'h2'),
      { host: 'h2', facts: [{ hosts: ['h2'], values: { a: 'x' } }] },
      more([4], 'h1'),
    ];
    const known = [{ found: [2, 3, 4] }, { found: [1, 2, 3], a: 'x' }];
    expect(['h1', 'h2'].map((host) => learnAll(...all).facts.get(host))).toEqual(known);
    const keys = { redactor: new Redactor(), sealer: undefined };
    const again = all.map((one) => {
      const record = learntRecord(one, { step: 1, hidden: false, sealer: undefined });
      const stored = storeRecord(record, keys.redactor) as LearntRecord<'stored'>;
      return recordedLearnt(stored, keys) ?? { host: 'lost' };
    });
    expect(['h1', 'h2'].map((host) => learnAll(...again).facts.get(host))).toEqual(known);
  });

  it('keeps groups in the order of the inventory, and adds hosts', () => {
    const { groups, inventory: known } = learnAll(...history);
    expect(groups.get('web')).toEqual(['h1', 'h3']);
    expect(groups.get('all')).toEqual(['h1', 'h2', 'h3']);
    expect(known.hosts.get('h3')).toMatchObject({ vars: { x: 1 }, address: { address: 'h3' } });
  });

  it('keeps a handler pending that notified itself while it ran', () => {
    expect([...(learnAll(...history).notified.get('h1') ?? [])]).toEqual(['reload', 'restart']);
  });
});

describe('a consequence', () => {
  it('ends a play or role for some hosts, or for all later batches, too', () => {
    const knowledge = initialKnowledge(inventory());
    applyConsequence(knowledge, { kind: 'ended', of: 'p/role', hosts: ['h1'] });
    applyConsequence(knowledge, { kind: 'ended', of: 'p', hosts: ['h1'] });
    applyConsequence(knowledge, { kind: 'ended', of: 'p', hosts: ['h2'], everywhere: true });
    const { ended, endedPlays } = knowledge;
    expect(ended).toEqual(
      new Map([
        ['p/role', new Set(['h1'])],
        ['p', new Set(['h1', 'h2'])],
      ]),
    );
    expect(endedPlays).toEqual(new Set(['p']));
  });

  it('discards gathered facts and no other variables', () => {
    const values = { ansible_facts: 'gathered', own: 'kept' };
    const known = learnAll({ host: 'h1', ...facts(values, 'h1') });
    applyConsequence(known, { kind: 'facts-forgotten', host: 'h1' });
    expect(known.facts.get('h1')).toEqual({ own: 'kept' });
  });
});

describe('the record of what a step taught', () => {
  const redactor = new Redactor();
  redactor.add('password', 'hunter22');
  const sealer = redactor.createSealer('run', systemRandom);
  const onDisk = (record: LearntRecord) =>
    JSON.parse(JSON.stringify(storeRecord(record, redactor))) as LearntRecord<'stored'>;
  const again = (learnt: Learnt, { hidden = false, using = sealer } = {}): Learnt | undefined => {
    const record = learntRecord(learnt, { step: 1, hidden, sealer: using });
    const stored = onDisk(record);
    expect(JSON.stringify(stored)).not.toContain('hunter22');
    return recordedLearnt(stored, { redactor, sealer: using });
  };

  it.each([false, true])('gives the same knowledge as the step itself, hidden: %s', (hidden) => {
    const read = history.map((one) => again(one, { hidden }) ?? { host: '' });
    const marked = history.map((one) => ({ ...one, hidden: hidden || undefined }));
    expect(learnAll(...read)).toEqual(learnAll(...marked));
  });

  it('contains references to secrets, and encrypts the variables of a hidden step', () => {
    const learnt = { host: 'h1', ...facts({ a: 'x hunter22' }, 'h1') };
    expect(again(learnt)).toMatchObject(learnt);
    const record = learntRecord(learnt, { step: 1, hidden: true, sealer });
    expect(record.facts).toBeUndefined();
    expect(again(learnt, { hidden: true })).toMatchObject(learnt);
  });

  it('does not replace the step if a value was not recorded', () => {
    const learnt = { host: 'h1', ...facts({ a: 'b' }, 'h1') };
    const record = learntRecord(learnt, { step: 1, hidden: true, sealer: undefined });
    expect(JSON.stringify(record)).not.toContain('"b"');
    expect(recordedLearnt(onDisk(record), { redactor, sealer: undefined })).toBeUndefined();
    const predicted: Learnt = {
      host: 'h1',
      facts: [{ hosts: ['h1'], values: { a: unknownValue } }],
    };
    expect(again(predicted)).toBeUndefined();
    const sealed = learntRecord(learnt, { step: 1, hidden: true, sealer });
    const other = new Redactor();
    other.add('password', 'another secret');
    const using = { redactor: other, sealer: other.createSealer('run', systemRandom) };
    expect(recordedLearnt(onDisk(sealed), using)).toBeUndefined();
  });

  it('replaces a hidden step without hidden values, even if the run has no secrets', () => {
    const learnt: Learnt = { host: 'h1', notified: ['restart'] };
    const record = learntRecord(learnt, { step: 1, hidden: true, sealer: undefined });
    expect(recordedLearnt(onDisk(record), { redactor, sealer: undefined })).toMatchObject(learnt);
  });
});
