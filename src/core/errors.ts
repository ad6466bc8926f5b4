import { getSystemErrorMap } from 'node:util';
import { rules, type Fix, type Rule } from './rules.ts';
import { formatSource, type SourceRef } from './source.ts';

export interface ErrorDetails {
  /** What the reader can do now. */
  hint?: string | undefined;
  at?: SourceRef | undefined;
  cause?: unknown;
}

/** Base of all errors raised on purpose. Anything else that reaches the command line is a bug. */
export abstract class RunnerError extends Error {
  /** For journals, tests and scripts; never decide on the message. */
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly at: SourceRef | undefined;

  constructor(message: string, { hint, at, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.hint = hint;
    this.at = at;
  }

  /** Place, message and hint, as printed for a person. */
  describe(): string {
    const place = this.at ? `${formatSource(this.at)}: ` : '';
    return `${place}${this.message}${this.hint ? ` ${this.hint}` : ''}`;
  }
}

/** The command line was wrong; nothing was contacted. */
export class UsageError extends RunnerError {
  readonly code = 'USAGE';
}

export interface Problem {
  /** Default: structure. */
  rule?: Rule | undefined;
  message: string;
  at?: SourceRef | undefined;
  hint?: string | undefined;
  fix?: Fix | undefined;
}

export function describeProblem({ message, at, hint }: Problem): string {
  return `${at ? `${formatSource(at)}: ` : ''}${message}${hint ? ` ${hint}` : ''}`;
}

export function ruleOf({ rule = 'structure' }: Problem): Rule {
  return rule;
}

export function isWarning(problem: Problem): boolean {
  return rules[ruleOf(problem)].severity === 'warning';
}

/** Playbook, role, inventory or inputs are wrong. Carries every problem found, not the first. */
export class PlaybookError extends RunnerError {
  readonly code = 'PLAYBOOK_INVALID';
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}

/** A template or condition could not be evaluated. */
export class TemplateError extends RunnerError {
  readonly code = 'TEMPLATE_FAILED';
}

/** In check mode: the value depends on something only a real run can give. Not a failure. */
export class UnknownValueError extends RunnerError {
  readonly code = 'VALUE_UNKNOWN';
}

/** Another run holds a host. */
export class LockedError extends RunnerError {
  readonly code = 'LOCKED';
}

export type ConnectStage =
  'resolve' | 'connect' | 'handshake' | 'host_key' | 'auth' | 'shell' | 'become' | 'lost';

/** The host could not be asked. Says nothing about the state of the host. */
export class ConnectError extends RunnerError {
  readonly code = 'UNREACHABLE';
  readonly host: string;
  readonly stage: ConnectStage;
  /** Whether trying again can help: false for a wrong key, true for a refused connection. */
  readonly retryable: boolean;

  constructor(
    message: string,
    details: ErrorDetails & { host: string; stage: ConnectStage; retryable: boolean },
  ) {
    super(message, details);
    this.host = details.host;
    this.stage = details.stage;
    this.retryable = details.retryable;
  }
}

/** The run took longer than its playbook allows. */
export class TimeLimitError extends RunnerError {
  readonly code = 'TIME_LIMIT';
}

/** A command took longer than it may. Its process tree has been signalled. */
export class TimeoutError extends RunnerError {
  readonly code = 'TIMED_OUT';
}

/** The module refuses, or the host answered that the step cannot be done. */
export class TaskError extends RunnerError {
  readonly code = 'TASK_FAILED';
}

/** The message of `fail` or `assert`. */
export class StatedError extends TaskError {}

/** The record of a run cannot be written or cannot be trusted. */
export class JournalError extends RunnerError {
  readonly code = 'JOURNAL';
}

/** A value is a secret that is stored as a reference and was not supplied again. */
export class SecretError extends RunnerError {
  readonly code = 'SECRET_MISSING';
}

/** A fault of the program, or an error of the system that nobody expected, in the work for one host. */
export class InternalError extends RunnerError {
  readonly code = 'INTERNAL';
}

export function errorMessage(error: unknown): string {
  if (error instanceof RunnerError) return error.describe();
  return error instanceof Error ? error.message : String(error);
}

/** What the system says of a failed call, in words such as "no such file or directory". */
export function systemReason(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known?.[1] ?? errorMessage(error);
}
