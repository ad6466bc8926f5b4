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

/** What the engine is given to reach the world. It knows no module, transport or display by name. */
export interface EngineServices extends Reach, TemplateSources, Operator, Pins, Faults, Stop {
  connections: Connections;
  redactor: Redactor;
  /** Whether a run of this machine is known to be over, so that a lock it left means nothing. */
  isSettledRun: (run: string) => boolean;
}

/** What a module reaches the world with, beside the connections to hosts. */
export interface Reach extends Questions, Kept {
  modules: ModuleRegistry;
  clock: Clock;
  random: Random;
  /** Files of the controller. */
  files: ControllerDisk;
  sendHttp: (request: HttpRequest) => Promise<HttpResponse>;
  /** The plain content of a file of the controller that is encrypted. */
  decrypt: (text: string, file: string) => Buffer;
}

/** What templates may read besides variables. */
export interface TemplateSources {
  files: ControllerDisk;
  /** Of the process, for templates that ask for it. */
  environment: NodeJS.ProcessEnv;
  /** Facts of earlier runs. */
  factCache?: KnownFacts | undefined;
}

/** What is kept of a run beside its journal. Absent when nothing is. */
export interface Kept {
  /** Takes an output that is too long for memory. */
  keepOutput?: ((name: string) => KeptOutput) | undefined;
  /** Keeps a small file that a host copied aside, and gives it again. */
  copies?: CopyStore | undefined;
  /** Writes a file for the operator. @throws TaskError */
  keepFile?: ((file: KeptFile) => void) | undefined;
}

export interface Pins {
  /** Keeps a copy of a file of the playbook. Absent when nothing is kept of the run. */
  pinFile?: ((path: string) => PinnedFile | undefined) | undefined;
}

export interface Questions {
  /** Asks the operator; one answer for all that ask the same with one key, undefined for none. Absent without a terminal. */
  ask?: ((key: string, question: Question) => Promise<string | undefined>) | undefined;
}

/** The person in front of the terminal. */
export interface Operator extends Questions {
  /** Whether a step is done on its hosts. Absent where nobody is asked. */
  agree?: ((step: StepInfo, hosts: readonly string[]) => Promise<boolean>) | undefined;
}

export interface Faults {
  /** Only in tests of rollback. */
  fault?: FaultHook | undefined;
}

/** Whether the run is to end before its last step. */
export interface Stop {
  /** Aborted when running commands must be given up. */
  readonly signal: AbortSignal;
  /** True when no new step may begin. */
  readonly isStopping: () => boolean;
}

/** For those who say something and keep no record. */
export interface Signals {
  log: Pick<Log, 'signal'>;
}
