import { describe, expect, it } from 'vitest';
import { describeFailures, notBegun, type StepFailure } from '../../src/engine/failures.ts';
import { refusal } from '../helpers/records.ts';

const failed = (id: string, message: string): StepFailure => ({
  ...{ task: `Task ${id}`, id, failure: refusal(message) },
});

describe('the message for failures of several hosts', () => {
  it('is that of the first host of the step that failed last', () => {
    const all = new Map([
      ['h3', failed('a', 'earlier')],
      ['h2', failed('b', 'first.')],
      ['h1', failed('b', 'second.')],
    ]);
    expect(describeFailures(all)).toBe('h1, h2, h3: "Task b" failed (b): first');
    expect(describeFailures(new Map())).toBe('');
  });

  it('is truncated to one line of 300 characters', () => {
    const said = describeFailures(new Map([['h1', failed('a', `${'x'.repeat(400)}\nmore`)]]));
    expect(said).toBe(`h1: "Task a" failed (a): ${'x'.repeat(300)}`);
    expect(describeFailures(new Map([['h1', failed('a', '')]]))).toBe('h1: "Task a" failed (a)');
  });

  it('is not truncated if the step was not started', () => {
    const all = notBegun(['h2', 'h1'], { name: 'Copy', id: 'p/copy' }, refusal('no\nmore'));
    expect([...all.values()][0]).toMatchObject({ task: 'Copy', id: 'p/copy', notBegun: true });
    expect(describeFailures(all)).toBe('h1, h2: no\nmore');
  });
});
