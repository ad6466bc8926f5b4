import { exitCodes, type EventSink } from '../../core/events.ts';
import { runPlaybook } from '../../engine/engine.ts';
import { Log } from '../../journal/log.ts';
import { UndoPreview } from '../../output/undo-preview.ts';
import { concludeCheck } from '../sentences.ts';
import { withEngine } from '../wiring.ts';
import type { World } from '../world.ts';
import { displayOf, startOf } from './display.ts';
import { headerOf } from './header.ts';
import type { PreparedRun } from './prepare.ts';

/** `plan`, and `play --check`: tells what would change. Nothing is kept on disk. */
export async function checkRun(world: World, run: PreparedRun): Promise<number> {
  const { playbook, options, settings, inventory, mode } = run;
  const began = Date.now();
  const log = Log.inMemory(world.redactor);
  const display = await displayOf(world, run);
  let changes = 0;
  const preview = new UndoPreview(run.failAt);
  const emit: EventSink = (event) => {
    if (event.type === 'unit-end' && event.state === 'changed') changes++;
    preview.see(event);
    display.sink(event);
  };
  const stepwise = options.step === true;
  const parts = { settings, inventory, log, display, emit, stepwise, flags: options };
  return withEngine(world, parts, async (context) => {
    await log.append(headerOf(world, run, { vault: [], files: [] }));
    emit(startOf(playbook, context));
    const result = await runPlaybook(context, playbook);
    await display.finish();
    if (mode === 'plan' && options.output !== 'json') {
      const undo = options.undo === true || options.failAt !== undefined;
      const lines = [...(undo ? preview.lines() : []), ...display.text.coverage()];
      world.stdout.write(`${world.redactor.mask(lines.join('\n'))}\n`);
    }
    const { outcome, exitCode, message } = concludeCheck(result);
    emit({
      type: 'run-end',
      run: settings.run,
      outcome,
      message,
      next: [],
      durationMs: Date.now() - began,
    });
    const differs = changes > 0 && options.detailedExitCode === true;
    return exitCode === exitCodes.done && differs ? exitCodes.differences : exitCode;
  });
}
