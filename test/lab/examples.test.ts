import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

const folder = join(packageRoot(), 'examples');

/** Examples for clusters have a folder `lab` with hosts and a playbook that makes the old state; these are their inputs. */
const clusters: Record<string, string[]> = {
  'k0s-minor': ['--download-url', 'file:///usr/local/lib/lab/k0s-v1.30.9', '--backup-dir', ''],
  'os-patch': [],
  'swarm-engine': ['--docker-version', '24.0.9'],
};
const isCluster = (name: string): boolean => existsSync(join(folder, name, 'lab'));

it('knows the inputs of every example for a cluster', () => {
  expect(readdirSync(folder).filter(isCluster)).toEqual(Object.keys(clusters));
});

describe.each(Object.entries(clusters))('example %s', (name, inputs) => {
  const cli = new Cli();
  afterAll(() => {
    cli.dispose();
  });
  const test = (...extra: string[]) =>
    cli.run(
      [
        ...['test', join(folder, name, 'playbook.yml'), ...inputs],
        ...['--inventory', join(folder, name, 'lab', 'hosts.yml')],
        ...['--prepare', join(folder, name, 'lab', 'prepare.yml'), ...extra],
      ],
      { timeoutMs: 300_000 },
    );

  it('changes nothing when it is played twice', async () => {
    const { code, stdout, stderr } = await test();
    expect(stdout + stderr).toContain('Second play: nothing changed.');
    expect(code).toBe(0);
  }, 300_000);

  it('comes back whatever goes wrong', async () => {
    const { code, stdout, stderr } = await test('--chaos', '--faults', 'fail,kill-effect');
    expect(stdout + stderr).toMatch(/(\d+) cases: \1 came back, 0 did not\.\n$/);
    expect(code).toBe(0);
  }, 300_000);
});

const isPlain = (name: string): boolean =>
  !isCluster(name) && existsSync(join(folder, name, 'playbook.yml'));

describe.each(readdirSync(folder).filter(isPlain))('example %s', (name) => {
  let bench: HostsBench;
  beforeAll(async () => {
    bench = await HostsBench.start(4);
  });
  afterAll(() => bench.stop());

  const play = (...extra: string[]) =>
    bench.cli.run([
      ...['play', join(folder, name, 'playbook.yml'), '-i', bench.inventory],
      ...['--require-undo', '--output', 'json', ...extra],
    ]);

  it('comes back whatever goes wrong', async () => {
    const { code, stdout, stderr } = await bench.cli.run(
      [
        ...['test', join(folder, name, 'playbook.yml'), '--hosts', '2', '--chaos'],
        ...['--faults', 'fail,kill-effect,kill-undo,undo-only'],
      ],
      { timeoutMs: 300_000 },
    );
    expect(stdout + stderr).toMatch(/(\d+) cases: \1 came back, 0 did not\.\n$/);
    expect(code).toBe(0);
  }, 300_000);

  it('changes nothing when it is played twice', async () => {
    const first = await play();
    expect(first.code, first.stdout).toBe(0);
    const { code, events } = await play();
    expect(code).toBe(0);
    expect(
      events.filter((event) => event.type === 'unit-end' && event.state === 'changed'),
    ).toEqual([]);
  });
});
