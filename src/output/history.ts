import { failureText } from '../core/failure.ts';
import type { JsonValue } from '../core/json.ts';
import { isSettled, type RecordedRun, type RecordedUnit } from '../journal/recorded-run.ts';
import type { ResultRecord } from '../journal/records.ts';
import { formatDuration, plural } from '../util/text.ts';
import { undoLabel } from './undo.ts';

/** A run in a list: its recorded state, or the reason why its journal cannot be read. */
export type ListedRun = { id: string } & (
  | {
      run: RecordedRun;
      /** Its process may still be running. */
      running: boolean;
    }
  | { error: string }
);

/** Lines of `runner runs`. */
export function listLines(runs: readonly ListedRun[]): string[] {
  if (runs.length === 0) return ['No runs yet.'];
  return runs.map((listed) => {
    if ('error' in listed) return `${listed.id}  ${'unreadable'.padEnd(20)} ${listed.error}`;
    const { id, run } = listed;
    const hosts = plural(run.hosts.size, 'host').padStart(9);
    return `${id}  ${stateOf(listed).padEnd(20)} ${hosts}  ${run.header.playbook}${lostMark(run)}`;
  });
}

/** The data that `runner runs --json` prints. */
export function listData(runs: readonly ListedRun[]): JsonValue {
  return runs.map((listed) => {
    if ('error' in listed) return { id: listed.id, state: 'unreadable', error: listed.error };
    const { header, end, lostOutputs } = listed.run;
    return {
      id: listed.id,
      playbook: header.playbook,
      startedAt: header.startedAt,
      state: stateOf(listed),
      exitCode: end?.exitCode ?? null,
      lostOutputs: lostOutputs.map((lost) => ({ ...lost })),
    };
  });
}

interface ShownRun {
  run: RecordedRun;
  running: boolean;
}

/** Lines of `runner show`: the steps of a run, and for each change whether it is undone. */
export function* runLines({ run, running }: ShownRun): Generator<string> {
  const { header, end, commit } = run;
  yield `Run ${header.run}: ${stateOf({ run, running })}`;
  yield `Playbook ${header.playbook}, started ${header.startedAt}`;
  if (end) yield end.message;
  yield* lostOutputLines({ run, running });
  if (commit) yield `Last commit point: ${commit.name}`;
  yield '';
  const shown = new Set<number>();
  for (const stored of run.results) {
    const result = stored();
    const step = run.steps.get(result.step);
    if (step && !shown.has(result.step)) {
      shown.add(result.step);
      yield `${step.info.play} › ${step.info.name}   ${step.info.id}`;
    }
    yield resultLine(result, run.units.get(result.unit));
  }
  for (const { intent, result, state } of run.units.values())
    if (result === undefined && !intent.block)
      yield `    ${state.padEnd(8)} ${intent.host} [change ${String(intent.unit)}]: no result was recorded`;
}

function resultLine(
  { unit: number, state, host, durationMs, failed }: ResultRecord<'stored'>,
  unit: RecordedUnit | undefined,
): string {
  const message = state === 'failed' && failed ? failureText(failed) : undefined;
  const why = message === undefined ? '' : `: ${message}`;
  const undo = unit ? ` [change ${String(number)}, ${undoOf(unit)}]` : '';
  return `    ${state.padEnd(8)} ${host} ${formatDuration(durationMs)}${undo}${why}`;
}

function undoOf(unit: RecordedUnit): string {
  if (unit.undo !== undefined) return unit.undo.replace('-', ' ');
  return undoLabel(isSettled(unit) ? 'not-needed' : unit.intent.undo.kind);
}

/** How a run ended, or that it is still running. */
function stateOf({ run, running }: ShownRun): string {
  if (run.end) return run.end.outcome.replaceAll('_', ' ');
  return running ? 'running' : 'interrupted';
}

/** Marks a run whose output is incomplete. */
function lostMark({ lostOutputs: [lost] }: RecordedRun): string {
  return lost === undefined ? '' : `  (${lost.output} lost at ${lost.at}: ${lost.code})`;
}

/**
 * Describes where the outputs of a run were lost, and whether the run continued. Empty if none was
 * lost.
 */
export function lostOutputLines({ run, running }: ShownRun): string[] {
  if (run.lostOutputs.length === 0) return [];
  return [...run.lostOutputs.map(describeLoss), whatFollowed({ run, running })];
}

/** Describes a lost output. */
export function describeLoss({
  output,
  code,
  reason,
  at,
}: RecordedRun['lostOutputs'][number]): string {
  const name = `${output.charAt(0).toUpperCase()}${output.slice(1)}`;
  return `${name} could not be written at ${at}: ${reason} (${code}).`;
}

function whatFollowed({ run, running }: ShownRun): string {
  if (run.end) return 'The run continued; its journal is complete.';
  return running ? 'The run continues.' : 'The run continued, and was interrupted later.';
}
