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

/** A record of a run as it is stored. It is read when it is needed, so that what many hosts left does not stay in memory. */
export type OnDemand<T> = () => T;

type RecordOf<T extends StoredRecord['t']> = Extract<StoredRecord, { t: T }>;

export interface RecordedStep {
  info: StepInfo;
  /** What tells this execution of the step from others of the same step: play batch and flush. */
  key: string;
  hosts: string[];
  /** By host, in the order in which it was learnt. */
  learnt: Map<string, OnDemand<RecordOf<'learnt'>>>;
  /** Results of loop items by position, by host. */
  items: Map<string, Map<number, OnDemand<RecordOf<'result'>>>>;
  /** Numbers of its units that can change a host. */
  units: number[];
}

/** What decides about the undo of a unit. */
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
  /** The intent with its arguments, its undo and what was captured. */
  whole: OnDemand<RecordOf<'intent'>>;
  result: OnDemand<RecordOf<'result'>> | undefined;
  /** What is known by now: the result, or what a rollback found out. */
  state: UnitState | 'planned';
  undo: UndoState | undefined;
  undoStarted: boolean;
  /** Number of the last step that had begun when its undo did: those up to it came before the undo. */
  stepBeforeUndo: number;
}

type Header = RecordOf<'run'>;
/** Of before the run. */
export type FingerprintRecord = Extract<RecordOf<'fingerprint'>, { phase: 'before' }>;
type PolicyRecord = RecordOf<'rollback-policy'>;
type PolicyHead = Omit<PolicyRecord, 't' | 'tasks'> & { tasks: OnDemand<RollbackTask<'stored'>[]> };

/** A run as its journal tells it. */
export interface RecordedRun {
  header: Header;
  /** Addresses by name. */
  hosts: Map<string, Stored<HostAddress>>;
  steps: Map<number, RecordedStep>;
  /** Numbers of the steps with one key: a resumed run may do a step again. */
  executions: Map<string, number[]>;
  units: Map<number, RecordedUnit>;
  results: OnDemand<RecordOf<'result'>>[];
  /** Hosts on which the forward run has failed, with the keys of the steps that failed and were neither rescued nor done later. */
  failedHosts: Map<string, Set<string>>;
  /** Files of the playbook, as they were when the run read them. */
  files: PinnedFile[];
  /** Secrets that came up in the course of the run. */
  secrets: { name: string; env: string }[];
  /** Encrypted texts that were read, whose secrets the records refer to. */
  vault: VaultSource[];
  /** Commit points that were passed, by key. */
  commits: Set<string>;
  /** Numbers of units before a commit point that it does not make final: those of failed hosts that were not rolled back by then. */
  leftOpen: Set<number>;
  /** The last commit point: other units up to this number stay. */
  commit: { name: string; unit: number } | undefined;
  /** Name of the last point of no return that was passed. Later commit points do not change it. */
  noReturn: string | undefined;
  /** Names of points of no return that the operator agreed to when the run was resumed. */
  accepted: string[];
  /** Failures for which a rescue has begun: by key of the step's execution and host, the number of the last unit then. */
  rescued: Map<string, Map<string, number>>;
  fingerprints: { phase: 'before' | 'after'; whole: OnDemand<RecordOf<'fingerprint'>> }[];
  rollbacks: number;
  /** A rollback of the whole run has begun, and no step since. */
  isGoingBack: boolean;
  /** It came to its end, but for hosts that failed and were tolerated; only they are rolled back since. */
  isDoneInPart: boolean;
  policies: PolicyHead[];
  /** Batches of the plays that have begun, by id. */
  plays: Map<string, string[][]>;
  /** Id of the play that was going on last. */
  lastPlay: string | undefined;
  /** Hosts that the run holds, with the identity that holds them. */
  locks: Map<string, Become>;
  /** Hosts that were taken back alone while the run went on with the others. */
  rolledBack: Set<string>;
  /** Outputs that could not be written any more, in the order in which they were lost. */
  lostOutputs: { output: string; code: string; reason: string; at: string }[];
  end: { outcome: RunOutcome; exitCode: number; message: string; at: string } | undefined;
  lastUnit: number;
  lastStep: number;
}

