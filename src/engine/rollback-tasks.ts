import { failureOf, failureText, type Failure } from '../core/failure.ts';
import { failureIn, messageOf, resultOf, type Outcome } from '../core/outcome.ts';
import { inventoryHost, type Inventory } from '../core/inventory.ts';
import type { Log } from '../journal/log.ts';
import type { Play, RollbackPolicy, TaskNode } from '../language/document.ts';
import { rollbackPolicy, type RecordedRun } from '../journal/recorded-run.ts';
import type { JournalRecord, RollbackTask } from '../journal/records.ts';
import { reveal } from '../journal/stored.ts';
import { allHold } from '../template/conditions.ts';
import { Scope } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import type { Redactor } from '../util/redact.ts';
import { groupBy } from '../util/group.ts';
import { slug } from '../util/text.ts';
import type { CallParts } from './call.ts';
import { hostError } from './host-error.ts';
import type { RunSettings } from './settings.ts';
import type { Variables } from './variables.ts';
import { delegatedTarget, recordedTarget } from './undo-unit.ts';
import { snapshot } from './undo-plan.ts';
import { outsidePlay, runTask } from './tries.ts';

/**
 * The "rollback" settings of a play, or of the playbook: then "id" is empty and "play" is the first
 * play.
 */
export interface WantedPolicy {
  id: string;
  policy: RollbackPolicy;
  play: Play;
}

export interface PolicyParts {
  inventory: Inventory;
  log: Pick<Log, 'state' | 'write'>;
  settings: Pick<RunSettings, 'check'>;
}

/**
 * Records the rollback settings with the values that their tasks need, unless they are recorded
 * already.
 */
export function recordPolicy(
  wanted: WantedPolicy,
  variables: Pick<Variables, 'scope'>,
  parts: PolicyParts,
  hosts: readonly string[],
): void {
  const { log, settings } = parts;
  if (settings.check || log.state.policies.some(({ play }) => play === wanted.id)) return;
  const record = policyRecord(wanted, variables, parts, hosts);
  if (record) log.write(record);
}

/** Undefined without rollback settings. */
function policyRecord(
  { id, policy, play }: WantedPolicy,
  variables: Pick<Variables, 'scope'>,
  parts: PolicyParts,
  hosts: readonly string[],
): JournalRecord | undefined {
  const { onFailure, budgetSeconds, settleSeconds, before, after, verify } = policy;
  const tasksOf = (phase: RollbackTask['phase'], tasks: readonly TaskNode[]) =>
    tasks.flatMap((task) =>
      (task.runOnce ? hosts.slice(0, 1) : hosts).flatMap((name): RollbackTask[] => {
        const host = inventoryHost(parts.inventory, name);
        if (!host) return [];
        const scope = variables.scope(host, { play, task, batch: hosts });
        const vars = { ...snapshot([task], scope), inventory_hostname: name };
        return [{ phase, host: name, name: task.name, task, vars }];
      }),
    );
  const tasks = [
    ...tasksOf('before', before),
    ...tasksOf('after', after),
    ...tasksOf('verify', verify),
  ];
  const said = [onFailure, budgetSeconds, settleSeconds].some((one) => one !== undefined);
  if (tasks.length === 0 && !said) return undefined;
  return { t: 'rollback-policy', play: id, onFailure, budgetSeconds, settleSeconds, tasks };
}

export interface AroundParts extends CallParts {
  redactor: Redactor;
  log: Pick<Log, 'write' | 'signal'>;
  settings: CallParts['settings'] & Pick<RunSettings, 'forks'>;
}

/**
 * Runs `rollback.before`, and saves the output in the directory of the run. A failure does not stop
 * the rollback.
 */
export async function keepEvidence(parts: AroundParts, run: RecordedRun): Promise<void> {
  await forEachTask(parts, run, 'before', async (entry, name) => {
    const { failed, outcome } = await tryTask(parts, run, entry, name);
    if (failed) {
      const text = `Cannot collect evidence "${entry.name}" on ${entry.host}: ${failureText(failed) ?? ''}`;
      parts.log.signal({ t: 'message', level: 'warning', text });
      return;
    }
    const sink = outcome && parts.keepOutput?.(`evidence.${name}`);
    if (!sink) return;
    sink.write(Buffer.from(textOf(outcome)));
    sink.end();
    const what = `Evidence "${entry.name}" of ${entry.host}`;
    parts.log.signal(
      sink.failed
        ? { t: 'message', level: 'warning', text: `${what} could not be written to ${sink.path}.` }
        : { t: 'message', level: 'info', text: `${what} was saved to ${sink.path}.` },
    );
  });
}

