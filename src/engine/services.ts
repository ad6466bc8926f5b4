import type { Clock, ControllerDisk, Random } from '../core/ports.ts';
import type { StepInfo } from '../core/states.ts';
import type { FaultHook } from '../core/fault.ts';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import type { Connections, KeptOutput } from '../core/host.ts';
import type { KeptFile, ModuleRegistry, Question } from '../core/module.ts';
import type { KnownFacts } from '../journal/fact-cache.ts';
import type { Log } from '../journal/log.ts';
import type { PinnedFile } from '../journal/records.ts';
import type { CopyStore } from '../journal/store.ts';
import type { Redactor } from '../util/redact.ts';

/** Services from outside the engine, which knows no module, transport or display by name. */
export interface EngineServices extends Reach, TemplateSources, Operator, Pins, Faults, Stop {
  connections: Connections;
  redactor: Redactor;
  /**
   * Whether a run of this machine is known to have ended, so that its leftover lock can be
   * replaced.
   */
  isSettledRun: (run: string) => boolean;
}

/** Services for modules, besides the connections to hosts. */
export interface Reach extends Questions, Kept {
  modules: ModuleRegistry;
  clock: Clock;
  random: Random;
  /** Files of the controller. */
  files: ControllerDisk;
  sendHttp: (request: HttpRequest) => Promise<HttpResponse>;
  /** Decrypts an encrypted file of the controller. */
  decrypt: (text: string, file: string) => Buffer;
}

/** What templates can read besides variables. */
export interface TemplateSources {
  files: ControllerDisk;
  /** Environment of the process. */
  environment: NodeJS.ProcessEnv;
  /** Cached facts of earlier runs. */
  factCache?: KnownFacts | undefined;
}

/** Files that a run keeps besides its journal. Undefined if it keeps none. */
export interface Kept {
  /** Opens a file for an output that is too long for memory. */
  keepOutput?: ((name: string) => KeptOutput) | undefined;
  /** Stores and returns copies of small files that hosts backed up. */
  copies?: CopyStore | undefined;
  /** Writes a file for the operator. @throws TaskError */
  keepFile?: ((file: KeptFile) => void) | undefined;
}

export interface Pins {
  /** Stores a copy of a playbook file. Undefined if the run keeps no files. */
  pinFile?: ((path: string) => PinnedFile | undefined) | undefined;
}

export interface Questions {
  /**
   * Prompts the operator. Prompts with the same key share one answer; undefined means no answer.
   * Undefined without a terminal.
   */
  ask?: ((key: string, question: Question) => Promise<string | undefined>) | undefined;
}

/** Prompts for the operator at the terminal. */
export interface Operator extends Questions {
  /** Asks the operator whether to run a step. Undefined without "--step". */
  agree?: ((step: StepInfo, hosts: readonly string[]) => Promise<boolean>) | undefined;
}

export interface Faults {
  /** Injects faults, only in tests of rollback. */
  fault?: FaultHook | undefined;
}

/** Interruption of the run. */
export interface Stop {
  /** Aborts running commands. */
  readonly signal: AbortSignal;
  /** True when no new step may start. */
  readonly isStopping: () => boolean;
}

/** For code that sends signals and writes no records. */
export interface Signals {
  log: Pick<Log, 'signal'>;
}
