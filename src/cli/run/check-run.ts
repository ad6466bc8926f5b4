import { exitCodes } from '../../core/states.ts';
import { runPlaybook } from '../../engine/engine.ts';
import { Log } from '../../journal/log.ts';
import { eventReader } from '../../output/events.ts';
import { coverage, UndoPreview } from '../../output/plan.ts';
import { Summary } from '../../output/summary.ts';
import { concludeCheck } from '../../output/sentences.ts';
import { print } from '../fail.ts';
import { withEngine } from '../wiring.ts';
import type { World } from '../world.ts';
import { displayOf } from './display.ts';
import { headerOf } from './header.ts';
import type { PreparedRun } from './prepare.ts';

/** Runs `plan` and `play --check`: shows what would change and writes nothing to disk. */
export async function checkRun(world: World, run: PreparedRun): Promise<number> {
  const { playbook, options, settings, inventory, mode } = run;
  const began = Date.now();
  const log = Log.inMemory(world.redactor);
  const display = await displayOf(world, run);
  const summary = new Summary();
  const preview = new UndoPreview(run.failAt);
  const faults: unknown[] = [];
  const reader = eventReader((event) => {
    summary.see(event);
    preview.see(event);
  });
  log.subscribe(reader, (error) => faults.push(error));
  const stepwise = options.step === true;
  const parts = { settings, inventory, log, display, stepwise, flags: options };
  return withEngine(world, parts, async (engine) => {
    await log.append(headerOf(world, run, { vault: [], files: [] }));
    const result = await runPlaybook(engine, playbook);
    if (faults.length > 0) throw faults[0];
    await display.finish();
    if (mode === 'plan' && options.output !== 'json') {
      const undo = options.undo === true || options.failAt !== undefined;
      const lines = [...(undo ? preview.lines() : []), ...coverage(summary)];
      print(world, lines.join('\n'));
    }
    const { outcome, exitCode, message } = concludeCheck(result);
    await log.append({ t: 'end', outcome, exitCode, message, at: new Date().toISOString() });
    log.signal({ t: 'over', next: [], durationMs: Date.now() - began });
    const differs = summary.counts.changed > 0 && options.detailedExitCode === true;
    return exitCode === exitCodes.done && differs ? exitCodes.differences : exitCode;
  });
}
