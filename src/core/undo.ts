import { changeTexts, type Failure } from './failure.ts';

/** Why a change is not undone. `output/undo.ts` makes the sentences. */
export type NotUndone =
  /** `task`: of the undo, where one of its tasks failed. */
  | { kind: 'failed'; failure: Failure; task?: string }
  /** `undo_when` of the step does not hold. */
  | { kind: 'unmet'; condition: string }
  /** The step has no undo. */
  | { kind: 'uncovered' }
  | { kind: 'irreversible'; reason: string }
  /** By `--skip`. */
  | { kind: 'requested' }
  /** The undo list of a block that changed nothing. */
  | { kind: 'unneeded' }
  /** The undo list of its block replaces its own. */
  | { kind: 'replaced' }
  /** A handler: none of the steps that notified it was undone. */
  | { kind: 'unnotified' }
  /** A handler: a step that notified it is not undone. */
  | { kind: 'notifier' }
  /** A later step of its host is not undone or, for a shared change, of one of these hosts. */
  | { kind: 'later'; hosts?: string[] }
  /** The step may still be running there. */
  | { kind: 'running'; host: string }
  /** The host did not report the result of the step. */
  | { kind: 'unresolved'; host: string }
  /** Waited for this host, or, if none is named, for one that shares the change. */
  | { kind: 'unreachable'; host?: string };

/** Differences that remain after an automatic undo, or why it could not compare. */
export type Difference = { what: string } & ({ actions: string[] } | { failed: Failure });

/** Fields that hold text of the playbook. */
const texts = new Set(['task', 'condition', 'reason']);

/** The reason with all its readable texts replaced. */
export function changeReasonTexts(why: NotUndone, change: (text: string) => string): NotUndone {
  const changed = Object.entries(why).map(([name, value]: [string, unknown]) => {
    if (name === 'failure') return [name, changeTexts(value as Failure, change)];
    return [name, typeof value === 'string' && texts.has(name) ? change(value) : value];
  });
  return Object.fromEntries(changed) as NotUndone;
}

/** The difference with all its readable texts replaced. */
export function changeDifferenceTexts(
  one: Difference,
  change: (text: string) => string,
): Difference {
  const what = change(one.what);
  if ('failed' in one) return { what, failed: changeTexts(one.failed, change) };
  return { what, actions: one.actions.map(change) };
}
