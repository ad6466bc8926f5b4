import { SecretError } from '../../core/errors.ts';
import type { RecordedUnit } from '../../journal/recorded-run.ts';
import { revealLater } from '../../journal/stored.ts';
import { openIntent, type Keys } from '../hidden-intent.ts';

/**
 * Paths that the automatic undo of a change restores. Empty if they are encrypted and a secret was
 * not supplied.
 */
export function restoredPaths(unit: RecordedUnit, keys: Keys): string[] {
  if (unit.intent.undo.kind !== 'auto') return [];
  try {
    const { body } = openIntent(unit.whole(), keys).undo;
    if (body.kind !== 'auto') return [];
    return body.calls.flatMap(({ args }) => {
      const { path } = revealLater(args, keys.redactor);
      return typeof path === 'string' ? [path] : [];
    });
  } catch (error) {
    if (error instanceof SecretError) return [];
    throw error;
  }
}
