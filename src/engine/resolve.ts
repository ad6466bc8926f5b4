import { ConnectError, JournalError, RunnerError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { mapLimited } from '../util/concurrency.ts';
import type { Redactor } from '../util/redact.ts';
import type { Log } from '../journal/log.ts';
import type { RecordedRun, RecordedUnit } from '../journal/recorded-run.ts';
import { FACT_TIMEOUT_MS, openSession, type Sessions } from './sessions.ts';
import type { Stop } from './services.ts';
import type { RunSettings } from './settings.ts';
import { recordedTarget, type UndoRunner } from './undo-unit.ts';

/** Maximum time to wait for a step that is still running on its host. */
const RUNNING_LIMIT_MS = 10 * 60_000;

export interface ResolveParts extends Sessions, Stop {
  clock: Clock;
  redactor: Redactor;
  log: Pick<Log, 'write'>;
  settings: Pick<RunSettings, 'becomePassword' | 'forks'>;
}

/** Runs the "probe" of a unit on its host; the exit code is the answer. */
export type Prober = Pick<UndoRunner, 'probe'>;

/**
 * Outcome of a unit without a recorded result. Three outcomes are `unknown` in the journal:
 * `running`, the unit may still be running; `unreachable`, the host may answer later; `refused`,
 * asking again does not help.
 */
export type Resolution =
  'planned' | 'changed' | 'failed' | 'unknown' | 'running' | 'unreachable' | 'refused';

/**
 * Finds the outcomes of units without a result (docs/rollback.md): from the record on the host, or
 * else from the probe. Without both, the outcome stays unknown.
 *
 * @returns outcomes by unit number, for units whose outcome was unknown
 */
export async function resolveUnknown(
  parts: ResolveParts,
  run: RecordedRun,
  units: readonly RecordedUnit[],
  undo: Prober,
): Promise<Map<number, Resolution>> {
  const unknown = units.filter(
    ({ state, undo, undoStarted }) =>
      state === 'unknown' && undo !== 'undone' && undo !== 'undo-skipped' && !undoStarted,
  );
  const resolutions = await mapLimited(unknown, parts.settings.forks, (unit) =>
    resolve(parts, run, unit, undo),
  );
  return new Map(
    unknown.map(({ intent }, index) => [intent.unit, resolutions[index] ?? 'unknown']),
  );
}

function isOpen(
  resolution: Resolution,
): resolution is Extract<Resolution, 'running' | 'unreachable' | 'refused'> {
  return resolution === 'running' || resolution === 'unreachable' || resolution === 'refused';
}

async function resolve(
  parts: ResolveParts,
  run: RecordedRun,
  unit: RecordedUnit,
  undo: Prober,
): Promise<Resolution> {
  const { intent } = unit;
  const options = { timeoutMs: FACT_TIMEOUT_MS, signal: parts.signal };
  let state: Resolution = 'unknown';
  try {
    const target = recordedTarget(run, intent.target, parts.redactor);
    const session = await openSession(parts, target, intent.become);
    const deadline = parts.clock.now() + RUNNING_LIMIT_MS;
    const waits = () => parts.clock.now() < deadline && !parts.isStopping();
    for (;;) {
      // The fence ensures that no other connection acts on the host; only then is "never started"
      // reliable.
      const { control } = await session.exchange(
        { control: { fence: true, unit: intent.unit } },
        options,
      );
      if (control.fence === 'busy' && waits()) {
        await parts.clock.sleep(500, parts.signal);
        continue;
      }
      const record = control.unit;
      // Without a clear fence, the request may still arrive over an earlier connection.
      if (record?.state === 'never_started')
        state = control.fence === 'clear' ? 'planned' : 'running';
      if (record?.state === 'finished') state = record.code === 0 ? 'changed' : 'failed';
      if (record?.state !== 'running') break;
      if (!waits()) {
        state = 'running';
        break;
      }
      await parts.clock.sleep(1000, parts.signal);
    }
    const { probe } = unit.whole().undo;
    if (state === 'unknown' && probe) {
      const code = await undo.probe(unit, probe);
      state = code === 0 ? 'changed' : code === 1 ? 'planned' : 'unknown';
    }
  } catch (error) {
    if (!(error instanceof RunnerError) || error instanceof JournalError) throw error;
    state = error instanceof ConnectError && !error.retryable ? 'refused' : 'unreachable';
  }
  const known = isOpen(state) ? 'unknown' : state;
  parts.log.write({ t: 'resolved', unit: intent.unit, state: known });
  return state;
}
