import type { RunEvent } from './events.ts';
import { plural } from '../util/text.ts';
import type { Summary, UnitEnd } from './summary.ts';

/** Gathers what a plan would change, to show how it would be taken back after a failure at some step. */
export class UndoPreview {
  /** Changes and commit points in the order they would happen. */
  readonly #happenings: (UnitEnd | { commit: string })[] = [];
  #ended = false;
  readonly #failAt: string | undefined;

  /** @param failAt id of the step that would fail; the last before a point of no return when undefined */
  constructor(failAt: string | undefined) {
    this.#failAt = failAt;
  }

  see(event: RunEvent): void {
    const pivot = event.type === 'commit' && event.irreversible;
    if (pivot && this.#failAt === undefined) this.#ended = true;
    if (this.#ended) return;
    if (event.type === 'commit') this.#happenings.push({ commit: event.name });
    if (event.type === 'unit-end' && event.state === 'changed') this.#happenings.push(event);
    if (event.type === 'step-end' && event.step.id === this.#failAt) this.#ended = true;
  }

  lines(): string[] {
    const commit = this.#happenings.findLastIndex((one) => 'commit' in one);
    const ends = this.#happenings.slice(commit + 1).filter((one): one is UnitEnd => 'step' in one);
    const steps = new Map<number, UnitEnd[]>();
    for (const end of ends)
      steps.set(end.step.number, [...(steps.get(end.step.number) ?? []), end]);
    const lines = [...steps].toReversed().map(([, units]) => {
      const [first] = units;
      const hosts = [...new Set(units.map(({ host }) => host))].sort();
      const who = hosts.length <= 3 ? hosts.join(', ') : plural(hosts.length, 'host');
      return `  ${(first?.undo ?? 'none').padEnd(12)} ${first?.step.name ?? ''}: ${who}`;
    });
    const where =
      commit === -1
        ? 'the start'
        : `commit point "${(this.#happenings[commit] as { commit: string }).commit}"`;
    const title = this.#failAt === undefined ? 'the last step' : this.#failAt;
    return ['', `After a failure at ${title}, back to ${where}, in this order:`, ...lines];
  }
}

/** Last lines of a plan: how much would change, and how much of it can be taken back. */
export function coverage({ counts }: Summary): string[] {
  const { changed, covered, cannotTell, irreversible } = counts;
  const share = changed === 0 ? 100 : Math.floor((covered * 100) / changed);
  const lines = [
    '',
    `${plural(changed, 'change')}, ${String(cannotTell)} not known before the run; undo coverage ${String(share)} %.`,
  ];
  if (irreversible.size > 0) lines.push(`Cannot be undone: ${[...irreversible].join(', ')}.`);
  return lines;
}
