import { describe, expect, it } from 'vitest';
import type { NotUndone } from '../../src/core/undo.ts';
import { Template } from '../../src/core/value.ts';
import { UndoRunner, type RollbackReason } from '../../src/engine/undo-unit.ts';
import { Log } from '../../src/journal/log.ts';
import type { IntentRecord, JournalRecord, UndoBody } from '../../src/journal/records.ts';
import { Redactor } from '../../src/util/redact.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { callWorld, type Answers } from '../helpers/call-world.ts';
import { changedRecord, intentRecord, refusal, runRecord, stepRecord } from '../helpers/records.ts';
import { conditionsOf, taskOf } from '../helpers/tasks.ts';

const command = (cmd: string, more: Partial<TaskNode> = {}): TaskNode =>
  taskOf({ module: 'command', name: cmd, args: { cmd: new Template(cmd) }, ...more });
const declared = (...tasks: TaskNode[]): UndoBody => ({ kind: 'declared', tasks, vars: {} });

interface World {
  body: UndoBody;
  undo?: Partial<IntentRecord['undo']>;
  intent?: Partial<IntentRecord>;
  answers?: Answers;
  reason?: RollbackReason;
  records?: JournalRecord[];
  stopping?: boolean;
}

/** Undoes change 1 on h1. */
async function undo({ body, reason = 'failed', answers = () => ({}), ...world }: World) {
  const log = Log.inMemory(new Redactor());
  const intent = intentRecord(1, 1, 'h1', world.intent);
  const records: JournalRecord[] = [
    ...[runRecord({ hosts: ['h1', 'h2'] }), stepRecord(1, ['h1'])],
    { ...intent, undo: { ...intent.undo, body, ...world.undo } },
    ...(world.records ?? []),
  ];
  for (const record of records) log.write(record);
  const { parts: reach, asked } = callWorld(answers, log);
  const groups = new Map([['all', ['h1', 'h2']]]);
  const inventory = { file: '', hosts: new Map(), groups };
  const isStopping = () => world.stopping === true;
  const parts = { ...reach, isStopping, redactor: new Redactor(), sealer: undefined, inventory };
  const runner = new UndoRunner(parts, log.state, { reason, attempt: 2 });
  return { failure: await runner.undo(log.state.units.get(1)!), asked };
}

describe('the undo of a change', () => {
  it.each([
    [{ kind: 'none', reason: undefined }, undefined],
    [{ kind: 'uncovered' }, { kind: 'uncovered' }],
    [
      { kind: 'irreversible', reason: 'wiped' },
      { kind: 'irreversible', reason: 'wiped' },
    ],
  ] as [UndoBody, NotUndone | undefined][])('contacts no host if it is %j', async (body, why) => {
    const { failure, asked } = await undo({ body });
    expect(asked).toEqual([]);
    expect(failure).toEqual(why && { why, unreachable: false });
  });

  it('makes the calls of its module in order, until one fails', async () => {
    const calls = ['a', 'b', 'c'].map((cmd) => ({ module: 'command', args: { cmd } }));
    const body: UndoBody = { kind: 'auto', calls };
    expect(await undo({ body })).toEqual({
      ...{ failure: undefined, asked: ['h1: a', 'h1: b', 'h1: c'] },
    });
    const { failure, asked } = await undo({
      ...{ body, answers: (_, cmd) => ({ code: cmd === 'b' ? 1 : 0 }) },
    });
    expect(asked).toEqual(['h1: a', 'h1: b']);
    expect(failure).toMatchObject({
      why: { kind: 'failed', failure: { kind: 'command', code: 1 } },
      unreachable: false,
    });
  });

  it('can be retried if the host is unreachable', async () => {
    const { failure } = await undo({ body: declared(command('a')), answers: () => undefined });
    expect(failure).toMatchObject({
      why: {
        kind: 'failed',
        task: 'a',
        failure: { kind: 'connect', message: 'h1 is unreachable' },
      },
      unreachable: true,
    });
  });

  it('is skipped if undo_when is false', async () => {
    const when = conditionsOf('captured.was == "there"');
    const body = declared(command('a'));
    expect(await undo({ body, undo: { when, captured: { was: 'there' } } })).toMatchObject({
      ...{ failure: undefined, asked: ['h1: a'] },
    });
    expect(await undo({ body, undo: { when, captured: { was: 'gone' } } })).toEqual({
      failure: {
        why: { kind: 'unmet', condition: 'captured.was == "there"' },
        unreachable: false,
      },
      asked: [],
    });
  });
});

