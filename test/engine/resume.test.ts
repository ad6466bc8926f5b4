import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from '../../src/journal/journal-file.ts';
import type { StoredRecord } from '../../src/journal/records.ts';
import { performIn, type Performance, type Script } from '../helpers/scripted-hosts.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'runner-resume-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/**
 * What must be equal at the end: what each step taught, the batches and the commit points. Unit
 * numbers may differ.
 */
function outcome(records: readonly StoredRecord[]): Record<string, unknown> {
  const keys = new Map<number, string>();
  const known: Record<string, unknown> = {};
  for (const record of records) {
    if (record.t === 'step') keys.set(record.step.number, record.key);
    if (record.t === 'play') known[`play ${record.id}`] = record.batches;
    if (record.t === 'commit') known[`commit ${record.key}`] = record.name;
    if (record.t !== 'learnt') continue;
    const { step, host, ...learnt } = record;
    known[`${keys.get(step) ?? ''} ${host}`] = learnt;
  }
  return known;
}

const seen = ({ result }: Performance) => ({
  result,
  known: outcome(readJournal(join(directory, 'journal')).records),
});

/** Runs a playbook, and resumes it after each record of its journal. */
async function resumeFromEverywhere(script: Script): Promise<void> {
  const straight = await performIn(directory, script);
  expect(straight.problems).toEqual([]);
  const wanted = seen(straight);
  const path = join(directory, 'journal');
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const { records } = readJournal(path);
  for (let length = 1; length <= lines.length; length++) {
    const last = records[length - 1];
    // What the step taught is written together with its result, whose output is recorded nowhere
    // else.
    if (last?.t === 'result' && last.index === undefined) continue;
    writeFileSync(path, `${lines.slice(0, length).join('\n')}\n`);
    const resumed = await performIn(directory, { ...script, resumes: true });
    expect(seen(resumed), `resumed after ${String(lines[length - 1])}`).toEqual(wanted);
  }
}

describe('a run that is resumed after any record of its journal', () => {
  it('ends like the uninterrupted run: registers, facts, groups, handlers, batches and commit points', async () => {
    await resumeFromEverywhere({
      text: `- name: P
  hosts: all
  serial: '{{size}}'
  commit: batch
  handlers:
    - { name: First, command: ok, notify: Second }
    - { name: Second, command: 'say {{inventory_hostname}}', register: handled }
  vars: { size: 2 }
  tasks:
    - { name: Ask, command: 'say {{inventory_hostname}}', register: said }
    - { name: Once, command: 'say once', run_once: true, register: once, notify: First }
    - { name: Play, command: 'say play', run_once: play, register: whole }
    - { name: Set, set_fact: { size: 1, line: '{{said.stdout}} {{once.stdout}}' } }
    - { name: Flush, meta: flush_handlers }
    - { name: Group, group_by: { key: 'by_{{line}}' } }
    - { name: Loop, loop: [a, b], command: 'say {{item}}', register: looped, notify: First }
    - { name: Leave, meta: end_host, when: inventory_hostname == "h2" }
    - { name: Include, include_tasks: '{{inventory_hostname}}.yml' }
- name: Q
  hosts: web
  tasks:
    - { name: Out, group_by: { key: none, leave: [web] }, when: inventory_hostname == "h1" }
    - { name: Who, command: 'say {{hostvars.h3.said.stdout}} {{whole.stdout}} {{size}}' }
`,
      files: {
        'h1.yml': '- { name: Own, command: say one, register: own }\n',
        'h3.yml': '- { name: Own, command: say three, register: own }\n',
      },
    });
  });

  it('does not retry a failed step after its rescue has started', async () => {
    const text = `- name: Block
  block:
    - { name: Some, command: flaky 1 }
    - { name: More, command: ok }
  rescue:
    - { name: Rescue, command: ok }
    - { name: Last, command: ok }
`;
    const straight = await performIn(directory, { text });
    const path = join(directory, 'journal');
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const began = lines.findIndex((line) => line.includes('"t":"rescue"'));
    writeFileSync(path, `${lines.slice(0, began + 2).join('\n')}\n`);
    const resumed = await performIn(directory, { text, resumes: true });
    expect(straight.trace.map((line) => line.split(':')[0])).toEqual(['Some', 'Rescue', 'Last']);
    expect(resumed.trace).toEqual(straight.trace.slice(1));
    expect(resumed.result?.status).toBe('done');
  });

  it('ends like the uninterrupted run if hosts fail and are tolerated, ignored or rescued', async () => {
    await resumeFromEverywhere({
      text: `- name: P
  hosts: all
  max_failures: 1
  tasks:
    - { name: Ignored, command: fail-on h1, ignore_errors: true, register: ignored }
    - name: Block
      block:
        - { name: Some, command: fail-on h3 }
        - { name: More, command: ok }
      rescue:
        - { name: Rescue, command: 'say {{failed.task}}', register: rescued }
      always:
        - { name: Always, command: ok }
    - { name: Tolerated, command: fail-on h2 }
    - { name: After, command: 'say {{play.hosts}}', register: after }
- name: Q
  hosts: all
  tasks:
    - { name: Others, command: 'say {{play.hosts}}', register: others }
`,
    });
  });
});

