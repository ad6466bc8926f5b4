import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { labTree } from '../../src/lab/tree.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start();
});
afterEach(() => bench.stop());

const isStep = (event: RunEvent, name: string): boolean =>
  event.type === 'step-start' && event.step.name === name;

/** One step of each phase that changes hosts. */
const steps = [
  'Back up MKE 3',
  'Stop what writes to etcd',
  'Stop the containers of MKE 3',
  'Restore the snapshot into the etcd of k0s',
  'Start the controller',
  'Install the worker',
];

describe('kill -9 of the runner', () => {
  for (const step of steps) {
    it(`during "${step}", then rollback`, async () => {
      const before = labTree(bench.cluster.lab);
      const killed = await bench.spawn([], {
        onEvent: (event, child) => {
          if (isStep(event, step)) child.kill('SIGKILL');
        },
      });
      expect(killed.code).toBeNull();
      const refused = await bench.upgrade();
      expect(refused.code).toBe(7);
      expect(refused.stderr).toContain('runner rollback');
      const { code, stdout } = await bench.cli.run(['rollback']);
      expect(stdout).toContain('verified: all is as before');
      expect(code).toBe(3);
      expect(labTree(bench.cluster.lab)).toEqual(before);
    });
  }

  it('then resume ends as a run that was never cut off', async () => {
    await bench.spawn([], {
      onEvent: (event, child) => {
        if (isStep(event, 'Install the controller')) child.kill('SIGKILL');
      },
    });
    const { code, events } = await bench.cli.run(['resume', '--output', 'json']);
    expect(code).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'done' });
  });

  it('during the rollback, which then is finished by another', async () => {
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

describe('behind the point of no return', () => {
  it('says so, and resume goes forward', async () => {
    const failed = await bench.upgrade(['--fail-at', 'Leave the Swarm']);
    expect(failed.code).toBe(6);
    expect(failed.stdout).toContain('Failed past the point of no return');
    const { code } = await bench.cli.run(['resume', '--output', 'json']);
    expect(code).toBe(0);
  });
});

describe('a cut line', () => {
  it('is a failure of that host, and all hosts go back once it answers again', async () => {
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

  it('is waited for by the rollback, which then goes all the way', async () => {
    const before = labTree(bench.cluster.lab);
    const host = bench.cluster.lab.host('worker1');
    const { code, events } = await bench.upgrade([], {
      onEvent: (event) => {
        if (isStep(event, 'Install the worker')) host.server.setFault({ refuse: true });
        if (event.type === 'message' && event.text.includes('cannot be reached; tried again'))
          host.server.setFault({});
      },
    });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'rolled_back' });
    expect(code).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});

describe('an interrupt', () => {
  it('leaves the changes and prints how to go on', async () => {
    const stopped = await bench.spawn([], {
      onEvent: (event, child) => {
        if (isStep(event, 'Stop what writes to etcd')) child.kill('SIGINT');
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'interrupted' });
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
  });
});
