import type { VaultSource } from '../util/vault.ts';
import type { RunOutcome, StepInfo, UndoState, UnitState } from '../core/states.ts';
import type { HostAddress } from '../core/host.ts';
import type { Become, OnFailure } from '../language/document.ts';
import { JournalError } from '../core/errors.ts';
import {
  journalFormat,
  type StoredRecord,
  type PinnedFile,
  type RollbackTask,
  type UndoBody,
  type UndoPlan,
} from './records.ts';
import type { Stored } from './stored.ts';

/**
 * A stored record that is read from the file when it is needed, so that large runs do not fill the
 * memory.
 */
export type OnDemand<T> = () => T;

type RecordOf<T extends StoredRecord['t']> = Extract<StoredRecord, { t: T }>;

export interface RecordedStep {
  info: StepInfo;
  /** Identifies this execution of the step: play, batch and flush point. */
  key: string;
  hosts: string[];
  /** By host, in the order of the records. */
  learnt: Map<string, OnDemand<RecordOf<'learnt'>>>;
  /** Results of loop items by host and position. */
  items: Map<string, Map<number, OnDemand<RecordOf<'result'>>>>;
  /** Numbers of the units of the step that can change a host. */
  units: number[];
}

/** The part of an intent that decides about its undo. */
export type IntentHead = Pick<
  RecordOf<'intent'>,
  | 'unit'
  | 'step'
  | 'host'
  | 'target'
  | 'shared'
  | 'become'
  | 'index'
  | 'notifies'
  | 'handler'
  | 'block'
> & { item: string | undefined; undo: Pick<UndoPlan, 'on' | 'error'> & { kind: UndoBody['kind'] } };

export interface RecordedUnit {
  intent: IntentHead;
  /** The complete intent with arguments, undo and captured values. */
  whole: OnDemand<RecordOf<'intent'>>;
  result: OnDemand<RecordOf<'result'>> | undefined;
  /** The recorded result, or the state that a rollback has found. */
  state: UnitState | 'planned';
  undo: UndoState | undefined;
  undoStarted: boolean;
  /** Number of the last step that started before the undo of this unit. */
  stepBeforeUndo: number;
}

type Header = RecordOf<'run'>;
/** A fingerprint from before the run. */
export type FingerprintRecord = Extract<RecordOf<'fingerprint'>, { phase: 'before' }>;
type PolicyRecord = RecordOf<'rollback-policy'>;
type PolicyHead = Omit<PolicyRecord, 't' | 'tasks'> & { tasks: OnDemand<RollbackTask<'stored'>[]> };

/** The state of a run, derived from its journal. */
export interface RecordedRun {
  header: Header;
  /** Addresses by name. */
  hosts: Map<string, Stored<HostAddress>>;
  steps: Map<number, RecordedStep>;
  /** Numbers of the steps by key. A resumed run can run a step again. */
  executions: Map<string, number[]>;
  units: Map<number, RecordedUnit>;
  results: OnDemand<RecordOf<'result'>>[];
  /**
   * Failed hosts, with the keys of the failed steps that were neither rescued nor completed later.
   */
  failedHosts: Map<string, Set<string>>;
  /** Copies of the files of the playbook, made when the run read them. */
  files: PinnedFile[];
  /** Secrets that became known during the run. */
  secrets: { name: string; env: string }[];
  /** Encrypted values that were read. The records contain references to their secrets. */
  vault: VaultSource[];
  /** Keys of the commit points that were passed. */
  commits: Set<string>;
  /**
   * Units that a later commit point does not make final: those of failed hosts whose rollback was
   * incomplete.
   */
  leftOpen: Set<number>;
  /** The last commit point. Units up to its number are final, except `leftOpen`. */
  commit: { name: string; unit: number } | undefined;
  /** Name of the last point of no return that was passed, even if commit points follow it. */
  noReturn: string | undefined;
  /** Names of points of no return that the operator accepted when the run was resumed. */
  accepted: string[];
  /**
   * Failures for which a rescue has started: number of the last unit at that time, by key of the
   * step and host.
   */
  rescued: Map<string, Map<string, number>>;
  fingerprints: { phase: 'before' | 'after'; whole: OnDemand<RecordOf<'fingerprint'>> }[];
  rollbacks: number;
  /** A rollback of the whole run has started, and no step has started since. */
  isRollingBack: boolean;
  /**
   * The run completed except for failed hosts that were tolerated. Since then, only these were
   * rolled back.
   */
  isDoneInPart: boolean;
  policies: PolicyHead[];
  /** Batches of the plays that have started, by ID. */
  plays: Map<string, string[][]>;
  /** ID of the play that started last. */
  lastPlay: string | undefined;
  /** Hosts that the run has locked, with the identity that locked them. */
  locks: Map<string, Become>;
  /** Hosts that were rolled back alone while the run continued on the others. */
  rolledBack: Set<string>;
  /** Lost outputs in the order of their loss. */
  lostOutputs: { output: string; code: string; reason: string; at: string }[];
  end: { outcome: RunOutcome; exitCode: number; message: string; at: string } | undefined;
  lastUnit: number;
  lastStep: number;
}

