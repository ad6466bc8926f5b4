import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { deadlineOf } from '../../src/engine/time-limit.ts';
import { Scope } from '../../src/template/scope.ts';
import { playOf } from '../helpers/tasks.ts';

const scope = new Scope([{ name: 'play', values: { text: '7', word: 'many' } }]);
const of = (name: string) => new Template(`{{${name}}}`);

describe('the time limit of a playbook', () => {
  const deadline = (timeLimitSeconds: number | Template | undefined, check = false): number =>
    deadlineOf(
      { timeLimitSeconds, plays: [playOf()] },
      { ofPlay: () => scope },
      { clock: { now: () => 1000 }, check, hosts: ['h1'] },
    );

  it('counts from the start of the run, and is infinite in check mode', () => {
    expect(deadline(60)).toBe(61_000);
    expect(deadline(of('text'))).toBe(8000);
    expect(deadline(60, true)).toBe(Infinity);
    expect(deadline(undefined)).toBe(Infinity);
    expect(deadline(0)).toBe(Infinity);
  });

  it('must be a number', () => {
    expect(() => deadline(of('word'))).toThrow(
      '"time_limit" must be a number of seconds, not {{word}}.',
    );
    expect(() => deadline(-1)).toThrow('"time_limit" must be a number of seconds, not -1.');
  });
});
