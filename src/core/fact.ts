import type { HostPath } from './host-path.ts';

/** A command that only reads, and how its output is understood. */
export interface ReadCommand {
  /** POSIX shell text; every value in it is already quoted. */
  script: string;
  /** Its positional parameters. */
  paths?: readonly HostPath[];
  /**
   * The script only calls functions of runtime.sh that leave the session shell as it was, so it runs in that shell.
   * Any other script costs the host a process.
   */
  inSessionShell?: true;
}

export interface CommandOutput {
  code: number;
  stdout: string;
  stderr: string;
  /** Set when more came than is kept: the sizes of the whole. */
  bytes?: { stdout: number; stderr: number };
}

/**
 * "What is", never "should I". `parse` tells *no* from *could not ask*: only a command that ran on the host
 * and said so may mean "absent"; anything unexpected throws.
 */
export interface Fact<P extends HostPath[], T> {
  name: string;
  command(...params: P): ReadCommand;
  parse(output: CommandOutput, ...params: P): T;
}
