import type { Play } from '../language/document.ts';

/** Where a run stands. A value: who has failed, or has nothing more to do, is knowledge. */
export interface Place {
  play: Play;
  batch: readonly string[];
  /** Number of the batch, counted from one. */
  number: number;
  at: StepPoint;
  /** With `strategy: free`, the one host that steps run on here. */
  own?: string;
  /** Ids of the roles around, the innermost last. */
  roles: readonly string[];
  /** In the rescue or always of a block of which something is selected by tags. */
  brought?: boolean;
}

/** In a section of a play, or in a run of its handlers: before a commit point, a point of no return, or where they are due. */
export type StepPoint = 'section' | `flush:${string}` | `commit:${string}` | `no-return:${string}`;

/** The same for the same execution of a step in a resumed run. */
export interface StepKey {
  play: string;
  batch: number | 'once';
  at: StepPoint;
  /** Id of the step. */
  step: string;
  own?: string | undefined;
  /** Counts the executions of the step at this place, from one. */
  ordinal: number;
}

/** Such as `upgrade/2/flush:tasks/handlers/restart#1`. */
export function keyText({ play, batch, at, step, own, ordinal }: StepKey): string {
  const within = withinPlay(step, play);
  const point = at === 'section' ? [] : [at];
  const host = own === undefined ? '' : `@${own}`;
  return `${[play, String(batch), ...point, within].join('/')}${host}#${String(ordinal)}`;
}

/** A step's id without that of its play. */
export function withinPlay(step: string, play: string): string {
  return step.startsWith(`${play}/`) ? step.slice(play.length + 1) : step;
}

/** Gives each execution of a step its key. */
export class StepKeys {
  readonly #counts = new Map<string, number>();

  /** @param once the step runs in the first batch, for all of them */
  next(step: string, { play, number, at, own }: Place, { once = false } = {}): string {
    const key = { play: play.id, batch: once ? ('once' as const) : number, at, step, own };
    const first = keyText({ ...key, ordinal: 1 });
    if (once) return first;
    const ordinal = (this.#counts.get(first) ?? 0) + 1;
    this.#counts.set(first, ordinal);
    return keyText({ ...key, ordinal });
  }
}
