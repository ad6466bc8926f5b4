import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { exec, type Action } from '../../src/core/action.ts';
import { ConnectError, JournalError, TaskError, TimeoutError } from '../../src/core/errors.ts';
import type { CommandOutput } from '../../src/core/fact.ts';
import type { Exchange, HostSession, Limits } from '../../src/core/host.ts';
import { localHost } from '../../src/core/inventory.ts';
import { createRegistry, type Conclusion, type Plan } from '../../src/core/module.ts';
import { call, type Call, type CallParts, type ChangeRecord } from '../../src/engine/call.ts';
import type { Signal } from '../../src/journal/signals.ts';
import { plainTask, type TaskNode } from '../../src/language/document.ts';
import { onTrace } from '../../src/util/trace.ts';
import { Scope } from '../../src/template/scope.ts';

const at = { file: 'p.yml', line: 1, column: 1 };
const become = { enabled: false, user: 'root', method: 'sudo' as const };
const plain = plainTask({ id: 'p/do', name: 'Do', at, module: 'do', args: {}, become });
const output = (code: number, stdout = '', stderr = ''): CommandOutput => ({
  code,
  stdout,
  stderr,
});

interface World {
  plan?: Plan | Error;
  effect?: 'reads' | 'changes';
  conclude?: () => Conclusion;
  /** Outputs of the actions, or the error instead. */
  outputs?: CommandOutput[] | Error;
  open?: Error;
  task?: Partial<TaskNode>;
  asked?: Partial<Call>;
  begins?: () => void;
}

/** Calls a module whose plan and host return the given results. */
async function tryCall(world: World) {
  const sent: Exchange[] = [];
  const signals: Signal[] = [];
  const begun: string[] = [];
  const session: HostSession = {
    exchange: (request: Exchange, limits: Limits) => {
      sent.push(request);
      limits.onOutput?.({ text: 'text', stream: 'stdout', isCut: false });
      const { outputs = [output(0)] } = world;
      return outputs instanceof Error
        ? Promise.reject(outputs)
        : Promise.resolve({ control: {}, reads: [], change: { outputs } });
    },
  };
  const module = {
    name: 'do',
    summary: '',
    args: { type: 'object', properties: { path: { type: 'string' } }, additionalProperties: false },
    effect: world.effect ?? 'changes',
    plan: () => {
      const { plan = { actions: [exec('do', 'it')] } } = world;
      if (plan instanceof Error) throw plan;
      return plan;
    },
    ...(world.conclude ? { conclude: world.conclude } : {}),
  } as const;
  const context = {
    modules: createRegistry([module]),
    connections: {
      session: () => (world.open ? Promise.reject(world.open) : Promise.resolve(session)),
    },
    settings: { diff: false },
    signal: new AbortController().signal,
    isStopping: () => false,
    log: { signal: (signal: Signal) => signals.push(signal) },
  } as unknown as CallParts;
  let copies: readonly string[] | undefined;
  const change: ChangeRecord = {
    unit: 7,
    get copies() {
      return copies;
    },
    begin: async ({ plan, session: open }) => {
      world.begins?.();
      await open();
      begun.push(plan.actions.map((action: Action) => action.kind).join());
      copies = ['/etc/a'];
    },
  };
  const task = { ...plain, ...world.task };
  const result = await call(context, {
    ...{ task, host: localHost, target: localHost, scope: new Scope([]), directories: [] },
    step: { id: task.id, number: 1, play: 'P', name: 'Do', module: 'do', at, handler: false },
    ...{ mode: 'real', attempt: 1, outputs: '7', change, ...world.asked },
  });
  return { ...result, sent, signals, begun };
}

