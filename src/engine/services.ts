import type { Clock, ControllerDisk } from '../core/ports.ts';
import type { StepInfo } from '../core/events.ts';
import type { FaultHook } from '../core/fault.ts';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import type { Connections, OutputSink } from '../core/host.ts';
import type { ModuleRegistry, Question } from '../core/module.ts';
import type { KnownFacts } from '../journal/fact-cache.ts';
import type { Log } from '../journal/log.ts';
import type { PinnedFile } from '../journal/records.ts';
import type { CaptureStore } from '../journal/store.ts';
import type { Redactor } from '../util/redact.ts';

/** What the engine is given to reach the world. It knows no module, transport or display by name. */
export interface EngineServices extends Stop {
  modules: ModuleRegistry;
  connections: Connections;
  clock: Clock;
  /** Files of the controller. */
  files: ControllerDisk;
  redactor: Redactor;
  sendHttp: (request: HttpRequest) => Promise<HttpResponse>;
  /** Facts of earlier runs. */
  factCache?: KnownFacts | undefined;
  /** Of the process, for templates that ask for it. */
  environment: NodeJS.ProcessEnv;
  /** The plain content of a file of the controller that is encrypted. */
  decrypt: (text: string, file: string) => Buffer;
  /** Takes an output that is too long for memory. Absent when nothing is kept of the run. */
  keepOutput?: ((name: string) => OutputSink & { path: string }) | undefined;
  /** Keeps a small file that a host copied aside, and gives it again. Absent when nothing is kept of the run. */
  captures?: CaptureStore | undefined;
  /** Keeps a copy of a file of the playbook. Absent when nothing is kept of the run. */
  pinFile?: ((path: string) => PinnedFile) | undefined;
  /** Asks the operator; one answer for all that ask the same with one key, undefined for none. Absent without a terminal. */
  ask?: ((key: string, question: Question) => Promise<string | undefined>) | undefined;
  /** Whether a step is done on its hosts. Absent where nobody is asked. */
  agree?: ((step: StepInfo, hosts: readonly string[]) => Promise<boolean>) | undefined;
  /** Only in tests of rollback. */
  fault?: FaultHook | undefined;
  /** Whether a run of this machine is known to be over, so that a lock it left means nothing. */
  isSettledRun: (run: string) => boolean;
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
