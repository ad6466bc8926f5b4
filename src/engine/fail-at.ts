import { escapePattern } from '../util/text.ts';

/** The step that `--fail-at` makes fail, once in a run. */
export class FailAt {
  readonly #pattern: RegExp | undefined;
  #hasFailed = false;

  /** @param id as it is known before the run: a step inside a loop as that of "each" item */
  constructor(id: string | undefined) {
    this.#pattern =
      id === undefined
        ? undefined
        : new RegExp(`^${escapePattern(id).replaceAll('/each/', '/[^/]+/')}$`);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether the step with that id is to fail now. It is asked once of each execution. */
  isNow(id: string): boolean {
    const isNow = !this.#hasFailed && this.#pattern?.test(id) === true;
    this.#hasFailed ||= isNow;
    return isNow;
  }
}
