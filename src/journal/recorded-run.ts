import type { VaultSource } from '../util/vault.ts';
import type { Outcome, StepInfo, UndoState, UnitState } from '../core/events.ts';
import type { HostAddress } from '../core/host.ts';
import type { Become, OnFailure } from '../core/playbook.ts';
import { JournalError } from '../core/errors.ts';
import type {
  IntentRecord,
  JournalRecord,
  PinnedFile,
  ResultRecord,
  RollbackTask,
  StepEndRecord,
  UndoBody,
  UndoPlan,
} from './records.ts';

/** A record of a run as it is stored. It is read when it is needed, so that what many hosts left does not stay in memory. */
export type Stored<T> = () => T;

export interface RecordedStep {
  info: StepInfo;
  /** What tells this execution of the step from others of the same step: play batch and flush. */
  key: string;
  hosts: string[];
  ends: Map<string, Stored<StepEndRecord>>;
  /** Results of loop items by position, by host. */
  items: Map<string, Map<number, Stored<ResultRecord>>>;
}

/** What decides about the undo of a unit. */
export type IntentHead = Pick<
  IntentRecord,
  'unit' | 'step' | 'host' | 'target' | 'shared' | 'become' | 'notifiedBy' | 'block'
> & { undo: Pick<UndoPlan, 'on' | 'error'> & { kind: UndoBody['kind'] } };

export interface RecordedUnit {
  intent: IntentHead;
  /** The intent with its arguments, its undo and what was captured. */
  whole: Stored<IntentRecord>;
  result: Stored<ResultRecord> | undefined;
  /** What is known by now: the result, or what a rollback found out. */
  state: UnitState | 'planned';
  undo: UndoState | undefined;
  undoStarted: boolean;
}

type Header = Extract<JournalRecord, { t: 'run' }>;
export type FingerprintRecord = Extract<JournalRecord, { t: 'fingerprint' }>;
type PolicyRecord = Extract<JournalRecord, { t: 'rollback-policy' }>;
type PolicyHead = Omit<PolicyRecord, 't' | 'tasks'> & { tasks: Stored<RollbackTask[]> };

/** A run as its journal tells it. */
export interface RecordedRun {
  header: Header;
  hosts: Map<string, HostAddress>;
  steps: Map<number, RecordedStep>;
  units: Map<number, RecordedUnit>;
  results: Stored<ResultRecord>[];
  /** Hosts on which the forward run failed. */
  failedHosts: Set<string>;
  /** Files of the playbook, as they were when the run read them. */
  files: PinnedFile[];
  /** Secrets that came up in the course of the run. */
  secrets: { name: string; env: string }[];
  /** Encrypted texts that were read, whose secrets the records refer to. */
  vault: VaultSource[];
  /** Commit points that were passed, by key. */
  commits: Set<string>;
  /** The last commit point: units up to this number stay. */
  commit: { name: string; unit: number; irreversible: boolean } | undefined;
  fingerprints: { phase: 'before' | 'after'; whole: Stored<FingerprintRecord> }[];
  rollbacks: number;
  policies: PolicyHead[];
  /** Id of the play that was going on last. */
  lastPlay: string | undefined;
  /** Hosts that the run holds, with the identity that holds them. */
  locks: Map<string, Become>;
  /** Hosts that were taken back alone while the run went on with the others. */
  takenBack: Set<string>;
  end: { outcome: Outcome; exitCode: number; message: string; at: string } | undefined;
  lastUnit: number;
  lastStep: number;
}

/** @throws JournalError when the records do not begin with a run */
export function readRun(records: readonly JournalRecord[]): RecordedRun {
  const run = beginRun(records[0]);
  for (const record of records) applyRecord(run, record, () => record);
  return run;
}

/** A run of which only the first record is known. @throws JournalError when that is another record */
export function beginRun(header: JournalRecord | undefined): RecordedRun {
  if (header?.t !== 'run')
    throw new JournalError('The journal does not begin with the record of a run.');
  return {
    header,
    hosts: new Map(header.hosts.map((host) => [host.name, host])),
    steps: new Map(),
    units: new Map(),
    results: [],
    failedHosts: new Set(),
    files: [...header.files],
    secrets: [],
    vault: [...(header.vault ?? [])],
    commits: new Set(),
    commit: undefined,
    fingerprints: [],
    rollbacks: 0,
    policies: [],
    lastPlay: undefined,
    locks: new Map(),
    takenBack: new Set(),
    end: undefined,
    lastUnit: 0,
    lastStep: 0,
  };
}

/**
 * Changes what is known of a run by one record: the only way in which it changes.
 *
 * @param whole gives the same record again; parts that may be large are left to it
 */
