import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { labTree } from '../../src/lab/tree.ts';
import { hostsIn } from '../helpers/cli.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 3, workers: 1 });
});
afterEach(() => bench.stop());

const managers = ['manager1', 'manager2', 'manager3'];

/** Flags of the controller manager in the configuration of each controller. */
function flags(): Record<string, string>[] {
  return managers.map((name) => {
    const file = join(bench.cluster.lab.host(name).root.dir, 'etc/k0s/k0s.yaml');
    const { spec } = parse(readFileSync(file, 'utf8')) as {
      spec: { controllerManager: { extraArgs: Record<string, string> } };
    };
    return spec.controllerManager.extraArgs;
  });
}

describe('eviction of pods in an upgrade', () => {
  it('is held back for the time limit of the upgrade until every worker has joined', async () => {
    const before = labTree(bench.cluster.lab);
    // Left as it is when the last worker was about to join.
    const { code, stdout } = await bench.upgrade([
      ...['--upgrade-timeout-minutes', '45', '--fail-at', 'Revoke the worker token'],
      ...['--on-failure', 'stop'],
    ]);
    expect(code, stdout.slice(-2000)).toBe(5);
    for (const one of flags()) expect(one['node-monitor-grace-period']).toBe('55m0s');
    const { code: rolledBack } = await bench.cli.run(['rollback']);
    expect(rolledBack).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('works as usual afterwards: controllers restart one at a time without the hold', async () => {
    const { code, stdout, events } = await bench.upgrade();
    expect(code, stdout.slice(-2000)).toBe(0);
    // As the lab's MKE 3 has it.
    for (const one of flags()) expect(one['node-monitor-grace-period']).toBe('40s');
    expect(hostsIn(events, 'Restart the controller', 'changed')).toHaveLength(3);
    expect(stdout).toMatch(/Pod eviction was held back for \d+ s\./);
  });
});
