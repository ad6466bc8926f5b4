import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { itWith } from '../helpers/programs.ts';
import { clusterExamples, exampleNeeds, plainExamples } from '../helpers/sweeps.ts';

const directory = join(packageRoot(), 'examples');

describe('examples', () => {
  it('with a directory `lab` all have inputs in the table of the sweeps', () => {
    const names = readdirSync(directory).filter((name) => existsSync(join(directory, name, 'lab')));
    expect(names).toEqual(Object.keys(clusterExamples));
  });

  for (const [name, inputs] of Object.entries(clusterExamples))
    itWith(...(exampleNeeds[name] ?? []))(
      `${name} changes nothing when it runs again`,
      async () => {
        const cli = new Cli();
        try {
          const { code, stdout, stderr } = await cli.run(
            [
              ...['test', join(directory, name, 'playbook.yml'), ...inputs],
              ...['--inventory', join(directory, name, 'lab', 'hosts.yml')],
              ...['--prepare', join(directory, name, 'lab', 'prepare.yml')],
            ],
            { timeoutMs: 180_000 },
          );
          expect(stdout + stderr).toContain('Second play: nothing changed.');
          expect(code).toBe(0);
        } finally {
          cli.dispose();
        }
      },
      180_000,
    );
});

describe('examples for any host', () => {
  let bench: HostsBench;
  beforeAll(async () => {
    bench = await HostsBench.start(4);
  });
  afterAll(() => bench.stop());
  beforeEach(() => bench.reset());

  it.each(plainExamples)('%s changes nothing when it runs again', async (name) => {
    const play = () =>
      bench.cli.run([
        ...['play', join(directory, name, 'playbook.yml'), '-i', bench.inventory],
        ...['--require-undo', '--output', 'json'],
      ]);
    const first = await play();
    expect(first.code, first.stdout).toBe(0);
    const { code, events } = await play();
    expect(code).toBe(0);
    expect(
      events.filter((event) => event.type === 'unit-end' && event.state === 'changed'),
    ).toEqual([]);
  });
});
