import { describe, expect, it } from 'vitest';
import { verifyState } from '../../src/engine/verify.ts';
import { Log } from '../../src/journal/log.ts';
import type { JournalRecord, RollbackTask } from '../../src/journal/records.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { eventReader } from '../../src/output/events.ts';
import { Redactor } from '../../src/util/redact.ts';
import { callWorld, type Answers } from '../helpers/call-world.ts';
import { intentRecord, recordedHosts, runRecord, stepRecord } from '../helpers/records.ts';
import { taskOf } from '../helpers/tasks.ts';

const command = (cmd: string): TaskNode => taskOf({ module: 'command', name: cmd, args: { cmd } });

const fingerprint = (text: string): JournalRecord => ({
  ...{ t: 'fingerprint', phase: 'before', host: 'h1', id: 'f', name: 'Ports', text, vars: {} },
  task: command('ports'),
});
const policy = (more: { settleSeconds?: number; verify?: string[] }): JournalRecord => ({
  ...{ t: 'rollback-policy', play: '', onFailure: undefined, budgetSeconds: undefined },
  settleSeconds: more.settleSeconds,
  tasks: (more.verify ?? []).map((cmd): RollbackTask => ({
    ...{ phase: 'verify', host: 'h1', name: cmd, task: command(cmd), vars: {} },
  })),
});
const undone = (unit: number, path: string): JournalRecord[] => {
  const intent = intentRecord(unit, 1, 'h1');
  const calls = [{ module: 'restore_path', args: { path } }];
  return [
    { ...intent, undo: { ...intent.undo, body: { kind: 'auto', calls } } },
    { t: 'undo-result', unit, state: 'undone', durationMs: 1 },
  ];
};

/** Verifies a run that was rolled back. By default, hosts report paths as unchanged. */
async function verify(
  records: JournalRecord[],
  answers: Answers = (_, command) => ({ stdout: command.startsWith('look') ? 'as before' : '' }),
) {
  const log = Log.inMemory(new Redactor());
  for (const record of [runRecord({ hosts: ['h1'] }), stepRecord(1, ['h1']), ...records])
    log.write(record);
  const said: string[] = [];
  log.subscribe(
    eventReader((event) => {
      if (event.type === 'message') said.push(event.text);
      if (event.type === 'fingerprint') said.push(`${event.name}: ${String(event.equal)}`);
    }),
    (error) => {
      throw error;
    },
  );
  const { parts: world, asked } = callWorld(answers, log);
  const inventory = { file: '', hosts: recordedHosts(log.state), groups: new Map() };
  const settings = { ...world.settings, forks: 5 };
  const redactor = new Redactor();
  const parts = { ...world, settings, log, inventory, redactor, sealer: undefined };
  return { ...(await verifyState(parts, log.state)), said, asked, clock: world.clock };
}

describe('a run that was rolled back', () => {
  it('is verified by its fingerprints', async () => {
    const ports: Answers = () => ({ stdout: 'port 22\n' });
    expect(await verify([fingerprint('port 22')], ports)).toMatchObject({
      ...{ verified: true, different: [], said: ['Ports: true'] },
    });
    expect(await verify([fingerprint('port 23')], ports)).toMatchObject({
      ...{ verified: true, different: ['"Ports" on h1'], said: ['Ports: false'] },
    });
  });

  it('differs if a fingerprint cannot be taken again', async () => {
    const { different } = await verify([fingerprint('port 22')], () => ({ code: 1 }));
    expect(different).toEqual(['"Ports" on h1']);
  });

  it('has the settle time of the playbook until its fingerprints must be equal', async () => {
    let now = 20;
    const ports: Answers = () => ({ stdout: `port ${String(now++)}` });
    const slow = await verify([policy({ settleSeconds: 60 }), fingerprint('port 22')], ports);
    expect(slow).toMatchObject({ different: [], said: ['Ports: true'] });
    expect(slow.clock.sleeps).toEqual([2000, 2000]);
    const never = await verify([policy({ settleSeconds: 3 }), fingerprint('no')], ports);
    expect(never.different).toEqual(['"Ports" on h1']);
    expect(never.clock.sleeps).toHaveLength(2);
  });

  it('is verified by its undos in check mode', async () => {
    const records = [...undone(1, '/etc/a'), ...undone(2, '/etc/b')];
    expect(await verify(records)).toMatchObject({
      ...{ verified: true, different: [], said: ['2 automatic undos: true'] },
    });
    const { different, asked } = await verify(records, (_, command) => ({
      stdout: command === 'look /etc/a' ? 'as before' : '',
    }));
    expect(different).toEqual(['2 automatic undos on h1']);
    expect(asked).toEqual(['h1: look /etc/a', 'h1: look /etc/b']);
    expect((await verify(records, () => undefined)).different).toHaveLength(1);
  });

  it('does not differ by a path that the declared undo of an earlier step names', async () => {
    const intent = intentRecord(1, 1, 'h1');
    const body = { kind: 'declared', tasks: [command('restore /etc/a')], vars: {} } as const;
    const declared: JournalRecord[] = [
      { ...intent, undo: { ...intent.undo, body: { ...body, tasks: [...body.tasks] } } },
      { t: 'undo-result', unit: 1, state: 'undone', durationMs: 1 },
    ];
    const { verified, different, said } = await verify(
      [...declared, ...undone(2, '/etc/a')],
      () => ({}),
    );
    expect({ verified, different }).toEqual({ verified: false, different: [] });
    expect(said).toEqual([expect.stringContaining('Not verified on h1') as string]);
  });

  it('is verified by the "verify" tasks of the playbook', async () => {
    const records = [policy({ verify: ['works', 'fails'] })];
    const answers: Answers = (_, command) => ({ code: command === 'fails' ? 1 : 0 });
    expect(await verify(records, answers)).toMatchObject({
      ...{ verified: true, different: ['"fails" on h1'], said: ['works: true', 'fails: false'] },
    });
  });

  it('is not verified if nothing was compared', async () => {
    expect(await verify([])).toMatchObject({ verified: false, different: [] });
  });
});
