import type { Clock, ControllerDisk } from '../core/ports.ts';
import type { StepInfo } from '../core/events.ts';
import type { FaultHook } from '../core/fault.ts';
import type { HttpRequest, HttpResponse } from '../core/action.ts';
import type { Connections, HostSession, Identity, OutputSink } from '../core/host.ts';
import { localHost, type Inventory, type InventoryHost } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModuleRegistry, Question } from '../core/module.ts';
import type { Become, OnFailure } from '../language/document.ts';
import { addressWith } from './access.ts';
import type { HostLocks } from './locks.ts';
import type { FactCache } from '../journal/fact-cache.ts';
import type { Log } from '../journal/log.ts';
import type { PinnedFile } from '../journal/records.ts';
import type { CaptureStore } from '../journal/store.ts';
import type { Redactor } from '../util/redact.ts';
import type { Sealer } from '../util/seal.ts';

/** What the engine is given to reach the world. It knows no module, transport or display by name. */
export interface EngineServices {
  modules: ModuleRegistry;
  connections: Connections;
  clock: Clock;
  /** Files of the controller. */
  files: ControllerDisk;
  redactor: Redactor;
  sendHttp: (request: HttpRequest) => Promise<HttpResponse>;
  /** Facts of earlier runs. */
  factCache?: FactCache | undefined;
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
  /** Aborted when running commands must be given up. */
  signal: AbortSignal;
  /** Only in tests of rollback. */
  fault?: FaultHook | undefined;
  /** Whether a run of this machine is known to be over, so that a lock it left means nothing. */
  isSettledRun: (run: string) => boolean;
  /** True when no new step may begin. */
  isStopping: () => boolean;
}

export interface RunSettings {
  run: string;
  check: boolean;
  diff: boolean;
  tags: string[];
  skipTags: string[];
  limit: string | undefined;
  /** Ids of steps that are not done, since the run begins behind them. */
  leftOut: readonly string[];
  /** Hosts worked on at a time. */
  forks: number;
  /** Who runs it: user@machine. */
  owner: string;
  /** When the run was first started. */
  startedAt: Date;
  /** Runs whose locks are replaced. */
  takeOver: string[];
  onFailure: OnFailure | undefined;
  becomePassword: string | undefined;
  /** Given inputs and `--extra-vars`: the strongest level. */
  variables: JsonObject;
  /** Defaults of inputs that were not given: weaker than play variables. */
  inputDefaults: JsonObject;
  /** Points of no return the operator agreed to. */
  accepted: string[];
  /** Seconds that a rollback waits for hosts that are away; undefined for what the playbook says. */
  rollbackBudgetSeconds: number | undefined;
  /** Id of a step that is made to fail, after its work, on its first host: to try a rollback out. */
  failAt: string | undefined;
  /** That step comes before the first point of no return, which the run must not pass even if the step is skipped. */
  failsBeforePivot: boolean;
}

export interface EngineContext extends EngineServices {
  settings: RunSettings;
  inventory: Inventory;
  /** What has happened so far; not on disk in check mode. */
  log: Log;
  /** Hosts this run holds. */
  locks: HostLocks;
  /** Keeps hidden results for a resumed run; absent when the run has no secrets to do it with. */
  sealer: Sealer | undefined;
}

/** For those who say something and keep no record. */
export interface Signals {
  log: Pick<Log, 'signal'>;
}

export const FACT_TIMEOUT_MS = 60_000;

export function inventoryHost(inventory: Inventory, name: string): InventoryHost | undefined {
  return inventory.hosts.get(name) ?? (name === 'localhost' ? localHost : undefined);
}

/** @param become as `resolveAccess` made it */
export function openSession(
  context: Pick<EngineContext, 'connections' | 'settings'>,
  target: InventoryHost,
  become: Become,
): Promise<HostSession> {
  const identity: Identity = {
    user: become.enabled ? become.user : undefined,
    method: become.method,
    password: become.enabled ? context.settings.becomePassword : undefined,
  };
  return context.connections.session(addressWith(target.address, become), identity);
}
