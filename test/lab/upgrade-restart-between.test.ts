import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { labTree } from '../../src/lab/tree.ts';
import { packageRoot } from '../../src/util/package.ts';
import { hostsIn } from '../helpers/cli.ts';
import { shippedUpgrade, UpgradeBench, upgradeWithRestart } from '../helpers/upgrade.ts';

interface Step {
  name: string;
  loop?: unknown[];
  [keyword: string]: unknown;
}

const ROLE = join(packageRoot(), 'roles/mke3_stop_node');
const stepsOf = (file: string): Step[] =>
  parse(readFileSync(join(ROLE, 'tasks', file), 'utf8'), { merge: true }) as Step[];

/** Converts each loop item to a separate step, so that a restart can happen between two. */
const oneByOne = ({ loop, ...step }: Step): Step[] =>
  loop
    ? loop.map((item) => ({ ...step, name: `${step.name}: ${String(item)}`, vars: { item } }))
    : [step];
const steps = ['disable.yml', 'stop.yml'].flatMap(stepsOf).flatMap(oneByOne);

const recorded = steps.findIndex(({ register }) => register === 'mke3_containers') + 1;
/** All positions after the step that records the running containers, except the end. */
const places = steps
  .map((step, index) => [step.name, index] as const)
  .filter(([, index]) => index >= recorded);

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

const RESTART = { name: 'Restart the host', reboot: {}, undo: { none: 'it happens to a host' } };

describe('a host that restarts while MKE 3 is disabled and stopped', () => {
  it('is tested at several positions', () => {
    expect(places.length).toBeGreaterThan(6);
  });

  it.each(places)('is restored after a restart before "%s"', async (_name, index) => {
    const before = labTree(bench.cluster.lab);
    bench.cli.file(
      'roles/mke3_stop_node/tasks/main.yml',
      stringify(steps.toSpliced(index, 0, RESTART)),
    );
    bench.cli.file('roles/mke3_stop_node/meta/main.yml', 'description: With a restart.\n');
    const { fingerprint, rollback } = parse(shippedUpgrade(), {
      customTags: [{ tag: '!raw', resolve: (text: string) => `raw ${text}` }],
    }) as { fingerprint: { name: string }[]; rollback: object };
    const services = fingerprint.find(({ name }) => name === 'States of services');
    const playbook = bench.cli.file(
      'stop.yml',
      stringify({
        ...{ name: 'Stop MKE 3', become: true, rollback, fingerprint: [services] },
        plays: [
          {
            ...{ name: 'Stop', hosts: 'all', roles: ['mke3_stop_node'] },
            tasks: [{ name: 'Fail', fail: 'on purpose' }],
          },
        ],
      }),
    );
    const hosts = bench.cluster.lab.files.hosts;
    const { code, stdout, stderr } = await bench.cli.run(['play', playbook, '-i', hosts]);
    expect(code, stdout + stderr).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('is restored by the shipped upgrade if a manager restarts after MKE 3 is disabled and before it is stopped', async () => {
    const before = labTree(bench.cluster.lab);
    const playbook = bench.cli.file('upgrade-restart.yml', upgradeWithRestart('manager1'));
    const { code, events, stderr } = await bench.upgrade(['--fail-at', 'last'], {}, playbook);
    expect(code, stderr).toBe(3);
    expect(hostsIn(events, 'Restart a host', 'changed')).toHaveLength(1);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});
