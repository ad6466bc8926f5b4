import type { Failure } from '../../src/core/failure.ts';
import type { StepInfo } from '../../src/core/states.ts';
import type { InventoryHost } from '../../src/core/inventory.ts';
import { storeRecord } from '../../src/journal/codec.ts';
import {
  journalFormat,
  type HandlerRef,
  type IntentRecord,
  type JournalRecord,
  type StoredRecord,
} from '../../src/journal/records.ts';
import type { RecordedRun } from '../../src/journal/recorded-run.ts';
import { reveal } from '../../src/journal/stored.ts';
import { Redactor } from '../../src/util/redact.ts';

/** A record in the form of a journal without secrets. */
export function storedRecord(record: JournalRecord): StoredRecord {
  return storeRecord(record, new Redactor());
}

/** The hosts of a run without secrets, in the form of an inventory. */
export function recordedHosts({ hosts }: RecordedRun): Map<string, InventoryHost> {
  return new Map(
    [...hosts].map(([name, stored]) => {
      const address = reveal(stored, new Redactor());
      return [name, { name, address, vars: {} }];
    }),
  );
}

/** The first record of a journal. */
export function runRecord({ run = 'run', hosts = [] as string[] } = {}): JournalRecord {
  return {
    ...{ t: 'run', format: journalFormat, runner: '0.1.0', run, playbook: 'playbook.yml' },
    ...{ name: 'playbook', changes: [], check: false },
    startedAt: '1970-01-01T00:00:00Z',
    ...{
      pid: 1,
      bootId: 'boot',
      options: {},
      inputs: {},
      inputDefaults: {},
      secrets: [],
      files: [],
    },
    hosts: hosts.map((name) => ({
      ...{ name, transport: 'ssh' as const, address: name, port: 22 },
      ...{ user: 'root', keyPath: undefined },
    })),
    inventory: { file: '', vars: {}, groups: {} },
  };
}

export function stepInfo(number: number): StepInfo {
  return {
    ...{ id: `p/${String(number)}`, number, play: 'p', name: `s${String(number)}`, module: 'copy' },
    ...{ at: { file: 'p.yml', line: number, column: 1 }, handler: false },
  };
}

export function stepRecord(number: number, hosts: string[], key?: string): JournalRecord {
  const step = stepInfo(number);
  return { t: 'step', step, hosts, key: key ?? step.id };
}

/** The intent of a unit with an automatic undo. */
export function intentRecord(
  unit: number,
  step: number,
  host: string,
  more: Partial<IntentRecord> = {},
): IntentRecord {
  const become = { enabled: false, user: 'root', method: 'sudo' as const };
  return {
    ...{ t: 'intent', unit, step, host, target: host, module: 'copy', actions: [], args: {} },
    ...{ become },
    undo: {
      body: { kind: 'auto', calls: [] },
      ...{ on: ['changed', 'failed', 'unknown'], when: [], error: 'block', captured: {} },
    },
    ...more,
  };
}

/** The intent of a handler run, whose undo is to run the handler again. */
export function handlerRecord(
  unit: number,
  step: number,
  host: string,
  handler: HandlerRef,
): IntentRecord {
  const record = intentRecord(unit, step, host, { handler });
  return { ...record, undo: { ...record.undo, body: { kind: 'rerun', calls: [] } } };
}

export function changedRecord(unit: number, step: number, host: string): JournalRecord {
  return { t: 'result', unit, step, host, state: 'changed', durationMs: 1 };
}

/** A failure with only a message. */
export function refusal(message: string): Failure {
  return { kind: 'refused', message };
}
