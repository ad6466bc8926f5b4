import type { JournalRecord } from '../../src/journal/records.ts';

/** The first record of a journal. */
export function runRecord({ run = 'run', hosts = [] as string[] } = {}): JournalRecord {
  return {
    ...{ t: 'run', version: 1, run, playbook: 'playbook.yml', startedAt: '1970-01-01T00:00:00Z' },
    ...{ pid: 1, bootId: 'boot', options: {}, inputs: {}, secrets: [], files: [] },
    hosts: hosts.map((name) => ({
      ...{ name, transport: 'ssh' as const, address: name, port: 22 },
      ...{ user: 'root', keyPath: undefined },
    })),
    inventory: { file: '', vars: {}, groups: {} },
  };
}