/** @throws JournalError if the first record is not a run record */
export function readRun(records: readonly StoredRecord[]): RecordedRun {
  const run = beginRun(records[0]);
  for (const record of records) applyRecord(run, record, () => record);
  return run;
}

/** The state of a run after its first record. @throws JournalError if that is not a run record */
export function beginRun(header: StoredRecord | undefined): RecordedRun {
  if (header?.t !== 'run') throw new JournalError('The journal does not start with a run record.');
  refuseOtherFormat(header);
  return {
    header,
    hosts: new Map(header.hosts.map((host) => [host.name, host])),
    steps: new Map(),
    executions: new Map(),
    units: new Map(),
    results: [],
    failedHosts: new Map(),
    files: [...header.files],
    secrets: [],
    vault: [...(header.vault ?? [])],
    commits: new Set(),
    leftOpen: new Set(),
    commit: undefined,
    noReturn: undefined,
    accepted: [],
    rescued: new Map(),
    fingerprints: [],
    rollbacks: 0,
    isRollingBack: false,
    isDoneInPart: false,
    policies: [],
    plays: new Map(),
    lastPlay: undefined,
    locks: new Map(),
    rolledBack: new Set(),
    lostOutputs: [],
    end: undefined,
    lastUnit: 0,
    lastStep: 0,
  };
}

/** @throws JournalError if only another version of runner can read the journal */
function refuseOtherFormat(header: Header): void {
  const { format = 1, runner, run } = header as Partial<Header> & { format?: number };
  if (format === journalFormat) return;
  const what = `The journal of run ${run ?? ''} has format ${String(format)}; this version of runner reads format ${String(journalFormat)} only.`;
  const writer =
    runner === undefined
      ? 'the version of runner that wrote it, from before the first release,'
      : `runner ${runner}, which wrote it,`;
  throw new JournalError(what, {
    hint: `Use ${writer} to resume the run or roll it back.`,
  });
}

/**
 * Updates the state of a run with one record. Nothing else changes the state.
 *
 * @param whole reads the record again, to avoid keeping large parts of it in memory
 */
export function applyRecord(
  run: RecordedRun,
  record: StoredRecord,
  whole: OnDemand<StoredRecord>,
): void {
  // The table has a function for each type, but the compiler cannot derive that from the union.
  const apply = effects[record.t] as Effect<StoredRecord> | undefined;
  apply?.(run, record, whole);
}

type Effect<R> = (run: RecordedRun, record: R, whole: OnDemand<R>) => void;