describe('one call of a module', () => {
  it('changes nothing and opens no connection if the plan has no actions', async () => {
    const open = new TaskError('no connection is needed');
    const { outcome, sent, begun } = await tryCall({
      ...{ plan: { actions: [], result: { state: 'there' } }, open },
    });
    expect(outcome).toEqual({ is: 'ok', result: { state: 'there' } });
    expect({ sent, begun }).toEqual({ sent: [], begun: [] });
  });

  it('is recorded before the actions are sent, with copies and the unit number', async () => {
    const { outcome, sent, begun } = await tryCall({ outputs: [output(0, 'done\n')] });
    expect(outcome).toMatchObject({ is: 'changed', result: { rc: 0, stdout: 'done' } });
    expect(begun).toEqual(['exec']);
    expect(sent).toMatchObject([{ change: { copies: ['/etc/a'], unit: 7 } }]);
  });

  it('is not recorded if its caller does not record it, or if it only reads', async () => {
    const unrecorded = await tryCall({ asked: { change: undefined } });
    expect(unrecorded.sent).toMatchObject([{ change: { copies: [], unit: undefined } }]);
    const reading = await tryCall({ effect: 'reads' });
    expect(reading.outcome.is).toBe('ok');
    expect(reading.begun).toEqual([]);
    expect(reading.sent).toMatchObject([{ change: { copies: [], unit: undefined } }]);
  });

  it('is recorded even without a change if its undo always runs', async () => {
    const plan: Plan = { actions: [], undo: { calls: [], always: true } };
    const { outcome, begun, sent } = await tryCall({ plan });
    expect({ outcome, begun, sent }).toEqual({
      ...{ outcome: { is: 'ok', result: {} }, begun: [''], sent: [] },
    });
  });

  it.each(['check', 'simulated'] as const)('only predicts changes in mode %s', async (mode) => {
    const plan: Plan = { actions: [exec('do', 'it')], result: { name: 'a' } };
    const { outcome, sent, begun } = await tryCall({ plan, asked: { mode } });
    expect(outcome).toEqual({ is: 'predicted', change: true, result: { name: 'a' } });
    expect({ sent, begun }).toEqual({ sent: [], begun: [] });
    const reading = await tryCall({ effect: 'reads', asked: { mode } });
    expect(reading.outcome.is).toBe('ok');
    expect(reading.sent).toHaveLength(1);
  });

  it('reports no change if no action counts as one, or if the module reports none', async () => {
    const reload: Action = { kind: 'exec', argv: ['reload'], counts: false };
    expect((await tryCall({ plan: { actions: [reload] } })).outcome.is).toBe('ok');
    expect((await tryCall({ conclude: () => ({ changed: false }) })).outcome.is).toBe('ok');
  });

  it('fails with the fields of the failed command, and its message as "msg"', async () => {
    const { outcome } = await tryCall({ outputs: [output(4, 'out\n', 'err\n')] });
    expect(outcome).toMatchObject({
      ...{ is: 'failed', changed: true, result: { rc: 4 } },
      failure: { kind: 'command', action: 'exec do it', code: 4, output: 'err' },
    });
    expect(outcome.result?.['msg']).toBe('Command "do it" failed with exit code 4: err');
    const concluded = await tryCall({
      ...{ outputs: [output(4)], conclude: () => ({ result: { msg: 'HTTP 404' } }) },
    });
    expect(concluded.outcome).toMatchObject({
      failure: { message: 'HTTP 404' },
      result: { msg: 'HTTP 404' },
    });
  });

  it.each([
    ['the plan fails', { plan: new TaskError('no', { at }) }, 'failed', 'refused'],
    ['arguments do not match the schema', { task: { args: { other: 1 } } }, 'failed', 'refused'],
    [
      'a template is wrong',
      { task: { args: { path: new Template('{{nothing}}') } } },
      'failed',
      'template',
    ],
    ['the module does not exist', { task: { module: 'none' } }, 'failed', 'refused'],
    ['the host is unreachable', { open: unreachable() }, 'unreachable', 'connect'],
    ['the connection is lost', { outputs: unreachable() }, 'unreachable', 'connect'],
    [
      'the actions exceed the time limit',
      { outputs: new TimeoutError('late') },
      'unknown',
      'timeout',
    ],
    ['a query exceeds the time limit', { plan: new TimeoutError('late') }, 'failed', 'timeout'],
  ] as [string, World, string, string][])(
    'returns an outcome when %s',
    async (_title, world, is, kind) => {
      const { outcome } = await tryCall(world);
      expect(outcome).toMatchObject({ is, failure: { kind } });
      expect(outcome).not.toHaveProperty('failure.at');
      expect(outcome.result).toMatchObject({ failed: true, changed: false });
    },
  );

  it('throws journal errors', async () => {
    const full = new JournalError('no space');
    const begins = () => {
      throw full;
    };
    await expect(tryCall({ begins })).rejects.toBe(full);
  });

  it.each([
    ['before the change', { plan: new Error('a bug') }, 'failed'],
    ['during the change', { outputs: new Error('a bug') }, 'unknown'],
  ] as [string, World, string][])(
    'fails on its host after an internal error %s',
    async (_title, world, is) => {
      const traced: string[] = [];
      const stop = onTrace('errors', (text) => traced.push(text));
      const { outcome } = await tryCall(world);
      stop();
      const message = 'Internal error in "do": a bug.';
      expect(outcome).toMatchObject({ is, failure: { kind: 'internal', message } });
      expect(traced.join()).toContain('call.test.ts');
    },
  );

  it('streams output, except for a task with no_log', async () => {
    expect((await tryCall({})).signals).toMatchObject([
      { t: 'output', text: 'text', of: '7.1.stdout' },
    ]);
    expect((await tryCall({ task: { noLog: true } })).signals).toEqual([]);
  });
});

function unreachable(): ConnectError {
  return new ConnectError('no route', { host: 'h1', stage: 'connect', retryable: true });
}
