import { DiskFile } from '../../journal/disk-file.ts';
import { Log } from '../../journal/log.ts';
import { checkRun } from '../run/check-run.ts';
import { displayOf } from '../run/display.ts';
import { headerOf } from '../run/header.ts';
import { prepareAnd, type PreparedRun } from '../run/prepare.ts';
import { holdRun } from '../run-process.ts';
import { endRun, playForward, withEngine } from '../wiring.ts';
import type { World } from '../world.ts';

/** `runner play PLAYBOOK …`: runs a playbook. Its inputs are options. */
export function playCommand(world: World, argv: string[]): Promise<number> {
  return prepareAnd(world, ['play', argv], (run) =>
    run.check ? checkRun(world, run) : recordedRun(world, run),
  );
}

/** Plays a playbook and records the run in a journal. */
async function recordedRun(world: World, prepared: PreparedRun): Promise<number> {
  const { store, redactor } = world;
  const { startedAt } = prepared.settings;
  const id = store.create(startedAt);
  holdRun(world, id, 'play');
  const run = { ...prepared, settings: { ...prepared.settings, run: id } };
  const { playbook, options, settings, inventory } = run;
  const log = Log.create(DiskFile.create(store.journalPath(id)), redactor);
  const display = await displayOf(world, run);
  const begin = async () => {
    const vault = world.vault.handOver((source) => {
      log.write({ t: 'vault', source });
    });
    const paths = [...playbook.files, ...(inventory.file === '' ? [] : [inventory.file])];
    const files = store.pin(id, paths);
    await log.append(headerOf(world, run, { vault, files }));
  };
  const stepwise = options.step === true;
  const parts = { settings, inventory, log, display, stepwise, begin, flags: options };
  return withEngine(world, parts, async (engine, stop) => {
    const { onInterrupt } = options;
    const ending = await playForward(world, engine, { playbook, stop, onInterrupt });
    return endRun(world, engine, ending, startedAt.getTime());
  });
}
