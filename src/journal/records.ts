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

/** Version of the records below. runner refuses journals of other versions. */
export const journalFormat = 5;

/** `given`: a record as passed to the log. `stored`: a record as in the journal. */
export type Form = 'given' | 'stored';
/** A field that may contain values from users or hosts. */
type Value<F extends Form, T> = F extends 'stored' ? Stored<T> : T;

/** The undo of a unit. It is self-contained: it does not depend on files or later variables. */
export type UndoBody<F extends Form = 'given'> =
  | { kind: 'auto'; calls: (Omit<ModuleCall, 'args'> & { args: Value<F, JsonObject> })[] }
  /** A handler runs again when the changes that notified it are undone. */
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

/**
 * A handler: its ID, and its name with the name of its role. Handlers of other plays and includes
 * may have the same name.
 */
export interface HandlerRef {
  id: string;
  name: string;
}

export interface IntentRecord<F extends Form = 'given'> {
  t: 'intent';
  unit: number;
  step: number;
  host: string;
  /** The host on which it runs, which differs from `host` if it is delegated. */
  target: string;
  /**
   * The unit may affect more than its host: it is delegated, runs once for all hosts, or runs on
   * the controller.
   */
  shared?: 'run_once' | 'delegated' | 'controller' | undefined;
  item?: Value<F, JsonValue> | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  /** The task has `no_log`, so displays hide the item. */
  hidden?: true | undefined;
  /** Item, captured values and undo of a `no_log` step, encrypted with the secrets of the run. */
  sealed?: string | undefined;
  module: string;
  args: Value<F, JsonObject>;
  actions: string[];
  become: Become;
  undo: UndoPlan<F>;
  /** Handlers that the unit notifies. They may have read its change even if the unit failed. */
  notifies?: HandlerRef[] | undefined;
  /** The unit is a run of this handler. */
  handler?: HandlerRef | undefined;
  /** What the step changes, if its undo does not contain that as a path or name. */
  touches?: string[] | undefined;
  /**
   * The undo list of a block, which runs only if a unit inside must be undone. `replace`: it
   * replaces their undos.
   */
  block?: { until: number; replace: boolean } | undefined;
}

/** A task of `rollback` with its variables. Like an undo, it is self-contained. */
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
  /** A message about a result that is not a failure. */
  why?: string | undefined;
  rc?: number | undefined;
  /** SHA-256 of the output. */
  digest?: string | undefined;
  durationMs: number;
  /** The registered result, if a declared undo may read it as `result`, and for each loop item. */
  value?: Value<F, JsonValue> | undefined;
  /** Position in the loop, from zero, of an item that a resumed run does not repeat. */
  index?: number | undefined;
}

/**
 * The effect of a step on the state of the run, for one host. A resumed run uses it instead of
 * repeating the step.
 */
export interface LearntRecord<F extends Form = 'given'> {
  t: 'learnt';
  step: number;
  host: string;
  /** New variables, and the hosts that get them. */
  facts?:
    | {
        hosts: string[];
        values: Value<F, JsonObject>;
        /** The values are lists to append to those of the hosts. */
        append?: true | undefined;
      }[]
    | undefined;
  left?: string[] | undefined;
  joined?: string[] | undefined;
  added?:
    | (Omit<AddedHost, 'vars'> & { vars: Value<F, JsonObject>; address: Value<F, HostAddress> })[]
    | undefined;
  /** The resolved files or roles of an include. */
  included?: Value<F, Included[]> | undefined;
  /** The handler that ran. */
  handled?: string | undefined;
  /** IDs of notified handlers. */
  notified?: string[] | undefined;
  /** Why the step failed on this host. */
  failed?: Failure | undefined;
  /** Name of the step, if it started a change with an unknown outcome. */
  uncertain?: string | undefined;
  /** The hidden part of a `no_log` step, encrypted with the secrets of the run. */
  sealed?: string | undefined;
  /** The record is incomplete, so a resumed run repeats the step. */
  partial?: true | undefined;
}

/** A copy of a file of the playbook, made when the run read it. */
export interface PinnedFile {
  path: string;
  sha256: string;
  /** Path of the copy, relative to the run directory. */
  pinned: string;
}

/** One item of an include on one host. */
export interface Included {
  /** Full path of the file or role. Empty for a block. */
  source: string;
  item?: JsonValue | undefined;
  /** Position in the loop, from zero. */
  index?: number | undefined;
  /** Part of the IDs of its steps. */
  part: string;
  /** Length of the loop. */
  length?: number | undefined;
}

/**
 * The result of the verification of a host after a rollback. It succeeded if nothing failed and
 * nothing differs.
 */
