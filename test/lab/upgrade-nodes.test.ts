import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

/** What the API of k0s has attached to a node. */
function marks(node: string, kind: 'labels' | 'taints'): string[] {
  const file = join(bench.cluster.lab.files.shared, 'k0s/marks', node, kind);
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).sort();
}

describe('nodes after an upgrade', () => {
  it('have the role labels of MKE 4 and none of the labels and taints of MKE 3', async () => {
    const { code, stdout } = await bench.upgrade();
    expect(code, stdout.slice(-2000)).toBe(0);
    expect(marks('manager1', 'labels')).toEqual([
      'kubernetes.io/hostname=manager1',
      'node-role.kubernetes.io/master=',
      'node.k0sproject.io/role=control-plane',
    ]);
    expect(marks('manager1', 'taints')).toEqual([]);
    expect(marks('worker1', 'labels')).toEqual(['kubernetes.io/hostname=worker1']);
    expect(stdout).toContain('Managers run pods of users, as in MKE 3.');
  });

  it('keep pods of users away from managers where MKE 3 did', async () => {
    const { api } = bench.cluster;
    const { toml } = api;
    const setting = 'enable_admin_ucp_scheduling = true';
    expect(toml).toContain(setting);
    api.toml = toml.replace(setting, setting.replace('true', 'false'));
    try {
      const { code, stdout } = await bench.upgrade();
      expect(code, stdout.slice(-2000)).toBe(0);
      expect(marks('manager1', 'taints')).toEqual(['node-role.kubernetes.io/master:NoSchedule']);
      expect(marks('worker1', 'taints')).toEqual([]);
      expect(stdout).toContain('Managers run no pods of users, as in MKE 3');
    } finally {
      api.toml = toml;
    }
  });
});
