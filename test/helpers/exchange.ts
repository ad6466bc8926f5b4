import type { Action } from '../../src/core/action.ts';
import type { CommandOutput } from '../../src/core/fact.ts';
import type { Change, ChangeAnswer, HostSession, Limits, UnitRecord } from '../../src/core/host.ts';

/** Limits of a request that no test should exceed. */
const patient: Limits = { timeoutMs: 30_000 };

/** Makes a change and returns its answer. */
export async function perform(
  session: HostSession,
  change: Change,
  limits: Limits = patient,
): Promise<ChangeAnswer> {
  const answer = await session.exchange({ change }, limits);
  if (!answer.change) throw new Error('The session did not answer to the change.');
  return answer.change;
}

/** The output of a program. */
export async function execute(
  session: HostSession,
  ...argv: string[]
): Promise<CommandOutput | undefined> {
  const action: Action = { kind: 'exec', argv };
  return (await perform(session, { actions: [action] })).outputs[0];
}

/** The outputs of read-only scripts. */
export async function look(session: HostSession, ...scripts: string[]): Promise<CommandOutput[]> {
  return (await session.exchange({ reads: scripts.map((script) => ({ script })) }, patient)).reads;
}

export async function unitRecord(
  session: HostSession,
  unit: number,
): Promise<UnitRecord | undefined> {
  return (await session.exchange({ control: { unit } }, patient)).control.unit;
}