/** Updates by type of record. Types without one do not change the state. */
const effects: { readonly [T in StoredRecord['t']]?: Effect<RecordOf<T>> } = {
  step(run, { step, key, hosts }) {
    const nothing = { learnt: new Map(), items: new Map(), units: [] };
    run.steps.set(step.number, { info: step, key, hosts, ...nothing });
    run.executions.set(key, [...(run.executions.get(key) ?? []), step.number]);
    run.lastStep = Math.max(run.lastStep, step.number);
    run.isRollingBack = false;
    run.isDoneInPart = false;
  },
  intent(run, record, whole) {
    const state = record.block ? 'changed' : 'unknown';
    const known: Omit<RecordedUnit, 'intent' | 'whole'> = {
      result: undefined,
      state,
      undo: undefined,
      undoStarted: false,
      stepBeforeUndo: 0,
    };
    run.units.set(record.unit, { intent: headOf(record), whole, ...known });
    run.steps.get(record.step)?.units.push(record.unit);
    run.lastUnit = Math.max(run.lastUnit, record.unit);
  },
  result(run, { unit: number, step, host, state, ignored, index }, whole) {
    const unit = run.units.get(number);
    if (unit) {
      unit.result = whole;
      // A lost connection says nothing about the result of the step. The host may still report it.
      unit.state = state === 'unreachable' ? 'unknown' : state;
    }
    run.results.push(whole);
    if (ignored !== true && failures.has(state)) {
      const keys = run.failedHosts.get(host) ?? new Set();
      run.failedHosts.set(host, keys.add(run.steps.get(step)?.key ?? ''));
    }
    if (index !== undefined) {
      const items = run.steps.get(step)?.items;
      const own = items?.get(host) ?? new Map<number, OnDemand<RecordOf<'result'>>>();
      items?.set(host, own.set(index, whole));
    }
    run.lastUnit = Math.max(run.lastUnit, number);
  },
  learnt(run, { step, host, added = [], failed }, whole) {
    run.steps.get(step)?.learnt.set(host, whole);
    if (!failed) forgetFailure(run, host, run.steps.get(step)?.key);
    for (const { name, address } of added) run.hosts.set(name, address);
  },
  'block-end'(run, { unit, upTo }) {
    const block = run.units.get(unit)?.intent.block;
    if (block) block.until = upTo;
    // Units without a record may have numbers up to this one. Later units must not use these
    // numbers.
    run.lastUnit = Math.max(run.lastUnit, upTo);
  },
  rescue(run, { failed, hosts }) {
    const known = run.rescued.get(failed) ?? new Map<string, number>();
    for (const host of hosts) {
      known.set(host, run.lastUnit);
      forgetFailure(run, host, failed);
    }
    run.rescued.set(failed, known);
  },
  file(run, { path, sha256, pinned }) {
    run.files.push({ path, sha256, pinned });
  },
  commit(run, { key, name, unit, irreversible }) {
    run.commits.add(key);
    if (!irreversible) for (const { intent } of openAlone(run)) run.leftOpen.add(intent.unit);
    run.commit = { name, unit };
    if (irreversible) run.noReturn = name;
    // As for a block: a later unit with a number before the commit point would never be undone.
    run.lastUnit = Math.max(run.lastUnit, unit);
  },
  resolved(run, { unit: number, state }) {
    const unit = run.units.get(number);
    if (unit) unit.state = state;
  },
  'undo-intent'(run, { unit: number }) {
    const unit = run.units.get(number);
    if (!unit) return;
    unit.undoStarted = true;
    unit.stepBeforeUndo = run.lastStep;
  },
  'undo-result'(run, { unit: number, state }) {
    const unit = run.units.get(number);
    if (unit) unit.undo = state;
  },
  fingerprint(run, { phase }, whole) {
    run.fingerprints.push({ phase, whole });
  },
  rollback(run, { partial, hosts = [], attempt }) {
    if (partial === true) for (const host of hosts) run.rolledBack.add(host);
    else {
      run.rollbacks = attempt;
      run.isRollingBack = true;
      run.isDoneInPart = false;
    }
    run.end = undefined;
  },
  'rollback-policy'(run, { play, onFailure, budgetSeconds, settleSeconds }, whole) {
    const tasks = () => whole().tasks;
    run.policies.push({ play, onFailure, budgetSeconds, settleSeconds, tasks });
  },
  secret(run, { name, env }) {
    run.secrets.push({ name, env });
  },
  vault(run, { source }) {
    run.vault.push(source);
  },
  lock(run, { host, become }) {
    run.locks.set(host, become);
  },
  'lock-refused'(run, { host }) {
    run.locks.delete(host);
  },
  'output-lost'(run, { output, code, reason, at }) {
    run.lostOutputs.push({ output, code, reason, at });
  },
  play(run, { id, batches }) {
    run.plays.set(id, batches);
    run.lastPlay = id;
  },
  resume(run, { pid, bootId, accepted = [] }) {
    if (run.isRollingBack) forgetUndoneRescues(run);
    run.accepted.push(...accepted);
    // Failed steps run again, or are no longer in the playbook.
    for (const host of run.failedHosts.keys())
      if (!run.rolledBack.has(host)) run.failedHosts.delete(host);
    run.header = { ...run.header, pid, bootId };
    run.end = undefined;
  },
  end(run, { outcome, exitCode, message, at }) {
    run.end = { outcome, exitCode, message, at };
    if (outcome === 'done_in_part') run.isDoneInPart = true;
  },
};

