import { describeFailure, type Failure } from '../core/failure.ts';

/** Why a step failed on a host. */
export interface StepFailure {
  task: string;
  id: string;
  /** Key of the execution of the step; undefined if the step was not started. */
  key?: string;
  failure: Failure;
  /** The step has "run_once": it ran on one host for all. */
  runOnce?: true;
  /** The step was not started; the failure has the reason. */
  notBegun?: true;
}

/** Failed hosts with their failures. */
export type Failures = Map<string, StepFailure>;

/** The same failure for all hosts, for a step that was not started. */
export function notBegun(
  hosts: readonly string[],
  { name: task, id }: { name: string; id: string },
  failure: Failure,
): Failures {
  return new Map(hosts.map((host) => [host, { task, id, failure, notBegun: true }]));
}

/** The failed hosts, with the message of the step that failed last. Empty if no host failed. */
export function describeFailures(failed: ReadonlyMap<string, StepFailure>): string {
  const all = [...failed.values()];
  // Only the message of the first host of that step is shown.
  const said = all.find(({ id }) => id === all.at(-1)?.id);
  return said ? `${[...failed.keys()].sort().join(', ')}: ${describe(said)}` : '';
}

function describe({ task, id, failure, notBegun: whole }: StepFailure): string {
  const { headline, details } = describeFailure(failure);
  if (whole) return [headline, ...details].join('\n');
  const short = headline.slice(0, 300).replace(/\.$/, '');
  return `"${task}" failed (${id})${short === '' ? '' : `: ${short}`}`;
}
