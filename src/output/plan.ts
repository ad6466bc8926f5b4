import type { RunEvent } from './events.ts';
import { plural } from '../util/text.ts';
import type { Summary, UnitEnd } from './summary.ts';
import { undoLabel } from './undo.ts';

/** Collects the changes of a plan, to show in which order a rollback would undo them. */
export class UndoPreview {
  /** Changes and commit points in the order of the run. */
  readonly #events: (UnitEnd | { commit: string })[] = [];
  #ended = false;
  readonly #failAt: string | undefined;

  /**
   * @param failAt id of the step that would fail. Undefined: the last step before a point of no
   * return.
   */
  constructor(failAt: string | undefined) {
    this.#failAt = failAt;
  }

  see(event: RunEvent): void {
    const pivot = event.type === 'commit' && event.irreversible;
    if (pivot && this.#failAt === undefined) this.#ended = true;
    if (this.#ended) return;
    if (event.type === 'commit') this.#events.push({ commit: event.name });
    if (event.type === 'unit-end' && event.state === 'changed') this.#events.push(event);
    if (event.type === 'step-end' && event.step.id === this.#failAt) this.#ended = true;
  }

  lines(): string[] {
    const commit = this.#events.findLastIndex((one) => 'commit' in one);
    const ends = this.#events.slice(commit + 1).filter((one): one is UnitEnd => 'step' in one);
    const steps = new Map<number, UnitEnd[]>();
    for (const end of ends)
      steps.set(end.step.number, [...(steps.get(end.step.number) ?? []), end]);
    const lines = [...steps].toReversed().map(([, units]) => {
      const [first] = units;
      const hosts = [...new Set(units.map(({ host }) => host))].sort();
      const who = hosts.length <= 3 ? hosts.join(', ') : plural(hosts.length, 'host');
      const kind = undoLabel(first?.undo ?? 'none').replace(/^undo:? /, '');
      return `  ${kind.padEnd(12)} ${first?.step.name ?? ''}: ${who}`;
    });
    const target =
      commit === -1
        ? 'the start of the run'
        : `commit point "${(this.#events[commit] as { commit: string }).commit}"`;
    const step = this.#failAt === undefined ? 'the last step' : `"${this.#failAt}"`;
    return ['', `Rollback order if ${step} fails, back to ${target}:`, ...lines];
  }
}

/** Last lines of a plan: the number of changes, and how many of them can be undone. */
export function coverage({ counts }: Summary): string[] {
  const { changed, covered, cannotTell, irreversible } = counts;
  const share = changed === 0 ? 100 : Math.floor((covered * 100) / changed);
  const unknown = cannotTell === 0 ? '' : `, ${String(cannotTell)} unknown until the run`;
  const lines = ['', `${plural(changed, 'change')}${unknown}; undo coverage ${String(share)} %.`];
  if (irreversible.size > 0) lines.push(`Cannot be undone: ${[...irreversible].join(', ')}.`);
  return lines;
}
