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

/** Flags of the controller manager on each controller. */
function flags(): Record<string, string>[] {
  return managers.map((name) => {
    const file = join(bench.cluster.lab.host(name).root.dir, 'etc/k0s/k0s.yaml');
    const { spec } = parse(readFileSync(file, 'utf8')) as {
      spec: { controllerManager: { extraArgs: Record<string, string> } };
    };
    return spec.controllerManager.extraArgs;
  });
}

describe('pod eviction in an upgrade', () => {
  it('is delayed by the time limit of the upgrade until every worker has joined', async () => {
    const before = labTree(bench.cluster.lab);
    // The state just before the last worker joins.
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

  it('is not delayed afterwards: controllers restart one at a time without the setting', async () => {
    const { code, stdout, events } = await bench.upgrade();
    expect(code, stdout.slice(-2000)).toBe(0);
    // As in the lab's MKE 3.
    for (const one of flags()) expect(one['node-monitor-grace-period']).toBe('40s');
    expect(hostsIn(events, 'Restart the controller', 'changed')).toHaveLength(3);
    expect(stdout).toMatch(/Pod eviction was held back for \d+ s\./);
  });
});
