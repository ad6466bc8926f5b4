import { describe, expect, it } from 'vitest';
import { ConnectError, TaskError } from '../../src/core/errors.ts';
import type { HostAddress, Identity } from '../../src/core/host.ts';
import { Template } from '../../src/core/value.ts';
import { TargetLine } from '../../src/engine/target-line.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { SteppingClock } from '../helpers/stepping-clock.ts';
import { hostOf, noBecome, taskOf } from '../helpers/tasks.ts';

const patience = { kind: 'await-host', seconds: 10, pauseSeconds: 4, delaySeconds: 3 } as const;
const unreachable = (retryable: boolean) =>
  new ConnectError('no route', { host: 'h1', stage: 'connect', retryable });

/** @param fails errors of the attempts to open or use a session; later attempts succeed */
function line(
  fails: (Error | 'dead' | undefined)[],
  { task, stopsAfter = Infinity }: { task?: Partial<TaskNode>; stopsAfter?: number } = {},
) {
  const opened: (Identity & { port: number | undefined })[] = [];
  const clock = new SteppingClock();
  const session = ({ port }: HostAddress, identity: Identity) => {
    const fault = fails[opened.length];
    opened.push({ ...identity, port });
    if (fault instanceof Error) return Promise.reject(fault);
    return Promise.resolve({
      exchange: () =>
        fault === 'dead'
          ? Promise.reject(unreachable(true))
          : Promise.resolve({ control: {}, reads: [] }),
    });
  };
  const context = {
    ...{ clock, connections: { session }, settings: { becomePassword: 'pass' } },
    ...{ signal: new AbortController().signal, isStopping: () => opened.length >= stopsAfter },
  };
  const scope = new Scope([{ name: 'play', values: { who: 'app' } }]);
  const made = new TargetLine(context, { task: taskOf(task), target: hostOf('h1'), scope });
  return { line: made, opened, clock };
}

describe('the session of a call', () => {
  it('is opened once, on first use', async () => {
    const { line: one, opened } = line([]);
    expect(opened).toEqual([]);
    await Promise.all([one.session(), one.session()]);
    expect(opened).toEqual([
      { user: undefined, method: 'sudo', password: undefined, port: undefined },
    ]);
  });

  it('is opened as the become user of the task, with the password', async () => {
    const become = {
      ...noBecome,
      enabled: true,
      user: new Template('{{who}}'),
      login: { port: 2222 },
    };
    const { line: one, opened } = line([], { task: { become } });
    await one.session();
    expect(opened).toEqual([{ user: 'app', method: 'sudo', password: 'pass', port: 2222 }]);
  });
});

describe('waiting for a host', () => {
  it('starts after the delay, and continues until the host answers', async () => {
    const { line: one, opened, clock } = line([unreachable(true), 'dead']);
    await one.await(patience, { check: false });
    expect(clock.sleeps).toEqual([3000, 4000, 4000]);
    await one.session();
    expect(opened).toHaveLength(3);
  });

  it('has no delay in check mode', async () => {
    const { line: one, clock } = line([]);
    await one.await(patience, { check: true });
    expect(clock.sleeps).toEqual([]);
  });

  it.each([
    ['the time limit is exceeded', Array(9).fill(unreachable(true)), {}, 4],
    ['an error cannot be retried', [unreachable(false)], {}, 1],
    ['the host refuses the user', [new TaskError('no')], {}, 1],
    ['the operator interrupts the run', Array(9).fill(unreachable(true)), { stopsAfter: 2 }, 2],
  ] as [string, Error[], { stopsAfter?: number }, number][])(
    'ends when %s',
    async (_, fails, wishes, tries) => {
      const { line: one, opened } = line(fails, wishes);
      await expect(one.await(patience, { check: false })).rejects.toBe(fails[tries - 1]);
      expect(opened).toHaveLength(tries);
      await expect(one.session()).rejects.toBe(fails[tries - 1]);
    },
  );
});
