import { getSystemErrorMap } from 'node:util';
import { rules, type Fix, type Rule } from './rules.ts';
import { formatSource, type SourceRef } from './source.ts';

export interface ErrorDetails {
  /** What the operator can do next. */
  hint?: string | undefined;
  at?: SourceRef | undefined;
  cause?: unknown;
}

/** Base of all errors raised on purpose. Anything else that reaches the command line is a bug. */
export abstract class RunnerError extends Error {
  /** Stable code for journals, tests and scripts; messages may change. */
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly at: SourceRef | undefined;

  constructor(message: string, { hint, at, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.hint = hint;
    this.at = at;
  }

  /** Position, message and hint, as printed. */
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

/** Check mode only: the value is available only in a real run. Not a failure. */
export class UnknownValueError extends RunnerError {
  readonly code = 'VALUE_UNKNOWN';
}

/** Another run holds a host. */
export class LockedError extends RunnerError {
  readonly code = 'LOCKED';
}

export type ConnectStage =
  'resolve' | 'connect' | 'handshake' | 'host_key' | 'auth' | 'shell' | 'become' | 'lost';

/** The host could not be reached, so its state is unknown. */
export class ConnectError extends RunnerError {
  readonly code = 'UNREACHABLE';
  readonly host: string;
  readonly stage: ConnectStage;
  /** Whether another attempt can succeed: false for a wrong key, true for a refused connection. */
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

/** The run exceeded the time limit of its playbook. */
export class TimeLimitError extends RunnerError {
  readonly code = 'TIME_LIMIT';
}

/** A command exceeded its time limit. Its process tree has been signaled. */
export class TimeoutError extends RunnerError {
  readonly code = 'TIMED_OUT';
}

/** The module refused the step, or the host cannot do it. */
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

/** A bug, or an unexpected system error, in the work for one host. */
export class InternalError extends RunnerError {
  readonly code = 'INTERNAL';
}

export function errorMessage(error: unknown): string {
  if (error instanceof RunnerError) return error.describe();
  return error instanceof Error ? error.message : String(error);
}

/** The system's description of a failed call, such as "no such file or directory". */
export function systemReason(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known?.[1] ?? errorMessage(error);
}
