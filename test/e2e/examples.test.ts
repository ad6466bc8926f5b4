import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { labTree } from '../../src/lab/tree.ts';

const folder = join(packageRoot(), 'examples');

describe.each(readdirSync(folder))('example %s', (name) => {
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

  it('goes back to the bytes of before when its last step fails', async () => {
    const before = labTree(bench.lab);
    const { code, stdout } = await play('--fail-at', 'last');
    expect(code, stdout).toBe(3);
    expect(labTree(bench.lab)).toEqual(before);
  });

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
