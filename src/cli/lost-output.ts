import { JournalError } from '../core/errors.ts';
import type { Log } from '../journal/log.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import { describeLoss, lostOutputLines } from '../output/history.ts';
import type { LostOutput } from '../util/output-writer.ts';
import { printMessage } from './fail.ts';
import { isRunning } from './run-process.ts';
import type { World } from './world.ts';

/**
 * Watches standard output and standard error of a run. A lost output is recorded in the journal and
 * reported on standard error. If both are lost, the run is marked so that a later command reports
 * it.
 */
export class WatchedOutputs {
  readonly #world: World;
  readonly #run: string;
  readonly #log: Log;
  readonly #removals: (() => void)[];

  constructor(world: World, run: string, log: Log) {
    this.#world = world;
    this.#run = run;
    this.#log = log;
    world.isRunRecorded = true;
    const onLost = (lost: LostOutput) => {
      this.#record(lost);
    };
    this.#removals = [world.stdout, world.stderr].map((output) => output.onLost(onLost));
  }

  /** Waits until everything is written, and stops watching. */
  async end(): Promise<void> {
    await this.#world.stdout.flushed();
    await this.#world.stderr.flushed();
    for (const remove of this.#removals) remove();
  }

  #record({ output, code, reason, at }: LostOutput): void {
    const loss = { output, code, reason, at: new Date(at).toISOString() };
    this.#log.write({ t: 'output-lost', ...loss });
    const { stdout, stderr, store } = this.#world;
    if (stdout.lost && stderr.lost) store.markUnseen(this.#run);
    if (!stderr.lost)
      printMessage(this.#world, `warning: ${describeLoss(loss)} Run ${this.#run} continues.`);
  }
}

/** If standard output is lost, reports the end of a run on standard error. */
export function reportEnding(
  world: World,
  run: string,
  { message, next }: { message: string; next: string[] },
): void {
  if (!world.stdout.lost) return;
  printMessage(world, `Run ${run}: ${message}`);
  for (const command of next) printMessage(world, `  ${command}`);
}

/** Reports runs that lost both outputs. A run that has ended is reported once. */
export async function reportUnseenRuns(world: World): Promise<void> {
  const { store, stderr } = world;
  for (const id of store.unseen()) {
    const run = readable(world, id);
    if (!run) continue;
    const ended = run.end ? ` It ended with: ${run.end.message}` : '';
    const lines = lostOutputLines({ run, running: isRunning(run.header) }).join(' ');
    printMessage(world, `warning: Run ${id}: ${lines}${ended} See: runner show ${id}.`);
    if (run.end && (await stderr.flushed()) === undefined) store.markSeen(id);
  }
}

/** Undefined if the journal is damaged. Commands that need it report the error. */
function readable({ store }: World, id: string): RecordedRun | undefined {
  try {
    return store.read(id);
  } catch (error) {
    if (error instanceof JournalError) return undefined;
    throw error;
  }
}