/** @throws JournalError when the records do not begin with a run */
export function readRun(records: readonly StoredRecord[]): RecordedRun {
  const run = beginRun(records[0]);
  for (const record of records) applyRecord(run, record, () => record);
  return run;
}

/** A run of which only the first record is known. @throws JournalError when that is another record */
export function beginRun(header: StoredRecord | undefined): RecordedRun {
  if (header?.t !== 'run')
    throw new JournalError('The journal does not begin with the record of a run.');
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
    isGoingBack: false,
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

/** @throws JournalError when another version of runner has to read it */
function refuseOtherFormat(header: Header): void {
  const { format = 1, runner, run } = header as Partial<Header> & { format?: number };
  if (format === journalFormat) return;
  const what = `The journal of run ${run ?? ''} has format ${String(format)}; this version of runner reads format ${String(journalFormat)} only.`;
  const writer =
    runner === undefined
      ? 'the version of runner that wrote it, from before the first release,'
      : `runner ${runner}, which wrote it,`;
  throw new JournalError(what, {
    hint: `Use ${writer} to roll the run back or to finish it.`,
  });
}

/**
 * Changes what is known of a run by one record: the only way in which it changes.
 *
 * @param whole gives the same record again; parts that may be large are left to it
 */
export function applyRecord(
  run: RecordedRun,
  record: StoredRecord,
  whole: OnDemand<StoredRecord>,
): void {
  // The table has a function for each type, which the compiler does not follow through the union.
  const apply = effects[record.t] as Effect<StoredRecord> | undefined;
  apply?.(run, record, whole);
}

type Effect<R> = (run: RecordedRun, record: R, whole: OnDemand<R>) => void;

/** What a record says about the run; those that say nothing new are left out. */
const effects: { readonly [T in StoredRecord['t']]?: Effect<RecordOf<T>> } = {
  step(run, { step, key, hosts }) {
    const nothing = { learnt: new Map(), items: new Map(), units: [] };
    run.steps.set(step.number, { info: step, key, hosts, ...nothing });
    run.executions.set(key, [...(run.executions.get(key) ?? []), step.number]);
    run.lastStep = Math.max(run.lastStep, step.number);
    run.isGoingBack = false;
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
      // A line that broke says nothing about the step; the host may know.
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
    // Numbers up to here may have been given to units without a record. A later unit must not get one of them.
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
    // As for a block: a unit with a number of before the commit point would never be undone.
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
      run.isGoingBack = true;
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
    if (run.isGoingBack) forgetUndoneRescues(run);
    run.accepted.push(...accepted);
    // What failed runs again, or is no longer in the playbook.
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

/** After a rollback, what failed behind the last commit point runs again. */
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

/** Whether the unit's undo is done, was not needed, or was skipped on purpose. */
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

/** Whether the unit changed something, or may have. */
export function hadEffect({ state }: RecordedUnit): boolean {
  return state === 'changed' || state === 'failed' || state === 'unknown';
}

/** Units a rollback has to look at, newest first. */
export function undoCandidates(run: RecordedRun): RecordedUnit[] {
  const from = run.commit?.unit ?? 0;
  return [...run.units.values()]
    .filter(({ intent: { unit } }) => unit > from || run.leftOpen.has(unit))
    .sort((a, b) => b.intent.unit - a.intent.unit);
}

/** Units of hosts that were to be taken back alone, and are not. What was done once for all hosts stays in any case. */
export function openAlone(run: RecordedRun): RecordedUnit[] {
  return undoCandidates(run).filter(
    (unit) =>
      run.rolledBack.has(unit.intent.host) && unit.intent.shared !== 'run_once' && !isSettled(unit),
  );
}

/** What was said about the way back, the play that was going on before the playbook. */
export function rollbackPolicy(run: RecordedRun): {
  onFailure: OnFailure | undefined;
  budgetSeconds: number | undefined;
  settleSeconds: number | undefined;
  tasks: RollbackTask<'stored'>[];
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
