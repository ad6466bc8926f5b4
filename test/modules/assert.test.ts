import { expect, it } from 'vitest';
import { assert } from '../../src/modules/assert.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

testModule(assert, {
  settled: [{ title: 'all conditions are true', args: { that: [true, true] } }],
  refused: [
    { title: 'a condition that is false', args: { that: [true, 'a == b'] }, code: 'TASK_FAILED' },
    { title: 'an empty list of conditions', args: { that: [] }, code: 'SCHEMA' },
  ],
});

it('assert names the conditions that are false', () => {
  const message = (that: (string | boolean)[]) => () =>
    assert.plan({ that, fail_msg: 'Do this.' }, fakeHost({}));
  expect(message([true, 'a == b'])).toThrow(/^Do this\. \(Not true: a == b\.\)$/);
  expect(message(['a == b'])).toThrow(/^Do this\.$/);
});