/** Runs `rollback.after`. Failures are reported, and do not make the rollback incomplete. */
export async function runAfterTasks(parts: AroundParts, run: RecordedRun): Promise<void> {
  await forEachTask(parts, run, 'after', async (entry, name) => {
    const { failed } = await tryTask(parts, run, entry, name);
    if (!failed) return;
    const text = `Task "${entry.name}" of rollback.after failed on ${entry.host}: ${failureText(failed) ?? ''}`;
    parts.log.signal({ t: 'message', level: 'error', text });
  });
}

/** Runs `rollback.verify`. Returns the names of the failed tasks. */
export async function runVerifyTasks(
  parts: AroundParts,
  run: RecordedRun,
): Promise<{ ran: boolean; different: string[] }> {
  const different: string[] = [];
  let ran = false;
  await forEachTask(parts, run, 'verify', async (entry, outputs) => {
    ran = true;
    const { failed, outcome } = await tryTask(parts, run, entry, outputs);
    const { host, name } = entry;
    const why = failed || !outcome ? undefined : messageOf(outcome);
    parts.log.write({ t: 'verified', host, of: 'task', name, failed, why });
    if (failed) different.push(`"${name}" on ${host}`);
  });
  return { ran, different: different.sort() };
}

/**
 * Runs the tasks of a phase in order, hosts in parallel. `work` gets a file name that is unique in
 * the phase.
 */
async function forEachTask(
  parts: AroundParts,
  run: RecordedRun,
  phase: RollbackTask['phase'],
  work: (entry: RollbackTask<'stored'>, name: string) => Promise<void>,
): Promise<void> {
  const entries = rollbackPolicy(run).tasks.filter((entry) => entry.phase === phase);
  const byHost = [...groupBy(entries, ({ host }) => host).values()];
  await mapLimited(byHost, parts.settings.forks, async (own) => {
    for (const [index, entry] of own.entries()) await work(entry, fileName(entry, index + 1));
  });
}

/**
 * The number keeps names unique: tasks may have the same name, or one without characters for a file
 * name.
 */
function fileName({ host, name }: RollbackTask<'stored'>, number: number): string {
  const words = slug(name);
  return `${host}.${String(number)}${words === '' ? '' : `-${words}`}`;
}

async function tryTask(
  parts: AroundParts,
  run: RecordedRun,
  { host, phase, name: title, task: stored, vars }: RollbackTask<'stored'>,
  name: string,
): Promise<{ failed?: Failure | undefined; outcome?: Outcome }> {
  try {
    const task = reveal(stored, parts.redactor);
    const values = reveal(vars, parts.redactor);
    const scope = new Scope([
      ...task.vars.toReversed().map((one) => ({ name: 'task', values: one })),
      { name: 'recorded', values, data: true },
    ]);
    if (!allHold(task.when, scope)) return {};
    const target = recordedTarget(run, host, parts.redactor);
    const { outcome } = await runTask(parts, {
      task,
      step: outsidePlay('Rollback', task),
      host: target,
      target: delegatedTarget(run, task, { own: target, scope, secrets: parts.redactor }),
      scope,
      directories: task.role ? [task.role.path] : [],
      outputs: `${phase}.${name}`,
    });
    return { failed: task.ignoreErrors ? undefined : failureIn(outcome), outcome };
  } catch (error) {
    const known = hostError(error, { id: title, module: 'rollback' });
    return { failed: failureOf(known, { place: true }) };
  }
}

function textOf(outcome: Outcome): string {
  const result = resultOf(outcome);
  if (!result) return '';
  const { stdout, stderr } = result;
  if (typeof stdout !== 'string') return `${JSON.stringify(result, null, 2)}\n`;
  return typeof stderr === 'string' && stderr !== '' ? `${stdout}\n${stderr}\n` : `${stdout}\n`;
}