export function applyRecord(
  run: RecordedRun,
  record: JournalRecord,
  whole: Stored<JournalRecord>,
): void {
  switch (record.t) {
    case 'step':
      run.steps.set(record.step.number, {
        info: record.step,
        key: record.key,
        hosts: record.hosts,
        ends: new Map(),
        items: new Map(),
      });
      run.lastStep = Math.max(run.lastStep, record.step.number);
      break;
    case 'intent':
      run.units.set(record.unit, {
        intent: headOf(record),
        whole: whole as Stored<IntentRecord>,
        result: undefined,
        state: record.block ? 'changed' : 'unknown',
        undo: undefined,
        undoStarted: false,
      });
      run.lastUnit = Math.max(run.lastUnit, record.unit);
      break;
    case 'result': {
      const unit = run.units.get(record.unit);
      const stored = whole as Stored<ResultRecord>;
      if (unit) {
        unit.result = stored;
        // A line that broke says nothing about the step; the host may know.
        unit.state = record.state === 'unreachable' ? 'unknown' : record.state;
      }
      run.results.push(stored);
      if (record.ignored !== true && failures.has(record.state)) run.failedHosts.add(record.host);
      if (record.index !== undefined) {
        const items = run.steps.get(record.step)?.items;
        const own = items?.get(record.host) ?? new Map<number, Stored<ResultRecord>>();
        items?.set(record.host, own.set(record.index, stored));
      }
      run.lastUnit = Math.max(run.lastUnit, record.unit);
      break;
    }
    case 'step-end':
      run.steps.get(record.step)?.ends.set(record.host, whole as Stored<StepEndRecord>);
      for (const { name, address } of record.addedHosts ?? []) run.hosts.set(name, address);
      break;
    case 'block-end': {
      const unit = run.units.get(record.unit);
      if (unit?.intent.block) unit.intent.block.until = record.upTo;
      break;
    }
    case 'file':
      run.files.push({ path: record.path, sha256: record.sha256, pinned: record.pinned });
      break;
    case 'commit':
      run.commits.add(record.key);
      run.commit = { name: record.name, unit: record.unit, irreversible: record.irreversible };
      break;
    case 'resolved': {
      const unit = run.units.get(record.unit);
      if (unit) unit.state = record.state;
      break;
    }
    case 'undo-intent': {
      const unit = run.units.get(record.unit);
      if (unit) unit.undoStarted = true;
      break;
    }
    case 'undo-result': {
      const unit = run.units.get(record.unit);
      if (unit) unit.undo = record.state;
      break;
    }
    case 'fingerprint':
      run.fingerprints.push({ phase: record.phase, whole: whole as Stored<FingerprintRecord> });
      break;
    case 'rollback':
      if (record.partial === true) for (const host of record.hosts ?? []) run.takenBack.add(host);
      else run.rollbacks = record.attempt;
      run.end = undefined;
      break;
    case 'rollback-policy':
      run.policies.push({
        play: record.play,
        onFailure: record.onFailure,
        budgetSeconds: record.budgetSeconds,
        settleSeconds: record.settleSeconds,
        tasks: () => (whole as Stored<PolicyRecord>)().tasks,
      });
      break;
    case 'secret':
      run.secrets.push({ name: record.name, env: record.env });
      break;
    case 'vault':
      run.vault.push(record.source);
      break;
    case 'lock':
      run.locks.set(record.host, record.become);
      break;
    case 'play':
      run.lastPlay = record.id;
      break;
    case 'resume':
      run.header = { ...run.header, pid: record.pid, bootId: record.bootId };
      run.end = undefined;
      break;
    case 'end':
      run.end = {
        outcome: record.outcome,
        exitCode: record.exitCode,
        message: record.message,
        at: record.at,
      };
      break;
    case 'run':
    case 'recovered':
    case 'parked':
    case 'unparked':
    case 'verified':
      break;
  }
}

function headOf(intent: IntentRecord): IntentHead {
  const { unit, step, host, target, shared, become, notifiedBy, block } = intent;
  const { on, error, body } = intent.undo;
  const head = { unit, step, host, target, shared, become, notifiedBy };
  return { ...head, block: block && { ...block }, undo: { on, error, kind: body.kind } };
}

/** Whether the unit's undo is done, was not needed, or was skipped on purpose. */
export function isSettled(unit: RecordedUnit): boolean {
  return unit.undo === 'undone' || unit.undo === 'undo-skipped' || !needsUndo(unit);
}

/** rollback.md §5: the effect counts, not the verdict. */
export function needsUndo(unit: RecordedUnit): boolean {
  const { state } = unit;
  const { on, kind } = unit.intent.undo;
  if (kind === 'none') return false;
  if (on === 'always') return state !== 'planned';
  return hadEffect(unit) && on.some((trigger) => trigger === state);
}

/** Whether the unit changed something, or may have. */
export function hadEffect({ state }: RecordedUnit): boolean {
  return state === 'changed' || state === 'failed' || state === 'unknown';
}

/** Units a rollback has to look at, newest first. */
export function undoCandidates(run: RecordedRun): RecordedUnit[] {
  const from = run.commit?.unit ?? 0;
  return [...run.units.values()]
    .filter(({ intent }) => intent.unit > from)
    .sort((a, b) => b.intent.unit - a.intent.unit);
}

/** Units of hosts that were to be taken back alone, and are not. What was done once for all hosts stays in any case. */
export function openAlone(run: RecordedRun): RecordedUnit[] {
  return undoCandidates(run).filter(
    (unit) =>
      run.takenBack.has(unit.intent.host) && unit.intent.shared !== 'run_once' && !isSettled(unit),
  );
}

/** What was said about the way back, the play that was going on before the playbook. */
export function rollbackPolicy(run: RecordedRun): {
  onFailure: OnFailure | undefined;
  budgetSeconds: number | undefined;
  settleSeconds: number | undefined;
  tasks: RollbackTask[];
} {
  const playbook = run.policies.filter(({ play }) => play === '');
  const play = run.policies.filter((policy) => policy.play !== '' && policy.play === run.lastPlay);
  const said = [...play, ...playbook];
  return {
    onFailure: said.find(({ onFailure }) => onFailure !== undefined)?.onFailure,
    budgetSeconds: said.find(({ budgetSeconds }) => budgetSeconds !== undefined)?.budgetSeconds,
    settleSeconds: said.find(({ settleSeconds }) => settleSeconds !== undefined)?.settleSeconds,
    tasks: run.policies.flatMap(({ tasks }) => tasks()),
  };
}

const failures = new Set<UnitState>(['failed', 'unreachable', 'unknown']);
