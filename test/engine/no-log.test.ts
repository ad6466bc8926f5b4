import { describe, expect, it } from 'vitest';
import type { RunSettings } from '../../src/engine/settings.ts';
import { perform } from '../helpers/scripted-hosts.ts';

interface Case {
  /** All have no_log. They fail with "it said no", and debug shows a secret word. */
  tasks: string;
  settings?: Partial<RunSettings>;
  /** Messages of attempts, tasks and undos, in the order of the events. */
  says: (string | undefined)[];
}

const hidden = 'failed; its output is hidden by no_log';
const fail = 'name: Fail, command: fail, undo: { none: "no need" }, no_log: true';
const say = 'name: Say, debug: secret-word, no_log: true';
const ok = 'name: Work, command: ok';

const cases: Record<string, Case> = {
  'a failure': { tasks: `{ ${fail} }`, says: [hidden] },
  'a failure that counts as success': {
    tasks: `{ ${fail}, failed_when: "false" }`,
    says: [undefined],
  },
  'a failure that is ignored': { tasks: `{ ${fail}, ignore_errors: true }`, says: [hidden] },
  'a message of a module': { tasks: `{ ${say} }`, says: [undefined] },
  'a message that counts as failure': {
    tasks: `{ ${say}, failed_when: "true" }`,
    says: [undefined],
  },
  'a message of a task with "check_mode: true"': {
    tasks: `{ ${say}, check_mode: true }`,
    says: [undefined],
  },
  'each attempt': { tasks: `{ ${fail}, retries: 1, delay: 0 }`, says: [hidden, hidden] },
  'the answer of the last attempt': {
    tasks: `{ ${say}, until: "false", retries: 1, delay: 0 }`,
    says: ['', 'Condition still false after 2 attempts: false.'],
  },
  'a failed undo': {
    tasks: `{ ${ok}, undo: [{ name: Undo, command: fail, no_log: true }] }, { ${fail} }`,
    says: [undefined, hidden, hidden],
  },
  'a failure that check mode cannot predict': {
    tasks: `{ ${ok}, undo: { none: "no need" } }, { ${say}, failed_when: "true" }`,
    settings: { check: true },
    says: [undefined, 'cannot be predicted: '],
  },
};

describe('no_log hides in events and in the journal', () => {
  it.each(Object.entries(cases))('%s', async (_title, { tasks, settings, says }) => {
    const text = `- { name: P, hosts: h1, tasks: [${tasks}] }`;
    const { recording, problems } = await perform({ text, settings });
    expect(problems).toEqual([]);
    const messages = recording.events.flatMap((event) =>
      event.type === 'unit-end' || event.type === 'undo-end' || event.type === 'unit-retry'
        ? [event.message]
        : [],
    );
    expect(messages).toEqual(says);
    const written = JSON.stringify([recording.events, recording.records]);
    for (const secret of ['it said no', 'secret-word']) expect(written).not.toContain(secret);
  });
});

it('no_log hides the items of a loop in displays', async () => {
  const work = '{ name: Work, command: ok, undo: [{ name: Back, command: ok }], no_log: true';
  const text = `- { name: P, hosts: h1, tasks: [${work}, loop: [secret-a, secret-b] }, { ${fail} }] }`;
  const { recording } = await perform({ text });
  const items = recording.events.flatMap((event) =>
    event.type === 'unit-end' || event.type === 'undo-end' ? [event.item] : [],
  );
  expect(items).toEqual(['item 1', 'item 2', undefined, 'item 2', 'item 1']);
  expect(JSON.stringify(recording.events)).not.toContain('secret-');
});

describe('no_log hides values that an undo or a resumed run needs', () => {
  const hushed = { loop: '[hushed-a]', no_log: 'true' };
  const text = `
- { name: Tell, command: say hushed, register: told, no_log: true, undo: { none: harmless } }
- { name: Skip, command: ok, loop: ${hushed.loop}, when: 1 == 2, no_log: true }
- { name: Add, add_host: { name: h9, vars: { word: hushed } }, no_log: true }
- name: Work
  command: ok
  loop: ${hushed.loop}
  no_log: true
  capture: [{ name: Look, command: say hushed, register: was }]
  undo:
    - { name: Undo, command: ok, failed_when: 'item != "hushed-a" || captured.was.stdout != "hushed" || told.stdout != "hushed"' }
- name: Read
  command: ok
  undo: [{ name: Undo, command: ok, failed_when: told.stdout != "hushed" }]
- name: Block
  block: [{ name: Inside, command: ok, undo: { none: harmless } }]
  undo: [{ name: Undo, command: ok, failed_when: told.stdout != "hushed" }]
- { name: Fail, fail: { msg: hushed }, no_log: true }
`;
  const inventory = 'all: { hosts: { h1: {} } }';

  it('by encryption if the run has secrets, and a rollback decrypts them', async () => {
    const { recording, problems } = await perform({
      text,
      inventory,
      secrets: { key: 'swordfish' },
    });
    expect(problems).toEqual([]);
    const ends = recording.records.filter(({ t }) => t === 'undo-result');
    expect(ends.map((record) => 'state' in record && record.state)).toEqual(
      ends.map(() => 'undone'),
    );
    expect(ends.length).toBeGreaterThan(2);
    const written = recording.records.filter((record) => JSON.stringify(record).includes('hushed'));
    // Conditions of the playbook are not hidden values.
    const values = JSON.stringify(written).replaceAll(/"\$condition":"(\\.|[^"])*"/g, '');
    expect(values).not.toContain('hushed');
  });

  it('except if the run has no secrets, so that undos can still use them', async () => {
    const { recording } = await perform({ text, inventory });
    const ends = recording.records.filter(({ t }) => t === 'undo-result');
    expect(ends.map((record) => 'state' in record && record.state)).toEqual(
      ends.map(() => 'undone'),
    );
  });
});
