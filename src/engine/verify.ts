import pLimit from 'p-limit';
import { describeAction } from '../core/action.ts';
import { RunnerError } from '../core/errors.ts';
import type { ModuleCall } from '../core/module.ts';
import { failureIn, hasChanged, messageOf } from '../core/outcome.ts';
import {
  rollbackPolicy,
  type FingerprintRecord,
  type RecordedRun,
  type RecordedUnit,
} from '../journal/recorded-run.ts';
import { isSame, reveal } from '../journal/stored.ts';
import { Scope } from '../template/scope.ts';
import { groupBy } from '../util/group.ts';
import { plural } from '../util/text.ts';
import type { EngineContext } from './context.ts';
import { fingerprintsBefore, fingerprintText } from './fingerprint.ts';
import { runVerifyTasks } from './rollback-tasks.ts';
import { callTask, recordedStep, recordedTarget } from './undo-unit.ts';
import { runTask } from './tries.ts';

/** Between two looks at a state that is not yet as before. */
const SETTLE_PAUSE_MS = 2000;

/** rollback.md §9: whether the state of before is back. Fingerprints, the files that were restored, `rollback.verify`. */
export async function verifyState(
  context: EngineContext,
  run: RecordedRun,
): Promise<{ verified: boolean; different: string[] }> {
  const fingerprints = await compareFingerprints(context, run);
  const files = await compareRestored(context, run);
  const tasks = await runVerifyTasks(context, run);
  return {
    verified: fingerprintsBefore(run).length > 0 || files.compared > 0 || tasks.ran,
    different: [...fingerprints, ...files.different, ...tasks.different],
  };
}

async function compareFingerprints(context: EngineContext, run: RecordedRun): Promise<string[]> {
  const limit = pLimit(context.settings.forks);
  const different: string[] = [];
  const { settleSeconds = 0 } = rollbackPolicy(run);
  const deadline = context.clock.now() + settleSeconds * 1000;
  const results = await Promise.all(
    fingerprintsBefore(run).map((before) =>
      limit(async () => {
        for (;;) {
          const text = await takeAgain(context, before);
          const equal = isSame(before.text, text, context.redactor);
          if (equal || context.clock.now() >= deadline || context.isStopping())
            return { before, text, equal };
          await context.clock.sleep(SETTLE_PAUSE_MS);
        }
      }),
    ),
  );
  for (const { before, text, equal } of results) {
    const { host, id, name } = before;
    await context.log.append({ t: 'fingerprint', phase: 'after', host, id, name, text, equal });
    if (!equal) different.push(`"${name}" on ${host}`);
  }
  return different.sort();
}

async function takeAgain(context: EngineContext, before: FingerprintRecord): Promise<string> {
  try {
    const task = reveal(before.task, context.redactor);
    const values = reveal(before.vars, context.redactor);
    const scope = new Scope([{ name: 'recorded', values, data: true }]);
    return (await fingerprintText(context, task, before.host, scope)) ?? '';
  } catch (error) {
    if (error instanceof RunnerError) return `(${error.message})`;
    throw error;
  }
}

interface Restored {
  unit: RecordedUnit;
  call: ModuleCall;
}

/** What was taken back by itself, compared with what was found before the first step that touched it. */
async function compareRestored(
  context: EngineContext,
  run: RecordedRun,
): Promise<{ compared: number; different: string[] }> {
  const limit = pLimit(context.settings.forks);
  const different: string[] = [];
  let compared = 0;
  await Promise.all(
    [...restored(context, run)].map(([host, own]) =>
      limit(async () => {
        const wrong: string[] = [];
        for (const one of own) {
          const problem = await problemOf(context, run, one);
          if (problem !== undefined) wrong.push(problem);
        }
        compared += own.length;
        const equal = wrong.length === 0;
        const name = plural(own.length, 'automatic undo');
        const message = equal ? undefined : wrong.join('; ');
        await context.log.append({ t: 'verified', host, name, equal, message });
        if (!equal) different.push(`${name} on ${host}`);
      }),
    ),
  );
  return { compared, different: different.sort() };
}

/**
 * By host, the call that says how each path or thing was found first. Of several calls of one step about the same path
 * the last one says it.
 */
function restored({ redactor }: EngineContext, run: RecordedRun): Map<string, Restored[]> {
  const first = new Map<string, Restored>();
  const undone = [...run.units.values()]
    .filter(({ undo }) => undo === 'undone')
    .sort((a, b) => a.intent.unit - b.intent.unit);
  for (const unit of undone) {
    const { undo, touches } = unit.whole();
    const { body } = undo;
    for (const { module, args } of body.kind === 'auto' && !unit.intent.notifiedBy
      ? body.calls
      : []) {
      const call = { module, args: reveal(args, redactor) };
      const { path, name } = call.args;
      const thing = touches?.join(' ') ?? `${call.module} ${String(name ?? '')}`;
      const about = typeof path === 'string' ? path : thing;
      const key = `${unit.intent.target}\n${about}`;
      const known = first.get(key);
      if (!known || known.unit === unit) first.set(key, { unit, call });
    }
  }
  return groupBy(first.values(), ({ unit }) => unit.intent.target);
}

/** Asks the undo itself what there is left to do; undefined when nothing. */
async function problemOf(
  context: EngineContext,
  run: RecordedRun,
  { unit, call: { module, args } }: Restored,
): Promise<string | undefined> {
  const target = recordedTarget(run, unit.intent.target, context.redactor);
  const task = callTask(unit, { module, args });
  const { outcome, plan } = await runTask(context, {
    task,
    step: recordedStep(run, unit.intent.step),
    host: target,
    target,
    scope: new Scope([]),
    folders: [],
    mode: 'check',
    outputs: String(unit.intent.unit),
  });
  const what = String(args['path'] ?? args['name'] ?? module);
  if (failureIn(outcome)) return `${what}: ${messageOf(outcome) ?? 'cannot be looked at'}`;
  const actions = (plan?.actions ?? []).map(describeAction);
  return hasChanged(outcome) ? `${what} would still need: ${actions.join(', ')}` : undefined;
}
