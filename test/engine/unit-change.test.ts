import { describe, expect, it } from 'vitest';
import { exec } from '../../src/core/action.ts';
import { ConnectError } from '../../src/core/errors.ts';
import type { HostSession } from '../../src/core/host.ts';
import { localHost } from '../../src/core/inventory.ts';
import { createRegistry, HostCopy, type Module, type Plan } from '../../src/core/module.ts';
import type { PlannedCall } from '../../src/engine/call.ts';

import { UnitChange, type UnitParts } from '../../src/engine/unit-change.ts';
import { Log } from '../../src/journal/log.ts';
import { plainTask, type TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { runRecord, stepRecord } from '../helpers/records.ts';

const at = { file: 'p.yml', line: 1, column: 1 };
const become = { enabled: false, user: 'root', method: 'sudo' as const };
const taskOf = (module: string, more: Partial<TaskNode> = {}): TaskNode => ({
  ...plainTask({ id: `p/${module}`, name: module, at, module, args: {}, become }),
  ...more,
});
const module: Module = {
  ...{ name: 'look', summary: '', args: { type: 'object' }, effect: 'reads' },
  plan: () => ({ actions: [exec('look')] }),
};
const plan: Plan = {
  actions: [exec('write')],
  undo: { calls: [{ module: 'restore', args: { from: new HostCopy('/etc/a') } }] },
};

interface Given {
  task?: Partial<TaskNode>;
  plan?: Plan;
  /** Exit code or error of the capture task. */
  look?: number | Error;
  unreachable?: ConnectError;
}

/** A change, its planned call, and a log with its step. */
function given(more: Given = {}): { change: UnitChange; planned: PlannedCall; log: Log } {
  const log = Log.inMemory(new Redactor());
  log.write(runRecord({ hosts: ['localhost'] }));
  log.write(stepRecord(1, ['localhost']));
  const { look = 0, unreachable } = more;
  const session: HostSession = {
    exchange: () =>
      look instanceof Error
        ? Promise.reject(look)
        : Promise.resolve({
            ...{ control: {}, reads: [] },
            change: { outputs: [{ code: look, stdout: 'active', stderr: '' }] },
          }),
  };
  const context = {
    modules: createRegistry([module]),
    connections: { session: () => Promise.resolve(session) },
    settings: { check: false, diff: false },
    signal: new AbortController().signal,
    isStopping: () => false,
    locks: { ensure: () => Promise.resolve() },
    log,
  } as unknown as UnitParts;
  const change = new UnitChange(context, {
    ...{ number: 7, task: taskOf('change', more.task), host: localHost, target: localHost },
    step: { id: 'p/change', number: 1, play: 'P', name: 'C', module: 'change', at, handler: false },
    ...{ scope: new Scope([]), item: undefined, directories: [], handler: undefined, notifies: [] },
    shared: undefined,
    hiddenNames: new Set(),
  });
  const open = () => (unreachable ? Promise.reject(unreachable) : Promise.resolve(session));
  return { change, log, planned: { module, args: {}, plan: more.plan ?? plan, session: open } };
}

describe('a change', () => {
  it('is recorded once, with its undo and the paths that the undo needs copies of', async () => {
    const { change, planned, log } = given();
    expect(change.copies).toBeUndefined();
    await change.begin(planned);
    await change.begin({ ...planned, plan: { actions: [] } });
    expect(change.copies).toEqual(['/etc/a']);
    const { actions, undo } = log.state.units.get(7)?.whole() ?? {};
    expect(actions).toEqual(['exec write']);
    expect(undo?.body).toEqual({
      kind: 'auto',
      calls: [{ module: 'restore', args: { from: { copyOf: '/etc/a', unit: 7 } } }],
    });
  });

  it('records what its capture tasks register, with any exit code', async () => {
    const capture = [taskOf('look', { register: 'was' })];
    const { change, planned, log } = given({ task: { capture }, look: 3 });
    await change.begin(planned);
    const { captured } = log.state.units.get(7)?.whole().undo ?? {};
    expect(captured).toMatchObject({ was: { rc: 3, stdout: 'active' } });
  });

  it.each<[string, Given, string]>([
    [
      'a capture task gets no answer',
      { task: { capture: [taskOf('look')] }, look: lost('the line broke') },
      'Cannot capture the previous state ("look"): the line broke',
    ],
    ['the host is unreachable', { unreachable: lost('no route') }, 'no route'],
    [
      'the previous state cannot be restored',
      { plan: { actions: [], undo: { calls: [], impossible: 'a socket' } } },
      'a socket',
    ],
  ])('is not recorded if %s', async (_title, more, message) => {
    const { change, planned, log } = given(more);
    await expect(change.begin(planned)).rejects.toThrow(message);
    expect(change.copies).toBeUndefined();
    expect(log.state.units.size).toBe(0);
  });

  it('with no_log is recorded without arguments and actions', async () => {
    const { change, planned, log } = given({ task: { noLog: true } });
    await change.begin({ ...planned, args: { password: 'x' } });
    expect(log.state.units.get(7)?.whole()).toMatchObject({ args: {}, actions: [] });
  });
});

function lost(message: string): ConnectError {
  return new ConnectError(message, { host: 'h1', stage: 'connect', retryable: true });
}
