import { createPatch } from 'diff';
import type { RunEvent } from '../core/events.ts';
import type { FileDiff } from '../core/module.ts';
import { formatDuration, plural } from '../util/text.ts';
import {
  countHosts,
  failureLines,
  isFailure,
  worstState,
  type StepSummary,
  type UnitEnd,
} from './step-summary.ts';

export interface Palette {
  bold: (text: string) => string;
  dim: (text: string) => string;
  red: (text: string) => string;
  green: (text: string) => string;
  yellow: (text: string) => string;
  cyan: (text: string) => string;
}

export interface TextOptions {
  palette: Palette;
  /** Show the changes of files. */
  diff: boolean;
  /** Show the undo of each change, as `runner plan` does. */
  undo: boolean;
  verbose: boolean;
}

/** Steps that decide what is run, and do nothing themselves. */
const includes = new Set(['include_tasks', 'include_role', 'block']);

/** Lines for the events that leave a lasting mark on the screen; the live display draws the rest itself. */
export class TextWriter {
  readonly #options: TextOptions;
  readonly #counts = {
    changed: 0,
    covered: 0,
    uncovered: 0,
    unknown: 0,
    pivots: new Set<string>(),
  };
  #undone: Extract<RunEvent, { type: 'undo-end' }>[] = [];

  constructor(options: TextOptions) {
    this.#options = options;
  }

  lines(event: RunEvent): string[] {
    const { palette } = this.#options;
    switch (event.type) {
      case 'run-start':
        return [
          palette.dim(
            `${event.check ? 'Check of' : 'Run'} ${event.run}: ${event.playbook} on ${plural(event.hosts.length, 'host')}`,
          ),
          ...event.changes.map((change) => palette.dim(`  ${change}`)),
        ];
      case 'play-start': {
        const batch =
          event.batches > 1 ? ` (batch ${String(event.batch)} of ${String(event.batches)})` : '';
        const who =
          event.hosts.length <= 5 ? event.hosts.join(', ') : plural(event.hosts.length, 'host');
        const head = `${palette.bold(event.play)}${batch}: ${who}`;
        if (event.left === undefined) return ['', head];
        const left = `  not run on ${event.left.join(', ')}: failed before, and taken back`;
        return ['', head, palette.yellow(left)];
      }
      case 'unit-retry':
        return this.#options.verbose
          ? [
              palette.dim(
                `    ${event.host}: attempt ${String(event.attempt)} of ${String(event.attempts)}: ${event.message}`,
              ),
            ]
          : [];
      case 'message':
        return [
          event.level === 'info' ? event.text : palette.yellow(`${event.level}: ${event.text}`),
        ];
      case 'commit':
        return [
          palette.cyan(
            `  ── ${event.irreversible ? 'point of no return' : 'commit point'}: ${event.name} ──`,
          ),
        ];
      case 'rollback-start':
        return [
          '',
          palette.bold(
            `Rolling back ${event.run} (${event.reason}): ${plural(event.units, 'change')}`,
          ),
        ];
      case 'undo-end':
        this.#undone.push(event);
        return [];
      case 'undo-step-end':
        return this.#undoLines();
      case 'fingerprint':
        return event.equal
          ? this.#options.verbose
            ? [palette.dim(`  same     ${event.name} on ${event.host}`)]
            : []
          : [
              palette.red(
                `  DIFFERS  ${event.name} on ${event.host}${event.message === undefined ? '' : `: ${event.message}`}`,
              ),
              ...(event.diff ? this.#diffLines(event.diff) : []),
            ];
      case 'document':
        return ['', event.text];
      case 'run-end':
        return this.#endLines(event);
      case 'step-start':
      case 'step-end':
      case 'unit-end':
      case 'output':
        return [];
    }
  }

  /** The line of a finished step, with what went wrong and, if asked for, what changed and how it would come back. */
  stepLines({ step, ends }: StepSummary, durationMs: number): string[] {
    const { palette } = this.#options;
    this.#count(ends);
    const state = worstState(ends);
    // What is included shows itself by its steps.
    const quiet = includes.has(step.module) && state === 'ok' && !this.#options.verbose;
    if (quiet) return [];
    const colour =
      state === 'failed' || state === 'unreachable'
        ? palette.red
        : state === 'changed'
          ? palette.yellow
          : state === 'unknown'
            ? palette.cyan
            : state === 'ok'
              ? palette.green
              : palette.dim;
    const took = durationMs >= 100 ? palette.dim(` ${formatDuration(durationMs)}`) : '';
    const name = step.handler ? `${step.name} (handler)` : step.name;
    const lines = [`  ${colour(state.padEnd(8))} ${name}: ${palette.dim(countHosts(ends))}${took}`];
    for (const end of ends) lines.push(...this.#unitLines(end));
    return lines;
  }

  #unitLines(end: UnitEnd): string[] {
    const { palette, diff, undo, verbose } = this.#options;
    if (isFailure(end) || end.ignored === true)
      return failureLines(end).map((line) => palette.red(`           ${line}`));
    const lines: string[] = [];
    if (end.state === 'unknown' || (end.step.module === 'debug' && end.message !== undefined)) {
      lines.push(...failureLines(end).map((line) => palette.cyan(`           ${line}`)));
    }
    if (undo && end.state === 'changed') {
      const how = end.undo === 'uncovered' ? palette.red('uncovered') : (end.undo ?? 'none');
      const what = (end.actions ?? []).map((action) => action.split('\n')[0] ?? '').join('; ');
      lines.push(palette.dim(`           ${end.host}: ${what || 'change'}  [undo: ${how}]`));
    } else if (verbose && end.stdout) {
      lines.push(
        ...end.stdout.split('\n').map((line) => palette.dim(`           ${end.host}| ${line}`)),
      );
    }
    if (diff) for (const one of end.diff ?? []) lines.push(...this.#diffLines(one));
    return lines;
  }

  #count(ends: readonly UnitEnd[]): void {
    for (const { state, undo, step } of ends) {
      if (state === 'unknown') this.#counts.unknown++;
      if (undo === 'irreversible') this.#counts.pivots.add(step.name);
      if (state !== 'changed') continue;
      this.#counts.changed++;
      if (undo === 'uncovered') this.#counts.uncovered++;
      else this.#counts.covered++;
    }
  }

  /** Last lines of a plan: how much would change, and how much of it can be taken back. */
  coverage(): string[] {
    const { changed, covered, unknown, pivots } = this.#counts;
    const share = changed === 0 ? 100 : Math.floor((covered * 100) / changed);
    const lines = [
      '',
      `${plural(changed, 'change')}, ${String(unknown)} not known before the run; undo coverage ${String(share)} %.`,
    ];
    if (pivots.size > 0) lines.push(`Cannot be undone: ${[...pivots].join(', ')}.`);
    return lines;
  }

  /** Undos of one step: equal ones on one line, what went wrong in full. */
  #undoLines(): string[] {
    const { palette } = this.#options;
    const groups = new Map<string, { hosts: Set<string>; bad: boolean; message: string }>();
    for (const { step, host, state, message } of this.#undone) {
      const text = `${state.replace('undo-', '').padEnd(8)} ${step.name}`;
      const shown = message === undefined ? '' : `: ${message}`;
      const group = groups.get(text + shown) ?? { hosts: new Set(), bad: false, message: shown };
      group.hosts.add(host);
      group.bad = state === 'undo-failed' || state === 'undo-blocked';
      groups.set(text + shown, group);
    }
    this.#undone = [];
    return [...groups].map(([text, { hosts, bad, message }]) => {
      const names = hosts.size <= 3 ? [...hosts].sort().join(', ') : plural(hosts.size, 'host');
      const line = text.slice(0, text.length - message.length);
      return `  ${bad ? palette.red(line) : palette.green(line)}: ${palette.dim(names)}${message}`;
    });
  }

  #diffLines({ path, before, after }: FileDiff): string[] {
    const { palette } = this.#options;
    const patch = createPatch(path, before, after, '', '', { context: 2, maxEditLength: 2000 });
    if (patch === undefined) return [`      ${path}: too many changes to show`];
    return patch
      .split('\n')
      .slice(2)
      .filter((line) => line !== '')
      .map((line) => {
        const text = `      ${line}`;
        return line.startsWith('+')
          ? palette.green(text)
          : line.startsWith('-')
            ? palette.red(text)
            : palette.dim(text);
      });
  }

  #endLines(event: Extract<RunEvent, { type: 'run-end' }>): string[] {
    const { palette } = this.#options;
    const colour = event.outcome === 'done' ? palette.green : palette.red;
    const lines = [
      '',
      `${colour(event.message)} ${palette.dim(`(${formatDuration(event.durationMs)})`)}`,
    ];
    for (const command of event.next) lines.push(`  ${command}`);
    return lines;
  }
}
