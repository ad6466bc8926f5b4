import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, storeRecord } from '../../src/journal/codec.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { reveal } from '../../src/journal/stored.ts';
import { Redactor } from '../../src/util/redact.ts';
import { failedRun, isSignal } from '../helpers/entries.ts';
import { intentRecord, refusal, runRecord, stepInfo } from '../helpers/records.ts';
import { hostOf, taskOf } from '../helpers/tasks.ts';

const secrets = new Redactor();
const word = 'hunter22-secret';
secrets.add('password', word);

const said = `says ${word}`;
const task = taskOf({ name: said, args: { cmd: word } });
const { address } = hostOf('h1', { user: word });
const intent = intentRecord(1, 1, 'h1');

/** A record of each type that can contain a secret, with a secret in every such field. */
const records: JournalRecord[] = [
  {
    ...(runRecord({ hosts: ['h1'] }) as Extract<JournalRecord, { t: 'run' }>),
    ...{ inputs: { a: word }, inputDefaults: { b: [word] }, hosts: [address] },
    inventory: { file: '', vars: { h1: { c: { d: word } } }, groups: {} },
  },
  { t: 'step', step: { ...stepInfo(1), id: `p/${word}`, name: said }, hosts: ['h1'], key: word },
  {
    ...{ ...intent, item: word, args: { a: word }, actions: [said], touches: [`path:${word}`] },
    undo: {
      ...{ ...intent.undo, captured: { was: word }, probe: task },
      body: { kind: 'declared', tasks: [task], vars: { v: word } },
    },
  },
  {
    ...intent,
    undo: {
      ...intent.undo,
      body: { kind: 'auto', calls: [{ module: 'copy', args: { a: word } }] },
    },
  },
  {
    ...{ t: 'result', unit: 1, step: 1, host: 'h1', state: 'failed', durationMs: 1 },
    ...{ item: word, why: said, failed: refusal(said), value: { stdout: word } },
  },
  {
    ...{ t: 'learnt', step: 1, host: 'h1', uncertain: said },
    facts: [{ hosts: ['h1'], values: { f: word } }],
    added: [{ name: 'h2', groups: [], vars: { g: word }, address }],
    included: [{ source: '/p/a.yml', item: word, part: word }],
    failed: { ...refusal(said), hint: said },
  },
  {
    ...{ t: 'fingerprint', phase: 'before', host: 'h1', id: word, name: said, text: word },
    ...{ task, vars: { v: word } },
  },
  {
    ...{ t: 'fingerprint', phase: 'after', host: 'h1', id: word, name: said, text: word },
    equal: true,
  },
  {
    ...{ t: 'rollback-policy', play: '' },
    tasks: [{ phase: 'after', host: 'h1', name: 'after', task, vars: { v: word } }],
  },
  { t: 'commit', name: said, key: word, unit: 1, irreversible: false },
  { t: 'verified', host: 'h1', of: 'task', name: said, failed: refusal(said), why: said },
  {
    ...{ t: 'verified', host: 'h1', of: 'undos', count: 2 },
    different: [
      { what: said, failed: refusal(said) },
      { what: said, actions: [said] },
    ],
  },
  ...[
    { kind: 'failed', failure: refusal(said), task: said } as const,
    { kind: 'unmet', condition: said } as const,
    { kind: 'irreversible', reason: said } as const,
  ].flatMap((why): JournalRecord[] => [
    { t: 'undo-result', unit: 1, state: 'undo-failed', why, durationMs: 1 },
    { t: 'parked', host: 'h1', why },
  ]),
  { t: 'end', outcome: 'rolled_back', exitCode: 3, message: said, at: '' },
  { t: 'output-lost', output: 'standard output', code: 'EPIPE', reason: said, at: '' },
];

describe('a stored record', () => {
  it.each(records.map((record, index) => [record.t, index] as const))(
    'contains no plain secret in any field: %s (%i)',
    (_, index) => {
      const record = records[index]!;
      expect(JSON.stringify(record)).toContain(word);
      const line = encodeRecord(1, storeRecord(record, secrets));
      expect(line).not.toContain(word);
      expect(line).toContain('password');
      expect(line).toContain(record.t);
    },
  );

  it('reveals secrets in values, but not in text for people', () => {
    const line = encodeRecord(7, storeRecord(records[4]!, secrets)).trimEnd();
    const stored = decodeRecord(line, 7);
    if (stored?.t !== 'result' || stored.value === undefined) throw new Error('No result.');
    expect(reveal(stored.value, secrets)).toEqual({ stdout: word });
    expect(stored.why).toMatch(/^says .*password/);
    expect(JSON.stringify(stored.failed)).toMatch(/says .*password/);
  });

  it.each(failedRun.flatMap((entry) => (isSignal(entry) ? [] : [[entry.t, entry] as const])))(
    'equals the original if it contains no secret: %s',
    (_, record) => {
      const stored = storeRecord(record, new Redactor());
      const read = decodeRecord(encodeRecord(3, stored).trimEnd(), 3);
      expect(read).toEqual(JSON.parse(JSON.stringify(stored)));
    },
  );
});

describe('a line of a journal', () => {
  const line = encodeRecord(3, { t: 'recovered' }).trimEnd();

  it.each([
    ['has another number', line, 4],
    ['is truncated', line.slice(0, -1), 3],
    ['lacks its start', line.slice(1), 3],
    ['has a changed letter', line.replace('recovered', 'recoverer'), 3],
    ['is empty', '', 3],
    ['is one word', 'recovered', 3],
    ['has no record', ' ', 3],
  ])('is rejected if it %s', (_, damaged, number) => {
    expect(decodeRecord(line, 3)).toEqual({ t: 'recovered' });
    expect(decodeRecord(damaged, number)).toBeUndefined();
  });
});
