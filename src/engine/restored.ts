import type { ModuleCall } from '../core/module.ts';
import type { RecordedRun, RecordedUnit } from '../journal/recorded-run.ts';
import { reveal } from '../journal/stored.ts';
import { groupBy } from '../util/group.ts';
import { openIntent, type Keys } from './hidden-intent.ts';
import { escapePattern } from '../util/text.ts';

/** A path or other object that an automatic undo restored. */
export interface Restored {
  unit: RecordedUnit;
  /** The undo call, which contains the original state. */
  call: ModuleCall;
}

/**
 * By host, the undo calls with the original state of each path or object: those of the first step
 * that changed it. If a step has several calls for the same path, the last one counts. Paths below
 * a directory that an earlier step found missing or restores as a whole are left out.
 */
export function restored(run: RecordedRun, keys: Keys): Map<string, Restored[]> {
  const first = new Map<string, Restored>();
  const undone = [...run.units.values()]
    .filter(({ undo }) => undo === 'undone')
    .sort((a, b) => a.intent.unit - b.intent.unit);
  for (const unit of undone) {
    const { undo, touches } = openIntent(unit.whole(), keys);
    const { body } = undo;
    if (body.kind !== 'auto') continue;
    const keyOf = (about: string) => `${unit.intent.target}\n${about}`;
    for (const { module, args } of body.calls) {
      const call = { module, args: reveal(args, keys.redactor) };
      const { path, name } = call.args;
      const about =
        typeof path === 'string' ? path : (touches?.join(' ') ?? `${module} ${String(name ?? '')}`);
      const known = first.get(keyOf(about));
      if (known && known.unit !== unit) continue;
      const above = typeof path === 'string' ? directoriesAbove(path) : [];
      if (above.some((one) => saysAllBelow(first.get(keyOf(one)), unit))) continue;
      first.set(keyOf(about), { unit, call });
    }
  }
  return groupBy(first.values(), ({ unit }) => unit.intent.target);
}

/** Whether an earlier step found no directory there, or restores its whole content. */
function saysAllBelow(one: Restored | undefined, unit: RecordedUnit): boolean {
  if (!one || one.unit === unit) return false;
  const { state, tree } = one.call.args;
  return state !== undefined && (state !== 'directory' || tree !== undefined);
}

/**
 * Whether the declared undo of an earlier step names the object, its path or a parent directory,
 * and ran later on the same host. That undo restores a state that only the playbook defines, so a
 * difference may be intended.
 */
export function isNamedByEarlierUndo(
  run: RecordedRun,
  { unit: { intent }, call }: Restored,
  keys: Keys,
): boolean {
  const about = call.args['path'] ?? call.args['name'];
  if (typeof about !== 'string' || about === '') return false;
  const named = wholeWords([about, ...directoriesAbove(about)]);
  return [...run.units.values()].some((earlier) => {
    if (earlier.undo !== 'undone' || earlier.intent.undo.kind !== 'declared') return false;
    if (earlier.intent.target !== intent.target || earlier.intent.unit > intent.unit) return false;
    return named.test(JSON.stringify(openIntent(earlier.whole(), keys).undo.body));
  });
}

/** Matches names or paths in JSON text, but not parts of longer ones. */
function wholeWords(names: readonly string[]): RegExp {
  const patterns = names.map((name) => escapePattern(JSON.stringify(name).slice(1, -1)));
  return new RegExp(String.raw`(?<![\w./-])(?:${patterns.join('|')})(?![\w.-]|/[\w.-])`);
}

/** Parent directories, nearest first, without the root. */
function directoriesAbove(path: string): string[] {
  if (!path.startsWith('/')) return [];
  const parts = path.split('/').slice(0, -1);
  return parts
    .map((_, index) => parts.slice(0, index + 1).join('/'))
    .slice(1)
    .reverse();
}
