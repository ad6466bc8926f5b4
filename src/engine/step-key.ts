import type { Play } from '../language/document.ts';

/** Position of a run in its playbook. Immutable: failed and ended hosts are in `Knowledge`. */
export interface Place {
  play: Play;
  batch: readonly string[];
  /** Number of the batch, from 1. */
  number: number;
  at: StepPoint;
  /** With `strategy: free`, the one host that steps run on. */
  own?: string;
  /** Ids of the surrounding roles, innermost last. */
  roles: readonly string[];
  /** In the rescue or always section of a block with a task selected by tags. */
  brought?: boolean;
}

/**
 * In a section of a play, or in a flush of its handlers: at a flush point, before a commit point or
 * a point of no return.
 */
export type StepPoint = 'section' | `flush:${string}` | `commit:${string}` | `no-return:${string}`;

/** Identifies an execution of a step; a resumed run assigns the same key. */
export interface StepKey {
  play: string;
  batch: number | 'once';
  at: StepPoint;
  /** Id of the step. */
  step: string;
  own?: string | undefined;
  /** Number of this execution of the step at this position, from 1. */
  ordinal: number;
}

/** Text of a key, such as `upgrade/2/flush:tasks/handlers/restart#1`. */
export function keyText({ play, batch, at, step, own, ordinal }: StepKey): string {
  const within = withinPlay(step, play);
  const point = at === 'section' ? [] : [at];
  const host = own === undefined ? '' : `@${own}`;
  return `${[play, String(batch), ...point, within].join('/')}${host}#${String(ordinal)}`;
}

/** The id of a step without the id of its play. */
export function withinPlay(step: string, play: string): string {
  return step.startsWith(`${play}/`) ? step.slice(play.length + 1) : step;
}

/** Assigns a key to each execution of a step. */
export class StepKeys {
  readonly #counts = new Map<string, number>();

  /** @param once the step runs in the first batch for all batches */
  next(step: string, { play, number, at, own }: Place, { once = false } = {}): string {
    const key = { play: play.id, batch: once ? ('once' as const) : number, at, step, own };
    const first = keyText({ ...key, ordinal: 1 });
    if (once) return first;
    const ordinal = (this.#counts.get(first) ?? 0) + 1;
    this.#counts.set(first, ordinal);
    return keyText({ ...key, ordinal });
  }
}
