import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { retriesOf, timeoutOf } from '../../src/engine/limits.ts';
import { Scope } from '../../src/template/scope.ts';
import { at, taskOf } from '../helpers/tasks.ts';

const scope = new Scope([{ name: 'play', values: { n: 5, text: '7', word: 'many', none: '' } }]);
const of = (name: string) => new Template(`{{${name}}}`);

describe('the limits of a task', () => {
  it('are numbers, templates or defaults; a time limit of 0 means no limit', () => {
    expect(timeoutOf(taskOf(), scope)).toBe(1800);
    expect(timeoutOf(taskOf({ timeoutSeconds: 0.5 }), scope)).toBe(0.5);
    expect(timeoutOf(taskOf({ timeoutSeconds: 0 }), scope)).toBe(Number.POSITIVE_INFINITY);
    expect(timeoutOf(taskOf({ timeoutSeconds: of('n') }), scope)).toBe(5);
    const task = taskOf({ retries: of('text'), delaySeconds: 0.5 });
    expect(retriesOf(task, scope)).toEqual({ retries: 7, delaySeconds: 0.5 });
  });

  it.each([
    [of('word'), '"many"'],
    [of('none'), '""'],
    [-1, '-1'],
  ])('must be numbers of at least 0, not %s', (limit, found) => {
    const error = { message: `"timeout" must be a number of at least 0, not ${found}.`, at };
    expect(() => timeoutOf(taskOf({ timeoutSeconds: limit }), scope)).toThrow(
      expect.objectContaining(error),
    );
    expect(() => retriesOf(taskOf({ retries: limit }), scope)).toThrow('"retries" must be');
    expect(() => retriesOf(taskOf({ delaySeconds: limit }), scope)).toThrow('"delay" must be');
  });
});