export type Verified =
  /** A task of `rollback.verify`. `why`: a message about a result that is not a failure. */
  | { of: 'task'; name: string; failed?: Failure | undefined; why?: string | undefined }
  /** States that automatic undos restored. */
  | { of: 'undos'; count: number; different: Difference[] };

interface Silent {
  /** Internal to the engine, so displays do not show it. */
  silent?: true | undefined;
}

export type JournalRecord<F extends Form = 'given'> =
  | {
      t: 'run';
      format: typeof journalFormat;
      /** Version of the program that wrote it. */
      runner: string;
      run: string;
      /** Path of the playbook. `name` is its name. */
      playbook: string;
      name: string;
      /** Descriptions of the changes that overlays make to the playbook. */
      changes: string[];
      /** Check mode: nothing is changed, and the journal is not on disk. */
      check: boolean;
      startedAt: string;
      pid: number;
      bootId: string;
      options: JsonObject;
      /** Given inputs. */
      inputs: Value<F, JsonObject>;
      /** Defaults of inputs that were not given. */
      inputDefaults: Value<F, SourceObject>;
      /**
       * Given secret inputs, and the environment variables and files from which they can be read
       * again.
       */
      secrets: { name: string; env: string; file?: string; optional?: true }[];
      hosts: (Value<F, HostAddress> & { name: string })[];
      /** The inventory: variables by host, and members by group. */
      inventory: {
        file: string;
        vars: Record<string, Value<F, SourceObject>>;
        groups: Record<string, string[]>;
        /** Where the passwords of hosts come from, if there are any. */
        passwords?: { source: string; varsDirectories: readonly string[] };
      };
      files: PinnedFile[];
      /** Encrypted values in the files that were read, still encrypted. */
      vault?: VaultSource[];
    }
  /** Like `vault` of the run record, for a file that was read during the run. */
  | { t: 'vault'; source: VaultSource }
  /** A secret that became known during the run. */
  | { t: 'secret'; name: string; env: string }
  /** Like `files` of the run record, for a file that was included during the run. */
  | ({ t: 'file' } & PinnedFile)
  /** A play starts. `batches`: its hosts. */
  | { t: 'play'; id: string; batches: string[][] }
  | ({ t: 'step'; step: StepInfo; hosts: string[]; key: string } & Silent)
  | IntentRecord<F>
  | ResultRecord<F>
  | LearntRecord<F>
  | { t: 'block-end'; unit: number; upTo: number }
  /**
   * A rescue starts on hosts on which the step with the key `failed` has failed. A resumed run does
   * not repeat the step there.
   */
  | { t: 'rescue'; failed: string; hosts: string[] }
  /** `key` distinguishes commit points with the same name in other batches and loop items. */
  | ({ t: 'commit'; name: string; key: string; unit: number; irreversible: boolean } & Silent)
  | {
      t: 'fingerprint';
      phase: 'before';
      host: string;
      /** ID of the task. */
      id: string;
      name: string;
      text: Value<F, string>;
      /** The task and its variables, to take the fingerprint again after a rollback. */
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
      /** Whether it equals the fingerprint from before the run. */
      equal: boolean;
    }
  /** `play` is empty for the policy of the whole run. */
  | {
      t: 'rollback-policy';
      play: string;
      onFailure?: OnFailure | undefined;
      budgetSeconds?: number | undefined;
      settleSeconds?: number | undefined;
      tasks: RollbackTask<F>[];
    }
  /**
   * A host is about to be locked, by this identity. Written first, because the answer of the host
   * may be lost.
   */
  | { t: 'lock'; host: string; become: Become }
  /** Another run has locked the host. */
  | { t: 'lock-refused'; host: string }
  /** `hosts`: only these are rolled back. `partial`: the run continues on the others. */
  | {
      t: 'rollback';
      reason: string;
      attempt: number;
      hosts?: string[] | undefined;
      partial?: boolean | undefined;
    }
  /** The host is unreachable. Its units wait until it is reachable again. */
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
  /** Writing the journal works again after a failure. */
  | { t: 'recovered' }
  /** An output of the run is lost and incomplete. `at` is a time. */
  | { t: 'output-lost'; output: string; code: string; reason: string; at: string }
  /** `accepted`: points of no return that the operator accepted for this command. */
  | { t: 'resume'; pid: number; bootId: string; accepted?: string[] | undefined }
  | { t: 'end'; outcome: RunOutcome; exitCode: number; message: string; at: string };

/** A record as in the journal. */
export type StoredRecord = JournalRecord<'stored'>;
