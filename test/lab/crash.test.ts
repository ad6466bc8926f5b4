import { afterEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { labTree } from '../../src/lab/tree.ts';
import { randomOf, shuffled } from '../helpers/seed.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

/** Sufficient for tests that need one host of each role. */
const small = { managers: 1, workers: 1 };
/** For steps that run on several managers in parallel, and for a joining manager. */
const large = { managers: 3, workers: 2 };

let bench: UpgradeBench;
const start = async (shape = small): Promise<void> => {
  bench = await UpgradeBench.start(shape);
};
afterEach(() => bench.stop());

const isStep = (event: RunEvent, name: string): boolean =>
  event.type === 'step-start' && event.step.name === name;

/** Plays the upgrade in another process and ends that process with a signal when a step starts. */
const signalAt = (step: string, signal: NodeJS.Signals) =>
  bench.spawn([], {
    onEvent: (event, child) => {
      if (isStep(event, step)) child.kill(signal);
    },
  });

describe('after kill -9 of the runner', () => {
  // A step of each phase that changes hosts. The seed chooses three; test/all/sweep-upgrade.test.ts kills runner at each step.
  const moments: [string, typeof small][] = [
    ['Back up MKE 3', small],
    ['Stop the containers that write to etcd', large],
    ['Stop the MKE 3 containers', small],
    ['Restore the snapshot into the etcd of k0s', small],
    ['Start the controller', small],
    ['Install the worker', large],
  ];
  it.each(shuffled(moments, randomOf('kills')).slice(0, 3))(
    'during "%s", "runner rollback" restores every file of all hosts',
    async (step, shape) => {
      await start(shape);
      const before = labTree(bench.cluster.lab);
      const killed = await signalAt(step, 'SIGKILL');
      expect(killed.code).toBeNull();
      const refused = await bench.upgrade();
      expect(refused.code).toBe(7);
      expect(refused.stderr).toContain('runner rollback');
      const { code, stdout } = await bench.cli.run(['rollback']);
      expect(stdout).toContain('undone), verified.');
      expect(code).toBe(3);
      expect(labTree(bench.cluster.lab)).toEqual(before);
    },
  );

  it('while the second manager joins, "runner resume" completes the upgrade', async () => {
    await start(large);
    const killed = await signalAt('Install the controller', 'SIGKILL');
    expect(killed.code).toBeNull();
    const { code, events } = await bench.cli.run(['resume', '--output', 'json']);
    expect(code).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'done' });
  });

  it('during a rollback, "runner rollback" completes that rollback', async () => {
    await start();
    const before = labTree(bench.cluster.lab);
    let undone = 0;
    const killed = await bench.spawn(['--fail-at', 'last'], {
      onEvent: (event, child) => {
        if (event.type === 'undo-end' && ++undone === 20) child.kill('SIGKILL');
      },
    });
    expect(killed.code).toBeNull();
    const { code } = await bench.cli.run(['rollback']);
    expect(code).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});

describe('a failure after the point of no return', () => {
  it('ends the run with exit code 6, and "runner resume" completes the upgrade', async () => {
    await start();
    const failed = await bench.upgrade(['--fail-at', 'Leave the Swarm']);
    expect(failed.code).toBe(6);
    expect(failed.stdout).toContain('The run had passed the point of no return');
    const { code } = await bench.cli.run(['resume', '--output', 'json']);
    expect(code).toBe(0);
  });
});

describe('a host that becomes unreachable', () => {
  it('leaves the rollback incomplete without a rollback budget, and a later "runner rollback" completes it', async () => {
    await start();
    const before = labTree(bench.cluster.lab);
    const host = bench.cluster.lab.host('worker1');
    const failed = await bench.upgrade(['--rollback-budget', '0'], {
      onEvent: (event) => {
        if (isStep(event, 'Install the worker')) host.server.setFault({ refuse: true });
      },
    });
    expect(failed.code).toBe(4);
    expect(failed.events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'rollback_incomplete' });
    host.server.setFault({});
    const { code } = await bench.cli.run(['rollback']);
    expect(code).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('is tried again by the rollback, which completes once the host is reachable', async () => {
    await start();
    const before = labTree(bench.cluster.lab);
    const host = bench.cluster.lab.host('worker1');
    const { code, events } = await bench.upgrade([], {
      onEvent: (event) => {
        if (isStep(event, 'Install the worker')) host.server.setFault({ refuse: true });
        if (event.type === 'message' && event.text.includes('Unreachable: '))
          host.server.setFault({});
      },
    });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'rolled_back' });
    expect(code).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});

describe('an interrupt', () => {
  it('leaves the changes in place and prints the command that rolls them back', async () => {
    await start();
    const before = labTree(bench.cluster.lab);
    const stopped = await signalAt('Stop the containers that write to etcd', 'SIGINT');
    expect(stopped.code).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'run-end',
      outcome: 'interrupted',
      next: expect.arrayContaining([expect.stringContaining('runner rollback')]) as string[],
    });
    expect(labTree(bench.cluster.lab)).not.toEqual(before);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});
