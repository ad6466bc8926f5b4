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
import { fingerprintsBefore, fingerprintText, type FingerprintParts } from './fingerprint.ts';
import { runVerifyTasks, type AroundParts } from './rollback-tasks.ts';
import { callTask, recordedStep, recordedTarget } from './undo-unit.ts';
import { runTask } from './tries.ts';

/** Between two looks at a state that is not yet as before. */
const SETTLE_PAUSE_MS = 2000;

export type VerifyParts = AroundParts & FingerprintParts;

/** rollback.md §9: whether the state of before is back. Fingerprints, the files that were restored, `rollback.verify`. */
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
  const limit = pLimit(parts.settings.forks);
  const different: string[] = [];
  const { settleSeconds = 0 } = rollbackPolicy(run);
  const deadline = parts.clock.now() + settleSeconds * 1000;
  const results = await Promise.all(
    fingerprintsBefore(run).map((before) =>
      limit(async () => {
        for (;;) {
          const text = await takeAgain(parts, before);
          const equal = isSame(before.text, text, parts.redactor);
          if (equal || parts.clock.now() >= deadline || parts.isStopping())
            return { before, text, equal };
          await parts.clock.sleep(SETTLE_PAUSE_MS);
        }
      }),
    ),
  );
  for (const { before, text, equal } of results) {
    const { host, id, name } = before;
    await parts.log.append({ t: 'fingerprint', phase: 'after', host, id, name, text, equal });
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

interface Restored {
  unit: RecordedUnit;
  call: ModuleCall;
}

/** What was taken back by itself, compared with what was found before the first step that touched it. */
async function compareRestored(
  parts: VerifyParts,
  run: RecordedRun,
): Promise<{ compared: number; different: string[] }> {
  const limit = pLimit(parts.settings.forks);
  const different: string[] = [];
  let compared = 0;
  await Promise.all(
    [...restored(parts, run)].map(([host, own]) =>
      limit(async () => {
        const wrong: string[] = [];
        let count = 0;
        for (const one of own) {
          const problem = await problemOf(parts, run, one);
          if (problem !== undefined && isNamedByEarlierUndo(run, one)) {
            warn(parts, host, problem);
            continue;
          }
          count++;
          if (problem !== undefined) wrong.push(problem);
        }
        if (count === 0) return;
        compared += count;
        const equal = wrong.length === 0;
        const name = plural(count, 'automatic undo');
        const message = equal ? undefined : wrong.join('; ');
        await parts.log.append({ t: 'verified', host, name, equal, message });
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
function restored({ redactor }: VerifyParts, run: RecordedRun): Map<string, Restored[]> {
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

/**
 * Whether the declared undo of an earlier step names the path or the thing, and ran afterwards on the same host. It restores a state
 * that only the playbook knows, so a difference may be right.
 */
function isNamedByEarlierUndo(run: RecordedRun, { unit: { intent }, call }: Restored): boolean {
  const named = JSON.stringify(call.args['path'] ?? call.args['name'] ?? '').slice(1, -1);
  if (named === '') return false;
  return [...run.units.values()].some((earlier) => {
    if (earlier.undo !== 'undone' || earlier.intent.undo.kind !== 'declared') return false;
    if (earlier.intent.target !== intent.target || earlier.intent.unit > intent.unit) return false;
    return JSON.stringify(earlier.whole().undo.body).includes(named);
  });
}

function warn({ log }: VerifyParts, host: string, problem: string): void {
  const text = `Not verified on ${host}, since the declared undo of an earlier step names it: ${problem}.`;
  log.signal({ t: 'message', level: 'warning', text });
}

/** Asks the undo itself what there is left to do; undefined when nothing. */
async function problemOf(
  parts: VerifyParts,
  run: RecordedRun,
  { unit, call: { module, args } }: Restored,
): Promise<string | undefined> {
  const target = recordedTarget(run, unit.intent.target, parts.redactor);
  const task = callTask(unit, { module, args });
  const { outcome, plan } = await runTask(parts, {
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
