import type { IntentRecord, JournalRecord } from '../../src/journal/records.ts';

/** The first record of a journal. */
export function runRecord({ run = 'run', hosts = [] as string[] } = {}): JournalRecord {
  return {
    ...{ t: 'run', format: 2, runner: '0.1.0', run, playbook: 'playbook.yml' },
    ...{ name: 'playbook', changes: [], check: false },
    startedAt: '1970-01-01T00:00:00Z',
    ...{ pid: 1, bootId: 'boot', options: {}, inputs: {}, secrets: [], files: [] },
    hosts: hosts.map((name) => ({
      ...{ name, transport: 'ssh' as const, address: name, port: 22 },
      ...{ user: 'root', keyPath: undefined },
    })),
    inventory: { file: '', vars: {}, groups: {} },
  };
}

export function stepRecord(number: number, hosts: string[], key?: string): JournalRecord {
  const step = {
    ...{ id: `p/${String(number)}`, number, play: 'p', name: `s${String(number)}`, module: 'copy' },
    ...{ at: { file: 'p.yml', line: number, column: 1 }, handler: false },
  };
  return { t: 'step', step, hosts, key: key ?? step.id };
}

/** The intent of a unit that is taken back by its module. */
export function intentRecord(
  unit: number,
  step: number,
  host: string,
  more: Partial<IntentRecord> = {},
): IntentRecord {
  const become = { enabled: false, user: 'root', method: 'sudo' as const };
  return {
    ...{ t: 'intent', unit, step, host, target: host, module: 'copy', actions: [], args: {} },
    ...{ become, captures: {} },
    undo: {
      body: { kind: 'auto', calls: [] },
      ...{ on: ['changed', 'failed', 'unknown'], when: [], error: 'block', captured: {} },
    },
    ...more,
  };
}

export function changedRecord(unit: number, step: number, host: string): JournalRecord {
  return { t: 'result', unit, step, host, state: 'changed', durationMs: 1 };
}