it('restores what the finished items of an interrupted loop set', async () => {
  const script: Script = {
    text: `- name: P
  hosts: h1
  tasks:
    - { name: Set, loop: [a, b], set_fact: { 'first': '{{item}}' }, when: item == "a" }
    - { name: Add, loop: [n1, n2], add_host: { name: '{{item}}', groups: [new] } }
    - { name: Say, command: 'say {{first}} {{groups.new}}', register: said }
`,
  };
  const wanted = seen(await performIn(directory, script));
  const path = join(directory, 'journal');
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const { records } = readJournal(path);
  for (const [index, record] of records.entries()) {
    if (record.t !== 'result' || record.item === undefined) continue;
    writeFileSync(path, `${lines.slice(0, index + 1).join('\n')}\n`);
    expect(seen(await performIn(directory, { ...script, resumes: true }))).toEqual(wanted);
  }
});

it('takes the missing fingerprints after an interruption while they were taken', async () => {
  const script: Script = {
    text: `fingerprint:
  - { name: State, command: 'say {{inventory_hostname}}' }
plays:
  - name: P
    hosts: all
    tasks:
      - { name: Work, command: ok, undo: { none: harmless } }
`,
  };
  await performIn(directory, script);
  const path = join(directory, 'journal');
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const first = readJournal(path).records.findIndex(({ t }) => t === 'fingerprint');
  writeFileSync(path, `${lines.slice(0, first + 1).join('\n')}\n`);
  await performIn(directory, { ...script, resumes: true });
  const taken = readJournal(path).records.flatMap((record) =>
    record.t === 'fingerprint' ? [record.host] : [],
  );
  expect(taken.toSorted()).toEqual(['h1', 'h2', 'h3']);
});

const disks = `all:
  hosts:
    h1: { disks: [{ name: sda, size: 1 }] }
    h2: { disks: [{ name: sda, size: 2 }] }
`;

it('repeats no steps of other hosts if a host joins an include only in the resumed run', async () => {
  const script = (first: string): Script => ({
    text: `- name: P
  hosts: all
  tasks:
    - name: Block
      block:
        - { name: First, command: ${first} }
        - { name: Disks, include_tasks: disk.yml, loop: '{{disks}}' }
      rescue: [{ name: Rescue, command: ok }]
`,
    files: { 'disk.yml': "- { name: Format, command: 'say {{item.size}}' }\n" },
    inventory: disks,
  });
  const straight = await performIn(directory, script('fail-on h1'));
  expect(straight.trace).toContain('Format: h2 changed');
  const path = join(directory, 'journal');
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const rescue = lines.findIndex((line) => line.includes('"t":"rescue"'));
  writeFileSync(path, `${lines.slice(0, rescue).join('\n')}\n`);
  const resumed = await performIn(directory, { ...script('ok'), resumes: true });
  expect(resumed.trace).toEqual(['First: h1 changed', 'Disks: h1[sda] ok', 'Format: h1 changed']);
});
