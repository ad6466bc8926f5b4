import { describe, expect, it } from 'vitest';
import { FIRST_WIDE_SEED, simulate, type CaseResult } from '../../src/sim/simulate.ts';
import { randomOf, seed } from '../helpers/seed.ts';

/** Seeds of each run of the suite. */
const fixedSeeds = Array.from({ length: 20 }, (_, index) => index + 1);
/** Different for each seed of the suite; a third of them are in the wide range. */
const random = randomOf('simulate');
const drawn = (count: number, first: number) =>
  Array.from({ length: count }, () => first + Math.floor(random() * 999_999));
const seedsOfSuite = [...drawn(120, 1), ...drawn(60, FIRST_WIDE_SEED)];

/** A case that breaks a rule, with the command that replays it. */
const broken = ({ seed: number, story, problems }: CaseResult) =>
  problems.length === 0
    ? []
    : [{ replay: `npm run simulate -- --seed ${String(number)} --verbose`, story, problems }];

describe('a simulated run', () => {
  it('has the same journal and the same processes each time with the same seed', async () => {
    for (const number of [3, 11, 65]) {
      const [one, other] = [await simulate(number), await simulate(number)];
      expect(other.journal).toBe(one.journal);
      expect(other.story).toEqual(one.story);
      expect(one.journal).not.toBe('');
    }
  });

  it('differs with another seed', async () => {
    expect((await simulate(1)).journal).not.toBe((await simulate(2)).journal);
  });

  it('breaks no rule with any faults', async () => {
    const problems = [];
    for (const number of [...fixedSeeds, ...seedsOfSuite])
      problems.push(...broken(await simulate(number)));
    expect(problems, `Seeds ${fixedSeeds.join(', ')} and those of --seed ${String(seed)}`).toEqual(
      [],
    );
  });

  it.each([
    [4088, 'a unit after a commit point had a lower number, and was not undone'],
    [3291, 'the host of "run_once" in a rescue depended on the order of failures'],
    [4648, 'the host of "run_once" with a loop in a rescue depended on the order of failures'],
    [7606, 'the host of "run_once" in a rescue depended on a lost connection'],
    [10597, 'a resumed run ran a "run_once" step on another host than the interrupted attempt'],
    [5597, 'a service kept the file of a step whose answer was lost'],
    [6854, 'a service kept the file of a step of an earlier play whose answer was lost'],
    [19633, 'a change was undone that was still under way, because the query for it was lost, too'],
    [9705, 'a resumed run repeated handlers that had run at a commit point'],
    [1000229, 'a resumed run skipped a step that a rollback after a point of no return had undone'],
    [1000465, 'the checker expected another run of a handler that had run after the undo'],
    [1001289, 'a step whose retries were ended by an interruption was rescued, not retried'],
    [
      1005683,
      'a service was not restarted after the undo of a change whose own handler had not run',
    ],
    [1002718, 'the checker expected another run of a handler of a later play after the undo'],
    [1002781, 'a handler did not run for a change whose undo had failed'],
  ])('breaks no rule with seed %i: %s', async (number) => {
    expect(broken(await simulate(number))).toEqual([]);
  });
});
