import { expect, it } from 'vitest';
import { fail } from '../../src/modules/fail.ts';
import { fakeHost } from '../helpers/module-tester.ts';

it('fail ends with its message', () => {
  expect(() => fail.plan({ msg: 'Free the disk.' }, fakeHost({}))).toThrow('Free the disk.');
});
