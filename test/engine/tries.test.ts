import fc from 'fast-check';
import { Condition, Template } from '../../src/core/value.ts';
import { describe, expect, it } from 'vitest';
import { exec } from '../../src/core/action.ts';
import type { HostSession } from '../../src/core/host.ts';
import { localHost } from '../../src/core/inventory.ts';
import { createRegistry, type Module } from '../../src/core/module.ts';
import { messageOf } from '../../src/core/outcome.ts';
import type { CallParts, CallResult } from '../../src/engine/call.ts';
import { runTask } from '../../src/engine/tries.ts';
import { plainTask, type TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';

const at = { file: 'p.yml', line: 1, column: 1 };
const become = { enabled: false, user: 'root', method: 'sudo' as const };
const plain = plainTask({ id: 'p/do', name: 'Do', at, module: 'do', args: {}, become });

interface Ran {
  result: CallResult;
  /** Exit codes of the attempts. */
  codes: number[];
  /** Pauses between them, in milliseconds. */
  pauses: number[];
}

/**
 * Runs a task whose command returns one of these exit codes for each attempt; the last one is
 * repeated.
 */
async function run(
  task: Partial<TaskNode>,
  answers: readonly number[],
  { check = false, stopsAfter = Infinity } = {},
): Promise<Ran> {
  const codes: number[] = [];
  const pauses: number[] = [];
  const session: HostSession = {
    exchange: () => {
      const code = answers[Math.min(codes.length, answers.length - 1)] ?? 0;
      codes.push(code);
      const outputs = [{ code, stdout: '', stderr: 'no' }];
      return Promise.resolve({ control: {}, reads: [], change: { outputs } });
    },
  };
  const module: Module = {
    name: 'do',
    summary: '',
    args: { type: 'object' },
    effect: 'reads',
    plan: () => ({ actions: [exec('do')] }),
  };
  const context = {
    modules: createRegistry([module]),
    connections: { session: () => Promise.resolve(session) },
    clock: { now: () => 0, sleep: (ms: number) => Promise.resolve(void pauses.push(ms)) },
    settings: { check, diff: false },
    signal: new AbortController().signal,
    isStopping: () => codes.length >= stopsAfter,
    emit: () => undefined,
    log: { signal: () => undefined },
  } as unknown as CallParts;
  const result = await runTask(context, {
    ...{ task: { ...plain, ...task }, host: localHost, target: localHost, scope: new Scope([]) },
    step: { id: 'p/do', number: 1, play: 'P', name: 'Do', module: 'do', at, handler: false },
    ...{ directories: [], outputs: '1' },
  });
  return { result, codes, pauses };
}

describe('the attempts of a task', () => {
  it('end with the first success, or with the last retry', async () => {
    const codes = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(codes, fc.nat(5), async (answers, retries) => {
        const { result, codes: tried, pauses } = await run({ retries, delaySeconds: 3 }, answers);
        const success = tried.indexOf(0);
        expect(tried.length).toBeLessThanOrEqual(1 + retries);
        expect(result.outcome.is).toBe(success === -1 ? 'failed' : 'ok');
        if (success !== -1) expect(success).toBe(tried.length - 1);
        else expect(tried).toHaveLength(1 + retries);
        expect(pauses).toEqual(tried.slice(1).map(() => 3000));
        expect(result.outcome.result).toMatchObject({ attempts: tried.length });
      }),
    );
  });

  it('continue until the conditions are true, and fail with the last answer', async () => {
    const until = [new Condition('result.rc == 2')];
    const reached = await run({ until, retries: 5 }, [1, 0, 2]);
    // The exit code 2 ends the attempts, and still counts as a failure.
    expect(reached.codes).toEqual([1, 0, 2]);
    expect(reached.result.outcome).toMatchObject({ is: 'failed', failure: { kind: 'command' } });
    const never = await run({ until, retries: 1 }, [0]);
    expect(never.codes).toEqual([0, 0]);
    expect(messageOf(never.result.outcome)).toBe(
      'Condition still false after 2 attempts: result.rc == 2.',
    );
  });

  it('are not repeated in check mode or during an interruption', async () => {
    expect((await run({ retries: 3 }, [1], { check: true })).codes).toEqual([1]);
    expect((await run({ retries: 3 }, [1], { stopsAfter: 2 })).codes).toEqual([1, 1]);
    const checked = await run({ until: [new Condition('false')], retries: 3 }, [0], {
      check: true,
    });
    expect(checked.result.outcome.is).toBe('ok');
  });

  it('fail if an interruption ends them early, regardless of failed_when', async () => {
    const lenient = { retries: 3, failedWhen: [new Condition('false')] };
    expect((await run(lenient, [1])).result.outcome.is).toBe('ok');
    expect((await run(lenient, [1], { stopsAfter: 4 })).result.outcome.is).toBe('ok');
    expect((await run(lenient, [1], { stopsAfter: 2 })).result.outcome.is).toBe('failed');
    const waiting = { ...lenient, until: [new Condition('result.rc == 2')] };
    const cut = await run(waiting, [0], { stopsAfter: 2 });
    expect(messageOf(cut.result.outcome)).toBe(
      'Condition still false after 2 attempts: result.rc == 2.',
    );
  });

  it('do not start if a limit is not a number', async () => {
    const { result, codes } = await run({ retries: new Template('{{"many"}}') }, [0]);
    expect(messageOf(result.outcome)).toBe('"retries" must be a number of at least 0, not "many".');
    expect(codes).toEqual([]);
  });
});
