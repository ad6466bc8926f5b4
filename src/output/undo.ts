import { failureText } from '../core/failure.ts';
import type { UndoKind } from '../core/states.ts';
import type { Difference, NotUndone } from '../core/undo.ts';
import type { UndoBody } from '../journal/records.ts';

/** How a change would be undone, for plans and lists. */
export function undoLabel(kind: UndoKind | UndoBody['kind']): string {
  switch (kind) {
    case 'uncovered':
      return 'no undo';
    case 'irreversible':
      return 'irreversible';
    case 'not-needed':
      return 'undo not needed';
    case 'auto':
    case 'declared':
    case 'rerun':
    case 'none':
      return `undo: ${kind}`;
  }
}

/** Describes why a change is not undone. */
export function describeNotUndone(why: NotUndone): string {
  switch (why.kind) {
    case 'failed':
      return failureText(why.failure) ?? `undo task "${why.task ?? ''}" failed`;
    case 'unmet':
      return `undo_when is false: ${why.condition}`;
    case 'uncovered':
      return 'this step has no undo: restore it by hand, then run the rollback again with --skip CHANGE';
    case 'irreversible':
      return `cannot be undone: ${why.reason}`;
    case 'requested':
      return 'skipped with --skip';
    case 'unneeded':
      return 'no task of the block changed anything';
    case 'replaced':
      return 'replaced by the undo of its block';
    case 'unnotified':
      return 'no change that notified it was undone';
    case 'notifier':
      return 'a step that notified it is not undone';
    case 'later':
      return `a later step on ${why.hosts?.join(', ') ?? 'this host'} is not undone`;
    case 'running':
      return `the step may still be running on ${why.host}`;
    case 'unresolved':
      return `${why.host} did not report the outcome of the step`;
    case 'unreachable':
      return why.host === undefined
        ? 'waited for an unreachable host'
        : `${why.host} is unreachable`;
  }
}

/** Describes a difference that the verification of an automatic undo found. */
export function describeDifference(one: Difference): string {
  if ('failed' in one) return `${one.what}: ${failureText(one.failed) ?? 'cannot be verified'}`;
  return `${one.what} is not restored (remaining: ${one.actions.join(', ')})`;
}
