import { describeAction, type Action } from './action.ts';
import { ConnectError, InternalError, StatedError, TemplateError, TimeoutError } from './errors.ts';
import type { ConnectStage, RunnerError } from './errors.ts';
import type { CommandOutput } from './fact.ts';
import { formatSource, type SourceRef } from './source.ts';

/** Why a step failed on a host. `describeFailure` makes the sentences. */
export type Failure = {
  /** Position in the playbook, if it differs from that of the step. */
  at?: SourceRef;
  hint?: string;
} & (
  | CommandFailure
  | ConditionFailure
  /** `refused`: by the module or by the host. `template`: the playbook itself is wrong. `stated`: the message of `fail` or `assert`. */
  | { kind: 'refused' | 'template'; message: string; stated?: true }
  /** A bug or an unexpected system error. */
  | { kind: 'internal'; message: string }
  | { kind: 'connect'; stage: ConnectStage; retryable: boolean; message: string }
  | { kind: 'timeout'; message: string }
  /** A step that makes the changes before it final. */
  | { kind: 'not-begun'; step: string; why: string }
  /** By `--fail-at`. */
  | { kind: 'injected' }
  /** The task has `no_log`. */
  | { kind: 'hidden' }
);

export interface CommandFailure {
  kind: 'command';
  /** First line of the action. */
  action: string;
  code: number;
  /** Last lines of stderr, or of stdout if stderr is empty. Limited, because it is stored in the journal. */
  output: string;
  /** Message of the module. */
  message?: string;
}

export interface ConditionFailure {
  kind: 'condition';
  of: 'changed_when' | 'failed_when' | 'until';
  text: string;
  tries: number;
  /** Why the condition cannot be evaluated. */
  error?: Failure;
  /** The output was lost with an interrupted run, after the step had finished. */
  answer?: 'lost';
  /** Failure of the last attempt. */
  last?: Failure;
  /** Message of the last attempt, if it did not fail. */
  said?: string;
}

const TAIL_LINES = 5;

export function commandFailure(
  action: Action | undefined,
  output: CommandOutput | undefined,
  message?: string,
): Failure {
  const text = action ? describeAction(action).split('\n')[0] : undefined;
  return {
    kind: 'command',
    action: text ?? 'the action',
    code: output?.code ?? -1,
    output: tail(output?.stderr ?? '') || tail(output?.stdout ?? ''),
    ...(message === undefined ? {} : { message }),
  };
}

/** @param place also include the position of the error in the message */
export function failureOf(error: RunnerError, { place }: { place: boolean }): Failure {
  const { message, hint, at } = error;
  const more = {
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(place && at ? { at } : {}),
  };
  if (error instanceof ConnectError) {
    const { stage, retryable } = error;
    return { kind: 'connect', stage, retryable, ...more };
  }
  if (error instanceof TimeoutError) return { kind: 'timeout', ...more };
  if (error instanceof InternalError) return { kind: 'internal', ...more };
  if (error instanceof StatedError) return { kind: 'refused', stated: true, ...more };
  return { kind: error instanceof TemplateError ? 'template' : 'refused', ...more };
}

/** An error in the playbook or a bug, which `ignore_errors` does not cover. */
export function isMistake(failure: Failure): boolean {
  if (failure.kind === 'condition') return failure.last !== undefined && isMistake(failure.last);
  return failure.kind === 'template' || failure.kind === 'internal';
}

/** The failure without output of the host and text of the playbook, for `no_log`. Messages of the module itself stay. */
export function concealFailure(failure: Failure): Failure {
  const { at } = failure;
  if (failure.kind === 'command' || failure.kind === 'internal') return { kind: 'hidden' };
  if (failure.kind === 'refused' && failure.stated)
    return at ? { kind: 'hidden', at } : { kind: 'hidden' };
  if (failure.kind !== 'condition') return failure;
  const shown = { ...failure };
  delete shown.said;
  return failure.last ? { ...shown, last: concealFailure(failure.last) } : shown;
}

/** Fields of a failure that hold text for people. */
const texts = new Set(['action', 'output', 'message', 'hint', 'text', 'said', 'step', 'why']);

/** The failure with all its readable texts replaced. */
export function changeTexts(failure: Failure, change: (text: string) => string): Failure {
  const changed = Object.entries(failure).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'string' && texts.has(name)) return [name, change(value)];
    const inner = name === 'last' || name === 'error';
    return [name, inner ? changeTexts(value as Failure, change) : value];
  });
  return Object.fromEntries(changed) as Failure;
}

/** The headline is empty if there are no details. */
export function describeFailure(failure: Failure): { headline: string; details: string[] } {
  const [headline = '', ...details] = textOf(failure).trimEnd().split('\n');
  return { headline, details };
}

/** All lines of the description; undefined if there is none. */
export function failureText(failure: Failure): string | undefined {
  return textOf(failure) || undefined;
}

function textOf(failure: Failure): string {
  const place = failure.at ? `${formatSource(failure.at)}: ` : '';
  return `${place}${sentence(failure)}${failure.hint ? ` ${failure.hint}` : ''}`;
}

function sentence(failure: Failure): string {
  switch (failure.kind) {
    case 'command':
      return failure.message ?? commandSentence(failure.action, failure.code, failure.output);
    case 'condition':
      return conditionSentence(failure);
    case 'not-begun':
      return `"${failure.step}" was not started: ${failure.why}`;
    case 'injected':
      return 'made to fail by --fail-at';
    case 'hidden':
      return 'failed; its output is hidden by no_log';
    case 'refused':
    case 'template':
    case 'internal':
    case 'connect':
    case 'timeout':
      return failure.message;
  }
}

function commandSentence(action: string, code: number, output: string): string {
  const [, command] = /^exec (.+)/s.exec(action) ?? [];
  const failed = `failed with exit code ${String(code)}`;
  if (output === '')
    return command === undefined
      ? `"${action}" ${failed} and no output`
      : `Command ${failed} and no output: ${command}`;
  return command === undefined
    ? `"${action}" ${failed}: ${output}`
    : `Command "${command}" ${failed}: ${output}`;
}

function conditionSentence(failure: ConditionFailure): string {
  const { of, text, tries, error, last, said } = failure;
  if (error && failure.answer === 'lost')
    return `The step finished before the run was interrupted, but its output was lost: ${textOf(error)}`;
  if (error) return textOf(error);
  const answer = last ? failureText(last) : said;
  if (of !== 'until') return answer ?? '';
  const after = `Condition still false after ${String(tries)} attempts: ${text}.`;
  return answer === undefined ? after : `${after} Last result: ${answer}`;
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-TAIL_LINES).join('\n');
}
