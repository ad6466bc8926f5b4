import type { HostPath } from './host-path.ts';

/** A read-only command and the parser of its output. */
export interface ReadCommand {
  /** POSIX shell text; every value in it is already quoted. */
  script: string;
  /** Its positional parameters. */
  paths?: readonly HostPath[];
  /**
   * The script only calls functions of runtime.sh that do not change the session shell, so it runs in that shell.
   * Any other script costs the host a process.
   */
  inSessionShell?: true;
}

export interface CommandOutput {
  code: number;
  stdout: string;
  stderr: string;
  /** Sizes of the complete output, if it is longer than the part that is kept. */
  bytes?: { stdout: number; stderr: number };
}

/**
 * A fact describes the state of a host and makes no decision. `parse` distinguishes "absent" from "unknown": only a command that ran on the host
 * and reported it may mean "absent"; any unexpected output throws.
 */
export interface Fact<P extends HostPath[], T> {
  name: string;
  command(...params: P): ReadCommand;
  parse(output: CommandOutput, ...params: P): T;
}
