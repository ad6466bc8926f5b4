import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 3, workers: 0 });
});
afterEach(() => bench.stop());

const shared = (...path: string[]) => join(bench.cluster.lab.files.shared, ...path);
/** Renames a member of k0s's etcd. */
function rename(from: string, to: string): void {
  const member = (name: string) => shared('k0s/controllers', name);
  if (!existsSync(member(from))) return;
  writeFileSync(shared('addresses', to), readFileSync(shared('addresses', from)));
  renameSync(member(from), member(to));
}

describe('etcd members in an upgrade', () => {
  it('must match the names of the controllers before another one joins', async () => {
    const { code, events, stdout } = await bench.upgrade([], {
      onEvent: (event) => {
        if (event.type === 'step-end' && event.step.name === 'Revoke the controller token')
          rename('manager2', 'stranger');
        if (event.type === 'rollback-start') {
          rename('stranger', 'manager2');
          rmSync(shared('addresses/stranger'), { force: true });
        }
      },
    });
    expect(code, stdout).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining(
        '"Check that every controller lists the same etcd members" failed',
      ) as string,
    });
  });

  it('are compared on every MKE 3 manager after a rollback', async () => {
    const { code, events, stdout } = await bench.upgrade(
      ['--fail-at', 'Stop the MKE 3 containers'],
      {
        onEvent: (event) => {
          // In the lab, the Swarm managers are the members of the MKE 3 etcd.
          if (event.type === 'rollback-start')
            writeFileSync(shared('swarm/nodes/manager3/address'), '127.0.0.99\n');
        },
      },
    );
    expect(code, stdout).toBe(4);
    const different = events.filter((event) => event.type === 'fingerprint' && !event.equal);
    expect(different.map((event) => ('name' in event ? event.name : ''))).toEqual([
      ...['Members of etcd', 'Members of etcd', 'Members of etcd'],
    ]);
  });
});
