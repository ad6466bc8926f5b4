import { escapePattern } from '../util/text.ts';

/** The step that `--fail-at` makes fail, once per run. */
export class FailAt {
  readonly #pattern: RegExp | undefined;
  #hasFailed = false;

  /** @param id id of the step as shown before the run, with "each" in place of a loop item */
  constructor(id: string | undefined) {
    this.#pattern =
      id === undefined
        ? undefined
        : new RegExp(`^${escapePattern(id).replaceAll('/each/', '/[^/]+/')}$`);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether the step with that id must fail now. Called once for each execution of a step. */
  isNow(id: string): boolean {
    const isNow = !this.#hasFailed && this.#pattern?.test(id) === true;
    this.#hasFailed ||= isNow;
    return isNow;
  }
}