function forgetFailure({ failedHosts }: RecordedRun, host: string, key = ''): void {
  const keys = failedHosts.get(host);
  keys?.delete(key);
  if (keys?.size === 0) failedHosts.delete(host);
}

/** After a rollback, failed steps after the last commit point run again. */
function forgetUndoneRescues({ rescued, commit }: RecordedRun): void {
  for (const hosts of rescued.values())
    for (const [host, unit] of hosts) if (unit > (commit?.unit ?? 0)) hosts.delete(host);
}

function headOf(intent: RecordOf<'intent'>): IntentHead {
  const { unit, step, host, target, shared, become, index, notifies, handler, block } = intent;
  const { on, error, body } = intent.undo;
  const shown = typeof intent.item === 'string' ? intent.item : undefined;
  const item = intent.hidden ? `item ${String((intent.index ?? 0) + 1)}` : shown;
  const head = { unit, step, host, target, shared, item, become, index, notifies, handler };
  return { ...head, block: block && { ...block }, undo: { on, error, kind: body.kind } };
}

/** Whether the unit is undone, does not need an undo, or was skipped on purpose. */
export function isSettled(unit: RecordedUnit): boolean {
  return unit.undo === 'undone' || unit.undo === 'undo-skipped' || !needsUndo(unit);
}

/** By the effect on the host, not by whether the step failed (docs/rollback.md#what-is-undone). */
export function needsUndo(unit: RecordedUnit): boolean {
  const { state } = unit;
  const { on, kind } = unit.intent.undo;
  if (kind === 'none') return false;
  if (on === 'always') return state !== 'planned';
  return hadEffect(unit) && on.some((trigger) => trigger === state);
}

/** Whether the unit has changed something, or may have. */
export function hadEffect({ state }: RecordedUnit): boolean {
  return state === 'changed' || state === 'failed' || state === 'unknown';
}

/** Units that a rollback must consider, newest first. */
export function undoCandidates(run: RecordedRun): RecordedUnit[] {
  const from = run.commit?.unit ?? 0;
  return [...run.units.values()]
    .filter(({ intent: { unit } }) => unit > from || run.leftOpen.has(unit))
    .sort((a, b) => b.intent.unit - a.intent.unit);
}

/**
 * Units whose hosts were rolled back alone, but that are not undone. Changes made once for all
 * hosts are not undone then.
 */
export function openAlone(run: RecordedRun): RecordedUnit[] {
  return undoCandidates(run).filter(
    (unit) =>
      run.rolledBack.has(unit.intent.host) && unit.intent.shared !== 'run_once' && !isSettled(unit),
  );
}

/** The rollback settings. Those of the play that started last override those of the playbook. */
export function rollbackPolicy(run: RecordedRun): {
  onFailure: OnFailure | undefined;
  budgetSeconds: number | undefined;
  settleSeconds: number | undefined;
  tasks: RollbackTask<'stored'>[];
} {
  const playbook = run.policies.filter(({ play }) => play === '');
  const play = run.policies.filter((policy) => policy.play !== '' && policy.play === run.lastPlay);
  const policies = [...play, ...playbook];
  return {
    onFailure: policies.find(({ onFailure }) => onFailure !== undefined)?.onFailure,
    budgetSeconds: policies.find(({ budgetSeconds }) => budgetSeconds !== undefined)?.budgetSeconds,
    settleSeconds: policies.find(({ settleSeconds }) => settleSeconds !== undefined)?.settleSeconds,
    tasks: run.policies.flatMap(({ tasks }) => tasks()),
  };
}

const failures = new Set<UnitState>(['failed', 'unreachable', 'unknown']);
