import type { Action } from './action.ts';
import type { CommandOutput, ReadCommand } from './fact.ts';

/**
 * How to reach a host, as the inventory says it; what it leaves out, ssh_config(5) or its defaults decide.
 * `ssh` is our own client, `openssh` the system's, `local` the controller itself.
 */
export interface HostAddress {
  name: string;
  transport: 'ssh' | 'openssh' | 'local';
  address: string;
  port: number | undefined;
  user: string | undefined;
  keyPath: string | undefined;
  /** The inventory says which transport it is; otherwise a task may. */
  transportGiven?: true;
  /** The user is that of the command line, over which a task may name another. */
  userByFlag?: true;
}

/** Who commands run as. Undefined is the login user. */
export interface Identity {
  user: string | undefined;
  method: 'sudo' | 'su' | 'doas';
  password: string | undefined;
}

export interface Batch {
  actions: Action[];
  /** Paths copied aside before the first action, and the name each copy gets. */
  captures: { path: string; name: string }[];
  /** Names the record that survives the controller: run id and unit number. Absent for read-only batches. */
  record: { run: string; unit: string } | undefined;
  /** Go on without the connection, and attach to it again when it is back. Needs a record. */
  detach?: boolean;
}

export interface BatchOutcome {
  /** One for each action that ran; the last may have failed. */
  outputs: CommandOutput[];
  /** Set when a capture could not be stored: nothing was done. */
  captureError: string | undefined;
  /** Copies of small files that were captured, by their name. */
  kept?: Map<string, Buffer>;
}

export interface RunOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onOutput?: ((text: string) => void) | undefined;
  /** Where an output goes that is too long to be kept in memory; it gets all of it. */
  overflow?: ((stream: 'stdout' | 'stderr') => OutputSink | undefined) | undefined;
}

export interface OutputSink {
  write(bytes: Buffer): void;
  end(): void;
}

/** What the wrapper on the host knows of a unit whose result never arrived. */
export type UnitRecord =
  | { state: 'never_started' }
  | { state: 'running' }
  | { state: 'finished'; code: number }
  | { state: 'interrupted' };

export interface LockRequest {
  run: string;
  /** Who, where: user@machine. */
  owner: string;
  leaseSeconds: number;
  /** A run whose lock may be replaced. */
  replaced?: string | undefined;
}

/** Undefined when the lock is held now, otherwise whose it is. */
export type LockAnswer = HostLock | undefined;

export interface HostLock {
  run: string;
  owner: string;
  /** Seconds since 1970, by the host's clock. */
  since: number;
  leaseSeconds: number;
  /** Seconds since the run was last heard of. */
  silentSeconds: number;
}

/** One identity on one host. Every method is one round trip. */
export interface HostSession {
  read(commands: ReadCommand[], options: RunOptions): Promise<CommandOutput[]>;
  perform(batch: Batch, options: RunOptions): Promise<BatchOutcome>;
  /** Whether an earlier connection of the run still works on the host; idle ones are ended. */
  fence(run: string, options: RunOptions): Promise<'clear' | 'busy'>;
  unitRecord(run: string, unit: string, options: RunOptions): Promise<UnitRecord>;
  /** Takes the host for a run, so that no other controller works on it meanwhile. */
  lock(request: LockRequest, options: RunOptions): Promise<LockAnswer>;
  /** Says that the run is alive. Returns the run that took the lock away, undefined when it is still held. */
  renewLock(run: string, options: RunOptions): Promise<string | undefined>;
  unlock(run: string, options: RunOptions): Promise<void>;
  /** Directory on the host that keeps captures of a run. */
  captureDir(run: string): string;
}

export interface Connections {
  /** @throws ConnectError when the host cannot be reached or the identity not be taken */
  session(address: HostAddress, identity: Identity): Promise<HostSession>;
  /** Ends the connections to a host; the next session is on a new one. */
  reset(address: HostAddress): Promise<void>;
  close(): Promise<void>;
}
