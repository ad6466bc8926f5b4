import type { Action } from './action.ts';
import type { CommandOutput, ReadCommand } from './fact.ts';

/**
 * How to reach a host according to the inventory. Undefined settings come from ssh_config(5) or its defaults.
 * `ssh` is our own client, `openssh` the system's, `local` the controller itself.
 */
export interface HostAddress {
  name: string;
  transport: 'ssh' | 'openssh' | 'local';
  address: string;
  port: number | undefined;
  user: string | undefined;
  keyPath: string | undefined;
  /** The inventory sets the transport, so a task cannot. */
  transportGiven?: true;
  /** The user comes from the command line; a task may override it. */
  userByFlag?: true;
  /** The user is the default of the tool that the file is for; the command line or a task may override it. */
  userByDefault?: true;
  /** Jump hosts, in the order of connection. They override those of ssh_config(5). */
  jumps?: readonly JumpAddress[];
  /** Options for ssh(1) from the inventory, such as `-o`, `ProxyCommand=…`. Never from a host, because some options start programs. */
  sshArgs?: readonly string[];
  /** The expected host key: `ssh-ed25519 AAAA…` or `SHA256:…`. When undefined, known_hosts is used. */
  hostKey?: string;
  /** Overrides the settings of plays and tasks. */
  become?: HostBecome;
  /** Why no connection can be made to it, such as "it is reached by winRM". */
  unmanageable?: string;
}

/** A jump host. */
export type JumpAddress = Pick<
  HostAddress,
  'name' | 'address' | 'port' | 'user' | 'keyPath' | 'hostKey' | 'sshArgs' | 'jumps'
>;

export interface HostBecome {
  enabled?: boolean;
  user?: string;
  method?: Identity['method'];
}

/** The user that commands run as. Undefined for the login user. */
export interface Identity {
  user: string | undefined;
  method: 'sudo' | 'su' | 'doas';
  password: string | undefined;
}

/** The requests of one round trip to a host. They are independent: a change is made even if the lock request failed. */
export interface Exchange {
  /** Requests of the run itself, handled in the order of the fields. */
  control?: Control;
  /** Facts to read, independently of each other. */
  reads?: readonly ReadCommand[];
  change?: Change;
}

/** Actions, run in order until one fails. */
export interface Change {
  actions: readonly Action[];
  /** Number of the unit. The host stores its copies and record under it, so that they survive the controller. Undefined for read-only calls. */
  unit?: number | undefined;
  /** Paths to back up before the first action. Needs a unit. */
  copies?: readonly string[];
  /** Run without the connection; the call attaches to it again after a reconnect. Needs a unit. */
  detach?: boolean;
}

export interface Control {
  /** Lock the host for the run, so that no other run changes it at the same time. */
  lock?: LockRequest;
  /** Renew the lock of the run. */
  renew?: true;
  /** Find earlier connections of the run that still work on the host, and end those that are idle. */
  fence?: true;
  /** Read the record of the unit with this number. */
  unit?: number;
  unlock?: true;
}

/** A session of one user on one host. */
export interface HostSession {
  /**
   * Takes one round trip, or more for an upload, a restart or a detached change.
   * @throws ConnectError when the host cannot be reached; TimeoutError; TaskError when a reply is not valid
   */
  exchange(request: Exchange, limits: Limits): Promise<Answer>;
}

/** A piece of live output. */
export interface OutputPiece {
  text: string;
  stream: 'stdout' | 'stderr';
  /** Earlier output is omitted, because it is too long to show. */
  isCut: boolean;
}

export interface Limits {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  onOutput?: ((piece: OutputPiece) => void) | undefined;
  /** Receives the complete output if it is too long for memory. */
  overflow?: ((stream: 'stdout' | 'stderr') => OutputSink | undefined) | undefined;
}

export interface Answer {
  control: ControlAnswers;
  reads: CommandOutput[];
  /** Set if a change was requested. */
  change?: ChangeAnswer;
}

/** Only requests that were made have a reply. */
export interface ControlAnswers {
  lock?: 'held' | HostLock;
  /** The run that replaced it; empty if the lock was removed. */
  renew?: 'held' | { lostTo: string };
  fence?: 'clear' | 'busy';
  unit?: UnitRecord;
  unlock?: 'done';
}

export interface ChangeAnswer {
  /** One for each action that ran; the last may have failed. */
  outputs: CommandOutput[];
  /** Why no action ran: a backup copy or the record could not be stored. */
  refused?: string;
  /** Contents of small backup copies, by path. */
  copies?: ReadonlyMap<string, Buffer>;
}

export interface OutputSink {
  write(bytes: Buffer): void;
  end(): void;
}

/** An output that is written to a file. */
export interface KeptOutput extends OutputSink {
  readonly path: string;
  /** The file does not contain the complete output. */
  readonly failed: boolean;
}

/** The host's record of a unit whose result did not arrive. */
export type UnitRecord =
  | { state: 'never_started' }
  | { state: 'running' }
  | { state: 'finished'; code: number }
  | { state: 'interrupted' };

export interface LockRequest {
  /** Owner, as user@machine. */
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
  /** Seconds since the run last renewed the lock. */
  silentSeconds: number;
}

export interface Connections {
  /** @throws ConnectError when the host cannot be reached or privilege escalation fails */
  session(address: HostAddress, identity: Identity): Promise<HostSession>;
  /** Ends the connections to a host; the next session is on a new one. */
  reset(address: HostAddress): Promise<void>;
  close(): Promise<void>;
}
