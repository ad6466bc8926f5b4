import type { RecordedRun } from '../journal/recorded-run.ts';

/** Numbers the steps and units of a run, continuing after the recorded ones. */
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
