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
  /** The user is the default of the tool that the file is for, over which the command line or a task may name another. */
  userByDefault?: true;
  /** Hosts to go through, the first is dialled directly. They are stronger than those of ssh_config(5). */
  jumps?: readonly JumpAddress[];
  /** Options for ssh(1) as the inventory gives them, such as `-o`, `ProxyCommand=…`. Never from a host: some start programs. */
  sshArgs?: readonly string[];
  /** The only key that the host may show: `ssh-ed25519 AAAA…` or `SHA256:…`. Otherwise known_hosts decides. */
  hostKey?: string;
  /** Stronger than what plays and tasks say. */
  become?: HostBecome;
  /** Why no connection can be made to it, such as "it is reached by winRM". */
  unmanageable?: string;
}

/** A host on the way to another one. */
export type JumpAddress = Pick<
  HostAddress,
  'name' | 'address' | 'port' | 'user' | 'keyPath' | 'hostKey' | 'sshArgs' | 'jumps'
>;

export interface HostBecome {
  enabled?: boolean;
  user?: string;
  method?: Identity['method'];
}

/** Who commands run as. Undefined is the login user. */
export interface Identity {
  user: string | undefined;
  method: 'sudo' | 'su' | 'doas';
  password: string | undefined;
}

/** What is asked of a host in one round trip. No part of it guards another: a change is made whatever the lock said. */
export interface Exchange {
  /** The run's own requests, answered in the order of the fields. */
  control?: Control;
  /** Questions; each is answered whatever the others said. */
  reads?: readonly ReadCommand[];
  change?: Change;
}

/** Actions in order, until one fails. */
export interface Change {
  actions: readonly Action[];
  /** Number of the unit, under which the host keeps copies and a record that survive the controller. Absent for what only reads. */
  unit?: number | undefined;
  /** Paths copied aside before the first action. Needs a unit. */
  copies?: readonly string[];
  /** Go on without the connection, and attach to it again when it is back. Needs a unit. */
  detach?: boolean;
}

export interface Control {
  /** Take the host for the run, so that no other controller works on it meanwhile. */
  lock?: LockRequest;
  /** Say that the run is alive. */
  renew?: true;
  /** Look for earlier connections of the run that still work on the host; end those that are idle. */
  fence?: true;
  /** The record of the unit with this number. */
  unit?: number;
  unlock?: true;
}

/** One identity on one host. */
export interface HostSession {
  /**
   * One round trip; more for a file that is uploaded, a restart, and a change that is detached.
   * @throws ConnectError when the host cannot be reached; TimeoutError; TaskError when an answer makes no sense
   */
  exchange(request: Exchange, limits: Limits): Promise<Answer>;
}

/** A piece of an output as it comes. */
export interface OutputPiece {
  text: string;
  stream: 'stdout' | 'stderr';
  /** What came before it is left out, since it is too much to show. */
  isCut: boolean;
}

export interface Limits {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onOutput?: ((piece: OutputPiece) => void) | undefined;
  /** Where an output goes that is too long to be kept in memory; it gets all of it. */
  overflow?: ((stream: 'stdout' | 'stderr') => OutputSink | undefined) | undefined;
}

export interface Answer {
  control: ControlAnswers;
  reads: CommandOutput[];
  /** Present when a change was asked for. */
  change?: ChangeAnswer;
}

/** Only requests that were made have an answer. */
export interface ControlAnswers {
  lock?: 'held' | HostLock;
  /** By which run it was taken; empty when somebody removed it. */
  renew?: 'held' | { lostTo: string };
  fence?: 'clear' | 'busy';
  unit?: UnitRecord;
  unlock?: 'done';
}

export interface ChangeAnswer {
  /** One for each action that ran; the last may have failed. */
  outputs: CommandOutput[];
  /** Set when nothing was done, because a copy or the record could not be stored. */
  refused?: string;
  /** The small ones of the copies, by their path. */
  copies?: ReadonlyMap<string, Buffer>;
}

export interface OutputSink {
  write(bytes: Buffer): void;
  end(): void;
}

/** An output that goes to a file. */
export interface KeptOutput extends OutputSink {
  readonly path: string;
  /** The file does not hold all of it. */
  readonly failed: boolean;
}

/** What the wrapper on the host knows of a unit whose result never arrived. */
export type UnitRecord =
  | { state: 'never_started' }
  | { state: 'running' }
  | { state: 'finished'; code: number }
  | { state: 'interrupted' };

export interface LockRequest {
  /** Who, where: user@machine. */
  owner: string;
  leaseSeconds: number;
  /** A run whose lock may be replaced. */
  replaced?: string | undefined;
}

export interface HostLock {
  run: string;
  owner: string;
  /** Seconds since 1970, by the host's clock. */
  since: number;
  leaseSeconds: number;
  /** Seconds since the run was last heard of. */
  silentSeconds: number;
}

export interface Connections {
  /** @throws ConnectError when the host cannot be reached or the identity not be taken */
  session(address: HostAddress, identity: Identity): Promise<HostSession>;
  /** Ends the connections to a host; the next session is on a new one. */
  reset(address: HostAddress): Promise<void>;
  close(): Promise<void>;
}
