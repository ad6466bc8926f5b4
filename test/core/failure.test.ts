import { describe, expect, it } from 'vitest';
import {
  ConnectError,
  TaskError,
  TemplateError,
  TimeoutError,
  type RunnerError,
} from '../../src/core/errors.ts';
import {
  changeTexts,
  commandFailure,
  concealFailure,
  describeFailure,
  failureOf,
  failureText,
  isMistake,
  type Failure,
} from '../../src/core/failure.ts';

const at = { file: 'site.yml', line: 4, column: 9 };
const output = (code: number, stdout = '', stderr = '') => ({ code, stdout, stderr });
const command = commandFailure(
  { kind: 'exec', argv: ['/bin/check', 'now'] },
  output(3, 'one\n', 'two\n'),
);

describe('the message of a failure', () => {
  it.each<[string, Failure, string | undefined]>([
    ['a command', command, 'Command "/bin/check now" failed with exit code 3: two'],
    [
      'a command without errors on stderr',
      commandFailure({ kind: 'mkdir', path: '/a' }, output(1, 'full\n')),
      '"mkdir /a" failed with exit code 1: full',
    ],
    [
      'no answer',
      commandFailure(undefined, undefined),
      '"the action" failed with exit code -1 and no output',
    ],
    ['a message of the module', { ...command, message: 'HTTP 404' } as Failure, 'HTTP 404'],
    [
      'a refusal',
      { kind: 'refused', message: 'No space.', hint: 'Make room.' },
      'No space. Make room.',
    ],
    ['another place', { kind: 'template', message: 'no x', at }, 'site.yml:4:9: no x'],
    ['--fail-at', { kind: 'injected' }, 'made to fail by --fail-at'],
    ['no_log', { kind: 'hidden' }, 'failed; its output is hidden by no_log'],
    [
      'until',
      { kind: 'condition', of: 'until', text: 'r.rc == 0', tries: 5, last: command },
      'Condition still false after 5 attempts: r.rc == 0. Last result: Command "/bin/check now" failed with exit code 3: two',
    ],
    ['failed_when', { kind: 'condition', of: 'failed_when', text: 'x', tries: 1 }, undefined],
  ])('of %s', (_title, failure, text) => {
    expect(failureText(failure)).toBe(text);
    const { headline, details } = describeFailure(failure);
    expect([headline, ...details].join('\n')).toBe(text ?? '');
  });

  it('has the last lines of the output as its details', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${String(index)}`).join('\n');
    const { headline, details } = describeFailure(
      commandFailure(
        { kind: 'exec', argv: ['/bin/long', '-c\nmore'] },
        output(1, '', `${lines}\n\n`),
      ),
    );
    expect(headline).toBe('Command "/bin/long -c" failed with exit code 1: line 4');
    expect(details).toEqual(['line 5', 'line 6', 'line 7', 'line 8']);
  });
});

describe('no_log', () => {
  it('removes the output of hosts and modules from a failure', () => {
    const condition = { kind: 'condition', of: 'until', text: 'ready', tries: 2 } as const;
    expect(concealFailure(command)).toEqual({ kind: 'hidden' });
    expect(concealFailure({ ...condition, said: 'secret' })).toEqual(condition);
    expect(concealFailure({ ...condition, last: command })).toEqual({
      ...condition,
      last: { kind: 'hidden' },
    });
    const stated = { kind: 'refused', message: 'the token is 123', stated: true } as const;
    expect(concealFailure(stated)).toEqual({ kind: 'hidden' });
    const refused = { kind: 'refused', message: 'MKE 3 rejected the login of "admin".' } as const;
    expect(concealFailure(refused)).toEqual(refused);
    expect(concealFailure({ kind: 'timeout', message: 'late' })).toEqual({
      ...{ kind: 'timeout', message: 'late' },
    });
  });
});

it('changeTexts replaces all readable texts of a failure and no other field', () => {
  const mask = (text: string) => text.replaceAll('command', '***');
  const told: Failure = { ...command, message: 'a command' } as Failure;
  expect(
    changeTexts({ kind: 'condition', of: 'until', text: 'x', tries: 2, last: told }, mask),
  ).toEqual({
    kind: 'condition',
    of: 'until',
    text: 'x',
    tries: 2,
    last: { ...command, message: 'a ***' },
  });
});

describe('the failure of an error', () => {
  it.each<[RunnerError, Failure]>([
    [
      new ConnectError('no route', { host: 'h1', stage: 'connect', retryable: true }),
      { kind: 'connect', stage: 'connect', retryable: true, message: 'no route' },
    ],
    [new TimeoutError('took 5 s'), { kind: 'timeout', message: 'took 5 s' }],
    [new TemplateError('no x', { at }), { kind: 'template', message: 'no x', at }],
    [
      new TaskError('not there', { at, hint: 'Install it.' }),
      { kind: 'refused', message: 'not there', hint: 'Install it.', at },
    ],
  ])('keeps what the error says: %s', (error, failure) => {
    expect(failureOf(error, { place: true })).toEqual(failure);
    expect(failureText(failureOf(error, { place: true }))).toBe(error.describe());
    expect(failureOf(error, { place: false })).not.toHaveProperty('at');
  });

  it('counts as an error of the playbook only if a template of the step is wrong', () => {
    const template: Failure = { kind: 'template', message: 'no x' };
    const condition = { kind: 'condition', of: 'until', text: 'x', tries: 2 } as const;
    expect(isMistake(template)).toBe(true);
    expect(isMistake({ ...condition, last: template })).toBe(true);
    expect(isMistake({ ...condition, error: template })).toBe(false);
    expect(isMistake(command)).toBe(false);
  });
});
