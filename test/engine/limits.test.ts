import { expect, it } from 'vitest';
import { timeoutOf } from '../../src/engine/limits.ts';
import { Scope } from '../../src/template/scope.ts';

const at = { file: 'p.yml', line: 1, column: 1 };

it.each([
  [undefined, 1800],
  [0.5, 0.5],
  [0, Number.POSITIVE_INFINITY],
])('a time limit of %j lets a try take %d s', (timeoutSeconds, seconds) => {
  expect(timeoutOf({ timeoutSeconds, at }, new Scope([]))).toBe(seconds);
});
