import type { HostAddress } from '../core/host.ts';
import type { RunOutcome, StepInfo, UndoState, UnitState } from '../core/states.ts';
import type { Failure } from '../core/failure.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Difference, NotUndone } from '../core/undo.ts';
import type { Condition, SourceObject } from '../core/value.ts';
import type { AddedHost, ModuleCall } from '../core/module.ts';
import type { VaultSource } from '../util/vault.ts';
import type { Become, OnFailure, TaskNode, UndoTrigger } from '../language/document.ts';
import type { Stored } from './stored.ts';

/** Of the records below. A journal of another format is refused. */
export const journalFormat = 4;

/** A record as it is given to the log, or as the journal holds it. */
export type Form = 'given' | 'stored';
/** What may hold values of users and hosts. */
type Value<F extends Form, T> = F extends 'stored' ? Stored<T> : T;

/** How a unit is taken back, complete in itself: no file and no variable of later is needed. */
export type UndoBody<F extends Form = 'given'> =
  | { kind: 'auto'; calls: (Omit<ModuleCall, 'args'> & { args: Value<F, JsonObject> })[] }
  /** A handler runs again once what it has read is restored. */
  | { kind: 'rerun'; calls: (Omit<ModuleCall, 'args'> & { args: Value<F, JsonObject> })[] }
  | { kind: 'declared'; tasks: Value<F, TaskNode>[]; vars: Value<F, JsonObject> }
  | { kind: 'none'; reason?: string | undefined }
  | { kind: 'uncovered' }
  | { kind: 'irreversible'; reason: string };

export interface UndoPlan<F extends Form = 'given'> {
  body: UndoBody<F>;
  on: UndoTrigger[] | 'always';
  when: Value<F, Condition[]>;
  error: 'block' | 'continue';
  /** Registers of the capture tasks. */
  captured: Value<F, JsonObject>;
  probe?: Value<F, TaskNode> | undefined;
}

/** A handler: its id, and its name with that of its role, which handlers of other plays and includes may share. */
export interface HandlerRef {
  id: string;
  name: string;
}

export interface IntentRecord<F extends Form = 'given'> {
  t: 'intent';
  unit: number;
  step: number;
  host: string;
  /** Where it runs, when delegated. */
  target: string;
  /** Not the host's own business alone: delegated, once for all hosts, or on the controller. */
  shared?: 'run_once' | 'delegated' | 'controller' | undefined;
  item?: Value<F, JsonValue> | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  /** Displays do not show the item: the task has `no_log`. */
  hidden?: true | undefined;
  /** Item, captured values and undo of a step with hidden values, encrypted with the run's secrets. */
  sealed?: string | undefined;
  module: string;
  args: Value<F, JsonObject>;
  actions: string[];
  become: Become;
  undo: UndoPlan<F>;
  /** Handlers that a change by this unit notifies. They read what it has changed, even if it has failed. */
  notifies?: HandlerRef[] | undefined;
  /** The unit is a run of this handler. */
  handler?: HandlerRef | undefined;
  /** What the step changes, where neither a path nor a name in its undo says it. */
  touches?: string[] | undefined;
  /** A block's own undo list; needed only if one of the units inside was. It may stand for theirs. */
  block?: { until: number; replace: boolean } | undefined;
}

/** A task of `rollback`, with the values it needs: complete in itself, as an undo is. */
export interface RollbackTask<F extends Form = 'given'> {
  phase: 'before' | 'after' | 'verify';
  host: string;
  name: string;
  task: Value<F, TaskNode>;
  vars: Value<F, JsonObject>;
}

export interface ResultRecord<F extends Form = 'given'> {
  t: 'result';
  unit: number;
  step: number;
  host: string;
  item?: Value<F, JsonValue> | undefined;
  state: UnitState;
  ignored?: boolean | undefined;
  /** Why it failed. */
  failed?: Failure | undefined;
  /** What is said about it where it did not fail. */
  why?: string | undefined;
  rc?: number | undefined;
  /** SHA-256 of the output. */
  digest?: string | undefined;
  durationMs: number;
  /** The registered result, kept where a declared undo may read it as `result`, and for each item of a loop. */
  value?: Value<F, JsonValue> | undefined;
  /** Position in the loop, from zero, of an item that a resumed run need not do again. */
  index?: number | undefined;
}

/** What a step taught the run about one host: enough to continue without running it again. */
export interface LearntRecord<F extends Form = 'given'> {
  t: 'learnt';
  step: number;
  host: string;
  /** Variables, and the hosts that have them from then on. */
  facts?:
    | {
        hosts: string[];
        values: Value<F, JsonObject>;
        /** The values are lists, and come to those that the hosts have. */
        append?: true | undefined;
      }[]
    | undefined;
  left?: string[] | undefined;
  joined?: string[] | undefined;
  added?:
    | (Omit<AddedHost, 'vars'> & { vars: Value<F, JsonObject>; address: Value<F, HostAddress> })[]
    | undefined;
  /** What an include resolved to. */
  included?: Value<F, Included[]> | undefined;
  /** The handler that ran. */
  handled?: string | undefined;
  /** Ids of handlers that are due. */
  due?: string[] | undefined;
  /** Why the step failed here. */
  failed?: Failure | undefined;
  /** Name of the step, which began a change whose outcome is not known. */
  uncertain?: string | undefined;
  /** The hidden part of a `no_log` step, encrypted with the run's secrets. */
  sealed?: string | undefined;
  /** Not all of it is on record, so that a resumed run does the step again. */
  partial?: true | undefined;
}

