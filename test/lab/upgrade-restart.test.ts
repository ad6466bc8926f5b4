import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import type { LabHost } from '../../src/lab/lab.ts';
import { labTree } from '../../src/lab/tree.ts';
import { eventually } from '../helpers/eventually.ts';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 3, workers: 2 });
});
afterEach(() => bench.stop());

const restart = async (name: string): Promise<void> => {
  const { root } = bench.cluster.lab.host(name);
  const before = root.bootId();
  root.spawn('systemctl reboot');
  await eventually(() => root.bootId() !== before);
};

const activeUnit = ({ root }: LabHost): string | undefined =>
  ['k0scontroller', 'k0sworker'].find((unit) =>
    existsSync(join(root.dir, 'var/lib/lab/systemd', `${unit}.service.active`)),
  );

const runningContainers = ({ root }: LabHost, names: readonly string[]): string[] =>
  names.filter((name) => {
    const file = join(root.dir, 'var/lib/lab/docker/containers', name, 'state');
    return existsSync(file) && readFileSync(file, 'utf8').trim() === 'running';
  });

const startsPlay = (event: RunEvent, play: string): boolean =>
  event.type === 'play-start' && event.play === play && event.batch === 1;

describe('a host that restarts during the shipped upgrade', () => {
  it('starts k0s and not MKE 3, both after its migration and after the upgrade', async () => {
    // k0s releases before v1.29.4 read their token file at every start.
    const file = bench.cli.file(
      'k0s',
      readFileSync(bench.cluster.k0sBinary, 'utf8').replace(
        /^version=.*$/m,
        'version=v1.29.3+k0s.0',
      ),
    );
    const older = ['--k0s-version', 'v1.29.3+k0s.0', '--k0s-binary', file];
    const { code, events } = await bench.upgrade(older, {
      onEvent: (event) => {
        if (startsPlay(event, 'Migrate worker nodes to k0s')) void restart('manager2');
      },
    });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'done' });
    expect(code).toBe(0);
    expect(activeUnit(bench.cluster.lab.host('manager2'))).toBe('k0scontroller');

    // After the upgrade, restart one host at a time. Each needs its token file, although the token is revoked.
    for (const { name, root } of bench.cluster.lab.hosts) {
      await restart(name);
      const unit = name.startsWith('manager') ? 'k0scontroller' : 'k0sworker';
      await eventually(() => activeUnit(bench.cluster.lab.host(name)) === unit);
      const token = join(root.dir, 'etc/k0s/k0stoken');
      if (name !== 'manager1') expect(statSync(token).mode & 0o777).toBe(0o600);
    }
    const tokens = join(bench.cluster.lab.files.shared, 'k0s/tokens');
    expect(readdirSync(tokens)).toEqual([]);
  });

  it('does not start MKE 3 if it restarts before k0s is installed; a rollback restores the restart policies', async () => {
    const before = labTree(bench.cluster.lab);
    const names = ['ucp-kube-apiserver', 'ucp-kv', 'ucp-kubelet'];
    const manager = bench.cluster.lab.host('manager3');
    let restarted: Promise<string[]> | undefined;
    const { code } = await bench.upgrade(['--fail-at', 'last'], {
      onEvent: (event) => {
        if (event.type === 'step-start' && event.step.name === 'Stop the pod containers')
          restarted ??= restart('manager3').then(() => runningContainers(manager, names));
      },
    });
    expect(code).toBe(3);
    expect(await restarted).toEqual([]);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });
});
