import { failureText } from '../core/failure.ts';
import type { Difference, NotUndone } from '../core/undo.ts';

/** Why a change is not undone, in words. */
export function describeNotUndone(why: NotUndone): string {
  switch (why.kind) {
    case 'failed':
      return failureText(why.failure) ?? `undo task "${why.task ?? ''}" failed`;
    case 'unmet':
      return `undo_when does not hold: ${why.condition}`;
    case 'uncovered':
      return 'this step has no undo: restore it by hand, then run the rollback again with --skip CHANGE';
    case 'irreversible':
      return `cannot be undone: ${why.reason}`;
    case 'requested':
      return 'skipped on request';
    case 'unneeded':
      return 'nothing inside was changed';
    case 'replaced':
      return 'the undo of its block stands for it';
    case 'unnotified':
      return 'no change that notified it was undone';
    case 'notifier':
      return 'a step that notified it is not undone';
    case 'later':
      return `a later step of ${why.hosts?.join(', ') ?? 'this host'} is not undone`;
    case 'running':
      return `It may still run on "${why.host}"`;
    case 'unresolved':
      return `"${why.host}" cannot be asked what became of the step`;
    case 'unreachable':
      return why.host === undefined
        ? 'waits for a host that cannot be reached'
        : `${why.host} cannot be reached`;
  }
}

/** What an automatic undo still finds to do, in words. */
export function describeDifference(one: Difference): string {
  if ('failed' in one) return `${one.what}: ${failureText(one.failed) ?? 'cannot be looked at'}`;
  return `${one.what} would still need: ${one.actions.join(', ')}`;
}
