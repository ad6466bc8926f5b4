import { describe, expect, it } from 'vitest';
import { Chance } from '../../src/sim/chance.ts';
import type { Disturbance } from '../../src/sim/model-run.ts';
import { SimulatedRun } from '../../src/sim/simulate.ts';

/** A run of the given tasks on model hosts, without a generated scenario. */
function run(
  tasks: object[],
  { hosts = ['h1'], handlers = [] as object[], play = {} } = {},
): SimulatedRun {
  const playbook = JSON.stringify([{ name: 'Play', hosts: 'all', ...play, handlers, tasks }]);
  const found = { '/etc/app.conf': 'old\n' };
  const files = Object.fromEntries(hosts.map((host) => [host, found]));
  const scenario = { hosts, groups: { all: hosts }, playbook, files, toleratesFailures: false };
  return new SimulatedRun(scenario, new Chance(1));
}

const copy = { name: 'Copy', copy: { content: 'new\n', dest: '/srv/a' } };
const fail = { name: 'Fail', command: 'fail', undo: { none: 'It changes nothing.' } };
const restart = { name: 'Restart', service: { name: 'app', state: 'restarted' } };
const configure = (content: string, notify = 'Restart') => ({
  ...{ name: `Write ${content}`, copy: { content, dest: '/etc/app.conf' }, notify },
});
const flush = { name: 'Flush', meta: 'flush_handlers' };
const put = {
  ...{ name: 'Put', command: 'put /srv/a first' },
  capture: [{ name: 'Read', command: { cmd: 'show /srv/a', read_only: true }, register: 'found' }],
  undo: [{ name: 'Restore', command: 'restore /srv/a {{captured.found.stdout}}' }],
};
const patient = {
  ...{ name: 'Patient', command: 'flaky 2', retries: 2, delay: 5, register: 'tried' },
  undo: { none: 'It changes nothing.' },
};

