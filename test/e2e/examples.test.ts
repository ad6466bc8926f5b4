import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';

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
