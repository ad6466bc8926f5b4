import { afterEach, beforeEach, expect, it } from 'vitest';
import { refuseOpenRuns } from '../../../src/cli/run/open-runs.ts';
import type { World } from '../../../src/cli/world.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import { DiskFile } from '../../../src/journal/disk-file.ts';
import { Log } from '../../../src/journal/log.ts';
import { Cli } from '../../helpers/cli.ts';
import { recordedHosts, runRecord } from '../../helpers/records.ts';
import { quietWorld } from '../../helpers/world.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

/** A run on h1 whose process was killed before it marked the run as closed. */
async function killedRun(outcome?: 'rolled_back' | 'rollback_incomplete'): Promise<{
  world: World;
  inventory: Inventory;
  id: string;
}> {
  const world = quietWorld({ XDG_STATE_HOME: cli.dir });
  const id = world.store.create(new Date(0));
  const log = Log.create(DiskFile.create(world.store.journalPath(id)), world.redactor);
  await log.append(runRecord({ run: id, hosts: ['h1'] }));
  if (outcome)
    await log.append({ t: 'end', outcome, exitCode: 3, message: 'Failed.', at: '1970-01-01' });
  await log.close();
  return { world, id, inventory: { file: '', hosts: recordedHosts(log.state), groups: new Map() } };
}

it('closes a run that was killed after it recorded its end', async () => {
  const { world, inventory, id } = await killedRun('rolled_back');
  expect(world.store.openRuns()).toEqual([id]);
  refuseOpenRuns(world, inventory);
  expect(world.store.openRuns()).toEqual([]);
});

it.each([
  [undefined, 'did not finish.'],
  ['rollback_incomplete', 'is not finished: Failed.'],
] as const)('refuses to start on the hosts of a run whose outcome is %s', async (outcome, why) => {
  const { world, inventory, id } = await killedRun(outcome);
  expect(() => {
    refuseOpenRuns(world, inventory);
  }).toThrow(`Run ${id} of 1970-01-01T00:00:00Z on h1 ${why}`);
  expect(world.store.openRuns()).toEqual([id]);
});
