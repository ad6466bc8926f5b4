import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labTree } from '../../src/lab/tree.ts';
import { hostsIn } from '../helpers/cli.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

const attached = (node: string, kind: string): string =>
  join(bench.cluster.lab.files.shared, 'k0s/marks', node, kind);

/** Labels of a node in the k0s API, as NAME=VALUE. */
function labels(node: string): string[] {
  const directory = attached(node, 'labels');
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${relative(directory, file)}=${readFileSync(file, 'utf8').trim()}`)
    .sort();
}

const taints = (node: string): string[] =>
  readFileSync(attached(node, 'taints'), 'utf8').split('\n').filter(Boolean);

describe('nodes after an upgrade', () => {
  it('have the role labels of MKE 4 and none of the labels and taints of MKE 3', async () => {
    const { code, stdout } = await bench.upgrade();
    expect(code, stdout.slice(-2000)).toBe(0);
    expect(labels('manager1')).toEqual([
      'kubernetes.io/hostname=manager1',
      'node-role.kubernetes.io/master=',
      'node.k0sproject.io/role=control-plane',
    ]);
    expect(taints('manager1')).toEqual([]);
    expect(labels('worker1')).toEqual(['kubernetes.io/hostname=worker1']);
    expect(stdout).toContain('Managers run user pods, as in MKE 3.');
  });

  it('have a taint against user pods on managers if MKE 3 did not allow them', async () => {
    const { api } = bench.cluster;
    const { toml } = api;
    const setting = 'enable_admin_ucp_scheduling = true';
    expect(toml).toContain(setting);
    api.toml = toml.replace(setting, setting.replace('true', 'false'));
    try {
      const { code, stdout } = await bench.upgrade();
      expect(code, stdout.slice(-2000)).toBe(0);
      expect(taints('manager1')).toEqual(['node-role.kubernetes.io/master:NoSchedule']);
      expect(taints('worker1')).toEqual([]);
      expect(stdout).toContain('Managers run no user pods, as in MKE 3');
    } finally {
      api.toml = toml;
    }
  });

  it("must be able to reach each other's pods before the point of no return", async () => {
    const before = labTree(bench.cluster.lab);
    // The k0s stand-in reads the pod addresses from here. Nothing listens on this address.
    const address = join(bench.cluster.lab.files.shared, 'addresses/worker1');
    const { code, events } = await bench.upgrade(
      ['--extra-vars', 'timeout:=2', '--extra-vars', 'attempts:=2'],
      {
        onEvent: (event) => {
          if (
            event.type === 'play-start' &&
            event.play === 'Post-upgrade cleanup: check the network'
          )
            writeFileSync(address, '127.0.9.9\n');
        },
      },
    );
    expect(code).toBe(3);
    expect(hostsIn(events, 'Connect to the pods on all nodes', 'failed')).toHaveLength(4);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('port 2222 of 127.0.9.9 is closed') as string,
    });
    writeFileSync(address, `${bench.cluster.lab.host('worker1').address}\n`);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});