describe('bugs that the simulation found', () => {
  it('unlocks a host whose answer to the lock request was lost', async () => {
    for (const kind of ['lost-answer', 'never'] as const) {
      const one = run([copy]);
      const fault: Disturbance['fault'] = (_, { control }) => (control?.lock ? kind : undefined);
      await one.process('play', { fault });
      expect(one.hosts.map(({ lock }) => lock)).toEqual([undefined]);
    }
  });

  it('unlocks a host whose answer to the lock request arrived after the process was killed', async () => {
    let isOpen = false;
    for (let killAt = 1; killAt < 30; killAt++) {
      const one = run([copy, fail]);
      await one.process('play', { killAt });
      isOpen ||= one.hosts.some(({ lock }) => lock !== undefined);
      if (!one.run()) continue;
      await one.process('rollback', {});
      expect(one.hosts.map(({ lock }) => lock)).toEqual([undefined]);
    }
    expect(isOpen).toBe(true);
  });

  it('keeps the lock of a host with changes when a resumed run cannot lock another', async () => {
    const one = run([copy, fail], { hosts: ['h1', 'h2'] });
    await one.process('play', { killAt: 40 });
    expect(one.hosts.map(({ lock }) => lock?.run)).toEqual(['simulated', 'simulated']);
    await one.process('rollback', {
      fault: (host, { control }) => (host === 'h2' && control?.lock ? 'never' : undefined),
    });
    expect(one.story.at(-1)).toContain('did not answer');
    expect(one.hosts[0]?.lock?.run).toBe('simulated');
  });

  it('changes no host that it could not lock', async () => {
    const locks: unknown[] = [];
    for (let killAt = 1; killAt < 60; killAt++) {
      const one = run([copy]);
      let asked = 0;
      await one.process('play', {
        fault: (_, { control }) => (control?.lock && asked++ === 0 ? 'lost-request' : undefined),
        killAt,
      });
      const isChanged = one.hosts[0]?.tree.get('/srv/a') !== undefined;
      if (isChanged && one.state() === 'running') locks.push(one.hosts[0]?.lock?.run);
    }
    expect(new Set(locks)).toEqual(new Set(['simulated']));
  });

  it('restarts a service again after the undo of a step that failed after writing its file', async () => {
    const rescued = { name: 'B', block: [configure('first')], rescue: [configure('second')] };
    const one = run([rescued, flush, fail], { handlers: [restart] });
    const before = one.hosts.map((host) => host.lines());
    let isLost = false;
    await one.process('play', {
      fault: (_, { change }) => {
        if (isLost || !change) return undefined;
        isLost = true;
        return 'lost-answer';
      },
    });
    expect(one.state()).toBe('rolled_back');
    expect(one.hosts.map((host) => host.lines())).toEqual(before);
  });

  it('restores the file that a handler wrote, and restarts the service then', async () => {
    const write = { ...configure('written by a handler\n'), name: 'Write' };
    const one = run([{ ...copy, notify: 'Write' }, flush, fail], { handlers: [write, restart] });
    const before = one.hosts.map((host) => host.lines());
    await one.process('play', {});
    expect(one.state()).toBe('rolled_back');
    expect(one.hosts.map((host) => host.lines())).toEqual(before);
  });

  it('restarts a service again after the undo of all steps that wrote its file', async () => {
    const interrupted = { ...configure('first'), notify: 'Never' };
    const rescued = { name: 'B', block: [interrupted], rescue: [configure('second')] };
    const never = { name: 'Never', command: 'ok' };
    const unannounced = { ...configure('earlier'), notify: [] };
    const one = run([unannounced, rescued, flush, fail], { handlers: [never, restart] });
    const before = one.lines();
    let changes = 0;
    await one.process('play', {
      fault: (_, { change }) => (change && ++changes === 2 ? 'lost-answer' : undefined),
    });
    expect(one.state()).toBe('rolled_back');
    expect(one.lines()).toEqual(before);
  });

  it('runs a handler in a resumed run for a change whose undo was interrupted', async () => {
    const once = { name: 'Once', command: 'flaky 1', undo: { none: 'It changes nothing.' } };
    const tasks = [{ commit: 'Point', irreversible: 'It is.' }, configure('new'), once];
    const undisturbed = run(tasks, { handlers: [restart] });
    await undisturbed.process('play', {});
    expect(undisturbed.state()).toBe('past_no_return');
    const { calls } = undisturbed;
    await undisturbed.process('resume', {});
    const wanted = undisturbed.lines();
    let interrupted = 0;
    for (let killAt = 1; killAt < calls; killAt++) {
      const one = run(tasks, { handlers: [restart] });
      await one.process('play', { killAt });
      if ((one.run()?.rollbacks ?? 0) === 0) continue;
      interrupted++;
      await one.process('resume', {});
      expect(one.lines()).toEqual(wanted);
    }
    expect(interrupted).toBeGreaterThan(10);
  });

  it.each(['batch', 'end'])(
    'rolls a tolerated host back after "commit: %s" when the first rollback failed',
    async (commit) => {
      const failsOn = { ...fail, command: 'fail-on h2' };
      const play = { max_failures: 1, commit };
      const one = run([copy, failsOn], { hosts: ['h1', 'h2'], play });
      const [, before] = one.lines();
      let isRollingBack = false;
      await one.process('play', {
        watch: ({ t }) => (isRollingBack ||= t === 'rollback'),
        fault: (host, { change }) =>
          isRollingBack && host === 'h2' && change ? 'never' : undefined,
      });
      expect(one.state()).toBe('done_open');
      const [done] = one.lines();
      await one.process('rollback', {});
      expect(one.lines()).toEqual([done, before]);
    },
  );

  it('runs steps again in a resumed run after the undo of their block replaced theirs', async () => {
    const once = { name: 'Once', command: 'flaky 1', undo: { none: 'It changes nothing.' } };
    const remove = [{ name: 'Remove', command: 'restore /srv/a absent' }];
    const block = { name: 'B', block: [copy], undo: { replace: true, tasks: remove } };
    const one = run([{ commit: 'Point', irreversible: 'It is.' }, block, once]);
    await one.process('play', {});
    expect(one.hosts[0]?.tree.get('/srv/a')).toBeUndefined();
    await one.process('resume', {});
    expect(one.hosts[0]?.tree.get('/srv/a')?.content.toString()).toBe('new\n');
  });

  it('resumes after a point of no return, also when a commit point follows it', async () => {
    const once = { name: 'Once', command: 'flaky 1', undo: { none: 'It changes nothing.' } };
    const second = { name: 'Second', copy: { content: 'second\n', dest: '/srv/b' } };
    const noReturn = { commit: 'Point', irreversible: 'It is.' };
    const one = run([copy, noReturn, second, { commit: 'After' }, put, once]);
    await one.process('play', {});
    expect(one.state()).toBe('past_no_return');
    const [lines] = one.lines();
    expect(lines?.filter((line) => line.startsWith('/srv/'))).toHaveLength(2);
    await one.process('resume', {});
    expect(one.state()).toBe('done');
  });

  it('runs a handler again before the handler that it notifies', async () => {
    const first = { name: 'First', command: 'ok', notify: 'Restart' };
    const one = run([configure('new', 'First'), flush, fail], { handlers: [first, restart] });
    const before = one.hosts.map((host) => host.lines());
    await one.process('play', {});
    expect(one.state()).toBe('rolled_back');
    expect(one.hosts.map((host) => host.lines())).toEqual(before);
  });

  it('resumes an interrupted rescue, and does not retry the failed step', async () => {
    const tasks = [
      {
        name: 'Block',
        block: [{ ...fail, command: 'flaky 1' }, copy],
        rescue: [put, { name: 'Second', copy: { content: 'second\n', dest: '/srv/b' } }],
      },
    ];
    const undisturbed = run(tasks);
    await undisturbed.process('play', {});
    const wanted = undisturbed.hosts.map((host) => host.lines());
    let resumed = 0;
    for (let killAt = 1; killAt < undisturbed.calls; killAt++) {
      const one = run(tasks);
      await one.process('play', { killAt });
      if ((one.run()?.rescued.size ?? 0) === 0) continue;
      resumed++;
      await one.process('resume', {});
      expect(one.hosts.map((host) => host.lines())).toEqual(wanted);
    }
    expect(resumed).toBeGreaterThan(10);
  });

  describe.each<[string, object]>([
    ['a rescue', { block: [patient], rescue: [copy] }],
    ['a failure that is ignored', { ...patient, ignore_errors: true }],
    ['a failure that "failed_when" accepts', { ...patient, failed_when: 'false' }],
  ])('a run that is interrupted between two attempts, and resumed, with %s', (_, task) => {
    it('retries like an undisturbed run', async () => {
      const show = { name: 'Show', command: 'put /srv/code {{tried.rc}}', undo: 'none' };
      const tasks = [{ name: 'Task', ...task }, show];
      const undisturbed = run(tasks);
      await undisturbed.process('play', {});
      const wanted = undisturbed.lines();
      let stopped = 0;
      for (let stopAt = 1; stopAt < undisturbed.calls; stopAt++) {
        const one = run(tasks);
        await one.process('play', { stopAt });
        if (one.state() !== 'stopped') continue;
        stopped++;
        await one.process('resume', {});
        expect(one.lines()).toEqual(wanted);
      }
      expect(stopped).toBeGreaterThan(10);
    });
  });

  it('reports no difference in a file that a declared undo restored after an automatic one', async () => {
    const one = run([put, copy, fail]);
    const before = one.hosts.map((host) => host.lines());
    await one.process('play', {});
    expect(one.state()).toBe('rolled_back');
    expect(one.hosts.map((host) => host.lines())).toEqual(before);
  });
});
