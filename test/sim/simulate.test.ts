import { describe, expect, it } from 'vitest';
import { FIRST_WIDE_SEED, simulate, type CaseResult } from '../../src/sim/simulate.ts';
import { randomOf, seed } from '../helpers/seed.ts';

/** Played in each run of the suite. */
const fixedSeeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** They are other ones with each seed of the suite; a third of them are of the wide range. */
const random = randomOf('simulate');
const drawn = (count: number, first: number) =>
  Array.from({ length: count }, () => first + Math.floor(random() * 999_999));
const seedsOfSuite = [...drawn(120, 1), ...drawn(60, FIRST_WIDE_SEED)];

/** A case that breaks a rule, with how to replay it. */
const broken = ({ seed: number, story, problems }: CaseResult) =>
  problems.length === 0
    ? []
    : [{ replay: `npm run simulate -- --seed ${String(number)} --verbose`, story, problems }];

describe('a simulated run', () => {
  it('has the same journal and the same story each time its seed is played', async () => {
    for (const number of [3, 11, 65]) {
      const [one, other] = [await simulate(number), await simulate(number)];
      expect(other.journal).toBe(one.journal);
      expect(other.story).toEqual(one.story);
      expect(one.journal).not.toBe('');
    }
  });

  it('takes another course with another seed', async () => {
    expect((await simulate(1)).journal).not.toBe((await simulate(2)).journal);
  });

  it('breaks no rule, whatever goes wrong', async () => {
    const problems = [];
    for (const number of [...fixedSeeds, ...seedsOfSuite])
      problems.push(...broken(await simulate(number)));
    expect(problems, `Seeds ${fixedSeeds.join(', ')} and those of --seed ${String(seed)}`).toEqual(
      [],
    );
  });

  it.each([
    [4088, 'a unit after a commit point had a number of before it, and was not undone'],
    [3291, 'the host of "run_once" in a rescue depended on who failed first'],
    [4648, 'the host of "run_once" with a loop in a rescue depended on who failed first'],
    [7606, 'the host of "run_once" in a rescue depended on a line that was cut'],
    [10597, 'a resumed run ran a step with "run_once" on another host, where the first had begun'],
    [5597, 'a service kept what a step had written whose answer was lost'],
    [6854, 'a service kept what a step of an earlier play had written whose answer was lost'],
    [
      19633,
      'a change was undone that was still on its way, since the question for it was lost, too',
    ],
    [9705, 'a resumed run ran handlers again that had run at a commit point'],
    [
      1000229,
      'a resumed run left out a step that a rollback after a point of no return had undone',
    ],
    [1000465, 'the checker expected a handler again that had run after the undo'],
    [
      1001289,
      'a step whose tries were cut short by the end of the run was rescued, not tried again',
    ],
    [
      1005683,
      'a service was not restarted after the undo of a change whose own handler had not run',
    ],
    [1002718, 'the checker expected a handler again that had run after the undo, in a later play'],
    [1002781, 'a handler did not run for a change whose undo had failed and that still stood'],
  ])('breaks no rule with seed %i: %s', async (number) => {
    expect(broken(await simulate(number))).toEqual([]);
  });
});
