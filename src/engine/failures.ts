import { describeFailure, type Failure } from '../core/failure.ts';

/** Why something failed on a host. */
export interface StepFailure {
  task: string;
  id: string;
  /** Key of the execution of the step; undefined where none was begun. */
  key?: string;
  failure: Failure;
  /** The step ran on one host for all of them. */
  runOnce?: true;
  /** The step itself was not begun, which the failure says. */
  notBegun?: true;
}

/** Hosts on which something failed, and why. */
export type Failures = Map<string, StepFailure>;

/** One failure for all hosts, of a step that was not begun. */
export function notBegun(
  hosts: readonly string[],
  { name: task, id }: { name: string; id: string },
  failure: Failure,
): Failures {
  return new Map(hosts.map((host) => [host, { task, id, failure, notBegun: true }]));
}

/** The hosts that failed, and what the step said that failed last. Empty when no host did. */
export function describeFailures(failed: ReadonlyMap<string, StepFailure>): string {
  const all = [...failed.values()];
  // Of the hosts of that step, the first speaks.
  const said = all.find(({ id }) => id === all.at(-1)?.id);
  return said ? `${[...failed.keys()].sort().join(', ')}: ${describe(said)}` : '';
}

function describe({ task, id, failure, notBegun: whole }: StepFailure): string {
  const { headline, details } = describeFailure(failure);
  if (whole) return [headline, ...details].join('\n');
  const short = headline.slice(0, 300).replace(/\.$/, '');
  return `"${task}" failed (${id})${short === '' ? '' : `: ${short}`}`;
}