/** A file of the playbook, as it was when the run read it. */
export interface PinnedFile {
  path: string;
  sha256: string;
  /** Its copy in the folder of the run. */
  pinned: string;
}

/** One item of an include on one host. */
export interface Included {
  /** Whole path of the file or role. Empty for a block. */
  source: string;
  item?: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  /** What its steps are called by, in their ids. */
  part: string;
  /** Length of the loop. */
  length?: number | undefined;
}

/** What was compared on a host after a rollback. It is as before where nothing failed and nothing is different. */
export type Verified =
  /** A task of `rollback.verify`. `why`: what is said about it where it did not fail. */
  | { of: 'task'; name: string; failed?: Failure | undefined; why?: string | undefined }
  /** States that automatic undos have restored. */
  | { of: 'undos'; count: number; different: Difference[] };

interface Silent {
  /** The engine's own bookkeeping, which displays leave out. */
  silent?: true | undefined;
}

export type JournalRecord<F extends Form = 'given'> =
  | {
      t: 'run';
      format: typeof journalFormat;
      /** Version of the program that wrote it. */
      runner: string;
      run: string;
      /** Path of the playbook, and its name. */
      playbook: string;
      name: string;
      /** What overlays change in the playbook, each in words. */
      changes: string[];
      /** Nothing is changed; the journal is not on disk. */
      check: boolean;
      startedAt: string;
      pid: number;
      bootId: string;
      options: JsonObject;
      /** Given inputs. */
      inputs: Value<F, JsonObject>;
      /** Of inputs that were not given. */
      inputDefaults: Value<F, SourceObject>;
      /** Secret inputs that were given, and the environment variables and files that may give them again. */
      secrets: { name: string; env: string; file?: string; optional?: true }[];
      hosts: (Value<F, HostAddress> & { name: string })[];
      /** Variables by host and members by group, as the inventory had them. */
      inventory: {
        file: string;
        vars: Record<string, Value<F, SourceObject>>;
        groups: Record<string, string[]>;
        /** Where the passwords of hosts are, if there are any. */
        passwords?: { source: string; varsFolders: readonly string[] };
      };
      files: PinnedFile[];
      /** What was encrypted in the files that were read, as it stood there. */
      vault?: VaultSource[];
    }
  /** What was encrypted in a file that the run came to read: as those of the header. */
  | { t: 'vault'; source: VaultSource }
  /** A secret that came up in the course of the run. */
  | { t: 'secret'; name: string; env: string }
  /** A file that the run came to include: as those of the header. */
  | ({ t: 'file' } & PinnedFile)
  /** The hosts of a play that begins, in their batches. */
  | { t: 'play'; id: string; batches: string[][] }
  | ({ t: 'step'; step: StepInfo; hosts: string[]; key: string } & Silent)
  | IntentRecord<F>
  | ResultRecord<F>
  | LearntRecord<F>
  | { t: 'block-end'; unit: number; upTo: number }
  /** A rescue begins on hosts on which the execution of a step with that key has failed: it does not run there again. */
  | { t: 'rescue'; failed: string; hosts: string[] }
  /** `key` tells it from those of the same name in other batches and items. */
  | ({ t: 'commit'; name: string; key: string; unit: number; irreversible: boolean } & Silent)
  | {
      t: 'fingerprint';
      phase: 'before';
      host: string;
      /** Id of the task. */
      id: string;
      name: string;
      text: Value<F, string>;
      /** What a rollback needs to take it again. */
      task: Value<F, TaskNode>;
      vars: Value<F, JsonObject>;
    }
  | {
      t: 'fingerprint';
      phase: 'after';
      host: string;
      id: string;
      name: string;
      text: Value<F, string>;
      /** Whether it is as before. */
      equal: boolean;
    }
  /** `play` is empty for what holds for the whole run. */
  | {
      t: 'rollback-policy';
      play: string;
      onFailure?: OnFailure | undefined;
      budgetSeconds?: number | undefined;
      settleSeconds?: number | undefined;
      tasks: RollbackTask<F>[];
    }
  /** A host that is asked for its lock, as the identity that will hold it: written before, since the answer may be lost. */
  | { t: 'lock'; host: string; become: Become }
  /** Another run holds the host. */
  | { t: 'lock-refused'; host: string }
  /** `hosts`: only these are taken back; when it is partial, the run goes on with the others. */
  | {
      t: 'rollback';
      reason: string;
      attempt: number;
      hosts?: string[] | undefined;
      partial?: boolean | undefined;
    }
  /** The host is away: its units wait until it can be reached again. */
  | { t: 'parked'; host: string; why: NotUndone }
  | { t: 'unparked'; host: string }
  | ({ t: 'verified'; host: string } & Verified)
  | { t: 'undo-intent'; unit: number }
  | ({
      t: 'undo-result';
      unit: number;
      state: UndoState;
      /** Why it is not undone. */
      why?: NotUndone | undefined;
      durationMs: number;
    } & Silent)
  | { t: 'resolved'; unit: number; state: 'planned' | 'changed' | 'failed' | 'unknown' }
  /** Writing had failed, and works again. */
  | { t: 'recovered' }
  /** An output of the run could not be written: what it shows ends there. `at` is a time. */
  | { t: 'output-lost'; output: string; code: string; reason: string; at: string }
  /** `accepted`: points of no return that the operator has agreed to now. */
  | { t: 'resume'; pid: number; bootId: string; accepted?: string[] | undefined }
  | { t: 'end'; outcome: RunOutcome; exitCode: number; message: string; at: string };

/** A record as the journal holds it. */
export type StoredRecord = JournalRecord<'stored'>;
