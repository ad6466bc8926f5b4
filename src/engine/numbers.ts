import type { RecordedRun } from '../journal/recorded-run.ts';

/** Counts the steps and units of a run, on from those on record. */
export class Numbers {
  #unit: number;
  #step: number;

  constructor({ lastUnit, lastStep }: Pick<RecordedRun, 'lastUnit' | 'lastStep'>) {
    this.#unit = lastUnit;
    this.#step = lastStep;
  }

  get lastUnit(): number {
    return this.#unit;
  }

  nextUnit(): number {
    return ++this.#unit;
  }

  nextStep(): number {
    return ++this.#step;
  }
}