describe('a task of an undo', () => {
  it('sees only variables that were recorded with the change', async () => {
    const body: UndoBody = {
      kind: 'declared',
      tasks: [
        command(
          '{{inventory_hostname}} {{captured.a}} {{own}} {{item}} {{result.rc}} {{undo.attempt}}',
        ),
        command('{{join live.groups.all ","}}'),
      ],
      vars: { own: '{{text}}' },
    };
    const { asked } = await undo({
      ...{ body, undo: { captured: { a: '1' } }, intent: { item: 'i' } },
      records: [{ ...changedRecord(1, 1, 'h1'), value: { rc: 0 } } as JournalRecord],
    });
    expect(asked).toEqual(['h1: h1 1 {{text}} i 0 2', 'h1: h1,h2']);
  });

  it.each([
    ['failed', 'h1', 'failed_here'],
    ['failed', 'h2', 'failed_elsewhere'],
    ['request', 'h1', 'request'],
    ['crash', 'h1', 'crash'],
  ] as [RollbackReason, string, string][])(
    'gets the reason of the rollback: %s, with a failure on %s',
    async (reason, host, word) => {
      const failed = {
        t: 'result',
        unit: 9,
        step: 1,
        host,
        state: 'failed',
        durationMs: 1,
      } as const;
      const { asked } = await undo({
        ...{ body: declared(command('{{undo.reason}}')), reason, records: [failed] },
      });
      expect(asked).toEqual([`h1: ${word}`]);
    },
  );

  const failedStep = [
    stepRecord(2, ['h1'], 'key'),
    { t: 'result', unit: 9, step: 2, host: 'h1', state: 'failed', durationMs: 1 },
    { t: 'learnt', step: 2, host: 'h1', failed: refusal('no') },
  ] as JournalRecord[];
  const rescue: JournalRecord = { t: 'rescue', failed: 'key', hosts: ['h1'] };
  it.each([
    ['was rescued', [rescue], 'failed_elsewhere'],
    ['was rescued, but the rescue failed', [rescue, ...failedStep], 'failed_here'],
    [
      'succeeded when the step ran again',
      [
        stepRecord(3, ['h1'], 'key'),
        { t: 'result', unit: 10, step: 3, host: 'h1', state: 'ok', durationMs: 1 },
        { t: 'learnt', step: 3, host: 'h1' },
      ],
      'failed_elsewhere',
    ],
    [
      'is resumed with a playbook without the step',
      [{ t: 'resume', pid: 2, bootId: 'boot' }],
      'failed_elsewhere',
    ],
    [
      'had been rolled back individually',
      [
        { t: 'rollback', reason: 'failed', attempt: 1, hosts: ['h1'], partial: true },
        { t: 'resume', pid: 2, bootId: 'boot' },
      ],
      'failed_here',
    ],
    [
      'succeeded in another step',
      [stepRecord(3, ['h1'], 'other'), { t: 'learnt', step: 3, host: 'h1' }],
      'failed_here',
    ],
  ] as [string, JournalRecord[], string][])(
    'gets the reason of the rollback on a host that had failed and %s',
    async (_, then, word) => {
      const { asked } = await undo({
        ...{ body: declared(command('{{undo.reason}}')), reason: 'failed' },
        records: [...failedStep, ...then],
      });
      expect(asked).toEqual([`h1: ${word}`]);
    },
  );

  it('uses the registers of earlier tasks, its loop, its variables and its condition', async () => {
    const body = declared(
      command('first', { register: 'r' }),
      command('{{r.stdout}}-{{item}}', {
        ...{
          loop: ['a', 'b', 'c'],
          when: conditionsOf('item != skipped'),
          vars: [{ skipped: 'b' }],
        },
      }),
    );
    const answers: Answers = (_, cmd) => ({ stdout: cmd === 'first' ? 'out' : '' });
    expect((await undo({ body, answers })).asked).toEqual([
      ...['h1: first', 'h1: out-a', 'h1: out-c'],
    ]);
  });

  it('fails if its loop is not a list, and continues if its errors are ignored', async () => {
    const { failure } = await undo({ body: declared(command('a', { loop: 'text' })) });
    expect(failure?.why).toMatchObject({
      failure: { kind: 'template', message: '"loop" of undo task "a" is not a list' },
    });
    const fails: Answers = () => ({ code: 1 });
    const body = declared(
      command('a', { ignoreErrors: true }),
      command('b', { ignoreErrors: true }),
    );
    expect(await undo({ body, answers: fails })).toEqual({
      ...{ failure: undefined, asked: ['h1: a', 'h1: b'] },
    });
    const ended = await undo({ body, answers: fails, stopping: true });
    expect(ended).toMatchObject({ failure: { unreachable: false }, asked: ['h1: a'] });
  });

  it('runs on the host of the change, or on the host it is delegated to', async () => {
    const body = declared(
      command('a'),
      command('b', { delegateTo: new Template('h{{undo.attempt}}') }),
    );
    const { asked } = await undo({ body, intent: { target: 'localhost' } });
    expect(asked).toEqual(['localhost: a', 'h2: b']);
  });

  it('fails if it is delegated to a host that is not part of the run', async () => {
    const lost = undo({ body: declared(command('a', { delegateTo: 'h9' })) });
    await expect(lost).rejects.toMatchObject({
      ...{
        code: 'TASK_FAILED',
        message: 'Host "h9" of "delegate_to" is not part of this run.',
      },
    });
  });

  it('gathers facts only if it uses them, and fails without them', async () => {
    const body = declared(command('{{live.facts.said}}'));
    const answers: Answers = (_, cmd) => ({ stdout: cmd === 'facts' ? 'now' : '' });
    expect((await undo({ body, answers })).asked).toEqual(['h1: facts', 'h1: now']);
    await expect(undo({ body, answers: () => undefined })).rejects.toThrow(
      'Cannot gather the facts of h1: h1 is unreachable',
    );
  });
});
