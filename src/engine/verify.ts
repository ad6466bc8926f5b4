import { describeAction } from '../core/action.ts';
import { RunnerError } from '../core/errors.ts';
import { failureIn, hasChanged } from '../core/outcome.ts';
import type { Difference } from '../core/undo.ts';
import {
  rollbackPolicy,
  type FingerprintRecord,
  type RecordedRun,
} from '../journal/recorded-run.ts';
import { isSame, reveal } from '../journal/stored.ts';
import { Scope } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import { plural } from '../util/text.ts';
import { fingerprintsBefore, fingerprintText, type FingerprintParts } from './fingerprint.ts';
import { runVerifyTasks, type AroundParts } from './rollback-tasks.ts';
import { callTask, recordedStep, recordedTarget } from './undo-unit.ts';
import type { Keys } from './hidden-intent.ts';
import { isNamedByEarlierUndo, restored, type Restored } from './restored.ts';
import { runTask } from './tries.ts';

/** Pause between two comparisons of a fingerprint that still differs. */
const SETTLE_PAUSE_MS = 2000;

export type VerifyParts = AroundParts & FingerprintParts & Pick<Keys, 'sealer'>;

/**
 * Verifies the restored state (docs/rollback.md): fingerprints, automatic undos and
 * `rollback.verify`.
 */
export async function verifyState(
  parts: VerifyParts,
  run: RecordedRun,
): Promise<{ verified: boolean; different: string[] }> {
  const fingerprints = await compareFingerprints(parts, run);
  const files = await compareRestored(parts, run);
  const tasks = await runVerifyTasks(parts, run);
  return {
    verified: fingerprintsBefore(run).length > 0 || files.compared > 0 || tasks.ran,
    different: [...fingerprints, ...files.different, ...tasks.different],
  };
}

async function compareFingerprints(parts: VerifyParts, run: RecordedRun): Promise<string[]> {
  const different: string[] = [];
  const { settleSeconds = 0 } = rollbackPolicy(run);
  const deadline = parts.clock.now() + settleSeconds * 1000;
  const results = await mapLimited(
    fingerprintsBefore(run),
    parts.settings.forks,
    async (before) => {
      for (;;) {
        const text = await takeAgain(parts, before);
        const equal = isSame(before.text, text, parts.redactor);
        if (equal || parts.clock.now() >= deadline || parts.isStopping())
          return { before, text, equal };
        await parts.clock.sleep(SETTLE_PAUSE_MS);
      }
    },
  );
  for (const { before, text, equal } of results) {
    const { host, id, name } = before;
    parts.log.write({ t: 'fingerprint', phase: 'after', host, id, name, text, equal });
    if (!equal) different.push(`"${name}" on ${host}`);
  }
  return different.sort();
}

async function takeAgain(parts: VerifyParts, before: FingerprintRecord): Promise<string> {
  try {
    const task = reveal(before.task, parts.redactor);
    const values = reveal(before.vars, parts.redactor);
    const scope = new Scope([{ name: 'recorded', values, data: true }]);
    return (await fingerprintText(parts, task, before.host, scope)) ?? '';
  } catch (error) {
    if (error instanceof RunnerError) return `(${error.message})`;
    throw error;
  }
}

/**
 * Compares what automatic undos restored with the state found by the first step that changed it.
 */
async function compareRestored(
  parts: VerifyParts,
  run: RecordedRun,
): Promise<{ compared: number; different: string[] }> {
  const different: string[] = [];
  let compared = 0;
  await mapLimited([...restored(run, parts)], parts.settings.forks, async ([host, own]) => {
    const wrong: Difference[] = [];
    let count = 0;
    for (const one of own) {
      const difference = await differenceOf(parts, run, one);
      if (difference && isNamedByEarlierUndo(run, one, parts)) {
        parts.log.signal({ t: 'not-verified', host, difference });
        continue;
      }
      count++;
      if (difference) wrong.push(difference);
    }
    if (count === 0) return;
    compared += count;
    parts.log.write({ t: 'verified', host, of: 'undos', count, different: wrong });
    if (wrong.length > 0) different.push(`${plural(count, 'automatic undo')} on ${host}`);
  });
  return { compared, different: different.sort() };
}

/**
 * Runs an undo in check mode: what it would still change is the difference; undefined if nothing.
 */
async function differenceOf(
  parts: VerifyParts,
  run: RecordedRun,
  { unit, call: { module, args } }: Restored,
): Promise<Difference | undefined> {
  const target = recordedTarget(run, unit.intent.target, parts.redactor);
  const task = callTask(unit, { module, args });
  const { outcome, plan } = await runTask(parts, {
    task,
    step: recordedStep(run, unit.intent.step),
    host: target,
    target,
    scope: new Scope([]),
    directories: [],
    mode: 'check',
    outputs: String(unit.intent.unit),
  });
  const what = String(args['path'] ?? args['name'] ?? module);
  const failed = failureIn(outcome);
  if (failed) return { what, failed };
  const actions = (plan?.actions ?? []).map(describeAction);
  return hasChanged(outcome) ? { what, actions } : undefined;
}
