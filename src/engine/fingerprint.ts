import { RunnerError, TaskError } from '../core/errors.ts';
import { failureIn, messageOf, resultOf } from '../core/outcome.ts';
import type { Inventory } from '../core/inventory.ts';
import { recordedKeys } from '../journal/codec.ts';
import type { Log } from '../journal/log.ts';
import type { Playbook, TaskNode } from '../language/document.ts';
import type { FingerprintRecord, RecordedRun } from '../journal/recorded-run.ts';
import type { Scope } from '../template/scope.ts';
import { allHold } from '../template/conditions.ts';
import { mapLimited } from '../util/concurrency.ts';
import type { Redactor } from '../util/redact.ts';
import { slug } from '../util/text.ts';
import type { CallParts } from './call.ts';
import type { RunSettings } from './settings.ts';
import type { Variables } from './variables.ts';
import { snapshot } from './undo-plan.ts';
import { outsidePlay, runTask } from './tries.ts';

const noPlay = { name: 'Fingerprint', vars: {}, hosts: 'all' };

export interface FingerprintParts extends CallParts {
  inventory: Inventory;
  log: Pick<Log, 'state' | 'write' | 'signal'>;
  redactor: Redactor;
  settings: CallParts['settings'] & Pick<RunSettings, 'forks'>;
}

/**
 * Records the fingerprints of all hosts of the run that have none yet. The records include the
 * tasks and the values they need, so that a rollback can take the same fingerprints without the
 * playbook. The sync before the first change writes them to disk.
 */
export async function takeFingerprint(
  parts: FingerprintParts,
  playbook: Playbook,
  variables: Variables,
  hosts: readonly string[],
): Promise<void> {
  const known = fingerprintsBefore(parts.log.state);
  const isTaken = (host: string, task: TaskNode) =>
    known.some(
      (one) => one.host === host && recordedKeys(task.id, parts.redactor).includes(one.id),
    );
  await mapLimited(hosts, parts.settings.forks, async (name) => {
    const host = parts.inventory.hosts.get(name);
    if (!host) return;
    for (const task of playbook.fingerprint) {
      if (isTaken(name, task)) continue;
      const scope = variables.scope(host, { play: noPlay, task, batch: hosts });
      const text = await fingerprintText(parts, task, name, scope);
      if (text === undefined) continue;
      parts.log.write({
        t: 'fingerprint',
        phase: 'before',
        host: name,
        id: task.id,
        name: task.name,
        text,
        task,
        vars: snapshot([task], scope),
      });
    }
  });
}

/**
 * Whether a change was started, so that the previous state can no longer be recorded. A block is
 * not a change.
 */
export function isTooLate(run: RecordedRun): boolean {
  return [...run.units.values()].some(({ intent }) => !intent.block);
}

/** Output of one fingerprint task; undefined if its condition is false on the host. */
export async function fingerprintText(
  parts: FingerprintParts,
  task: TaskNode,
  name: string,
  scope: Scope,
): Promise<string | undefined> {
  const host = parts.inventory.hosts.get(name);
  if (!host) throw new TaskError(`Host "${name}" is not in the inventory.`);
  try {
    if (!allHold(task.when, scope)) return undefined;
  } catch (error) {
    if (error instanceof RunnerError) return undefined;
    throw error;
  }
  const { outcome } = await runTask(parts, {
    task,
    step: outsidePlay('Fingerprint', task),
    host,
    target: host,
    scope,
    directories: [],
    outputs: `fingerprint.${name}.${slug(task.id)}`,
  });
  const result = resultOf(outcome);
  if (failureIn(outcome) || !result) {
    throw new TaskError(
      `The fingerprint "${task.name}" failed on "${name}": ${messageOf(outcome) ?? ''}`,
      {
        hint: 'Fix this task. Nothing was changed, because a rollback could not be verified without it.',
      },
    );
  }
  const { stdout, text, stat } = result;
  return typeof stdout === 'string'
    ? stdout
    : typeof text === 'string'
      ? text
      : JSON.stringify(stat ?? result);
}

/** The fingerprints recorded before the first change, which a rollback must restore. */
export function fingerprintsBefore(run: RecordedRun): FingerprintRecord[] {
  return run.fingerprints.flatMap(({ phase, whole }) => {
    const record = phase === 'before' ? whole() : undefined;
    return record?.phase === 'before' ? [record] : [];
  });
}
