import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpgradeBench } from '../helpers/upgrade.ts';

const NAME = 'mke.example.com';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start();
});
afterEach(() => bench.stop());

/** Makes the external name resolve to this host on all hosts. */
function resolveTo(name: string): void {
  const { address } = bench.cluster.lab.host(name);
  for (const { root } of bench.cluster.lab.hosts) {
    const file = join(root.dir, 'etc/hosts');
    const others = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !line.includes(NAME));
    writeFileSync(file, [...others, `${address} ${NAME}`, ''].join('\n'));
  }
}

/** Hosts on which k0s starts first. */
async function firstControllers(externalAddress: string): Promise<string[]> {
  const { code, events, stderr } = await bench.upgrade([
    ...['--external-address', externalAddress, '--fail-at', 'Start the controller'],
  ]);
  expect(code, stderr).toBe(3);
  const started = events.find(
    (event) => event.type === 'step-start' && event.step.name === 'Start the controller',
  );
  const addresses = started?.type === 'step-start' ? started.hosts : [];
  return addresses.map(
    (one) => bench.cluster.lab.hosts.find(({ address }) => address === one)?.name ?? one,
  );
}

// Its kubelet connects to the API at the external address (with k0s v1.29.15, it otherwise waited forever).
describe('the first controller of an upgrade', () => {
  it('is the manager that has the external address', async () => {
    expect(await firstControllers(bench.cluster.lab.host('manager2').address)).toEqual([
      'manager2',
    ]);
  });

  it('is the manager to which the external name resolves', async () => {
    resolveTo('manager3');
    expect(await firstControllers(NAME)).toEqual(['manager3']);
  });

  it('is the Swarm leader if the external name does not resolve to a manager', async () => {
    expect(await firstControllers(NAME)).toEqual(['manager1']);
  });
});
