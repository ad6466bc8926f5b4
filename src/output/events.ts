import type { RunOutcome, StepInfo, UndoKind, UndoState, UnitState } from '../core/states.ts';
import { JournalError } from '../core/errors.ts';
import { failureText } from '../core/failure.ts';
import type { FileDiff } from '../core/module.ts';
import type { LogReader } from '../journal/log.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import type { JournalRecord, Verified } from '../journal/records.ts';
import { describe } from '../journal/stored.ts';
import { matchHosts } from '../util/patterns.ts';
import { plural } from '../util/text.ts';
import { describeDifference, describeNotUndone } from './undo.ts';
import type { Signal } from '../journal/signals.ts';

/** Events of a run in order, for the displays and as lines of `--output json`, version 1. */
export type RunEvent =
  | {
      type: 'run-start';
      run: string;
      playbook: string;
      check: boolean;
      hosts: string[];
      /** Descriptions of the changes that overlays make to the playbook. */
      changes: string[];
    }
  | {
      type: 'play-start';
      play: string;
      hosts: string[];
      batch: number;
      batches: number;
      /** Hosts of the play that are excluded because they failed earlier. */
      left?: string[];
    }
  | { type: 'step-start'; step: StepInfo; hosts: string[] }
  | { type: 'output'; step: StepInfo; host: string; text: string }
  | {
      type: 'unit-retry';
      step: StepInfo;
      host: string;
      attempt: number;
      attempts: number;
      message: string;
    }
  | {
      type: 'unit-end';
      step: StepInfo;
      host: string;
      item?: string | undefined;
      state: UnitState;
      message?: string | undefined;
      ignored?: boolean | undefined;
      durationMs: number;
      undo?: UndoKind | undefined;
      actions?: string[] | undefined;
      diff?: FileDiff[] | undefined;
      stdout?: string | undefined;
      stderr?: string | undefined;
    }
  | { type: 'step-end'; step: StepInfo; durationMs: number }
  | { type: 'message'; level: 'info' | 'warning' | 'error'; text: string }
  | { type: 'commit'; name: string; irreversible: boolean }
  | { type: 'rollback-start'; run: string; reason: string; units: number }
  | {
      type: 'undo-end';
      step: StepInfo;
      host: string;
      item?: string | undefined;
      state: UndoState;
      message?: string | undefined;
      durationMs: number;
    }
  | { type: 'undo-step-end'; step: StepInfo }
  | {
      type: 'fingerprint';
      host: string;
      name: string;
      equal: boolean;
      message?: string | undefined;
      diff?: FileDiff | undefined;
    }
  | { type: 'document'; title: string; text: string }
  | {
      type: 'run-end';
      run: string;
      outcome: RunOutcome;
      message: string;
      next: string[];
      durationMs: number;
    };

type Entry = JournalRecord | Signal;
type EntryOf<T extends Entry['t']> = Extract<Entry, { t: T }>;

/**
 * State from earlier entries. Texts in `RecordedRun` contain names of secrets; entries contain the
 * plain values to mask.
 */
interface Seen {
  /** @throws JournalError before the first record */
  run: () => RecordedRun;
  /** Running steps by number. */
  steps: Map<number, StepInfo>;
  ended?: EntryOf<'end'>;
  /** Details of changes, by number, until their results arrive. */
  details: Map<number, EntryOf<'details'>>;
}

/**
 * Translates the entries of a log, live or from a file, to events. It has state, so each log needs
 * its own reader.
 */
export function eventReader(show: (event: RunEvent) => void): LogReader {
  let run: RecordedRun | undefined;
  const seen: Seen = {
    run: () => {
      if (run) return run;
      throw new JournalError('The journal does not start with a run record.');
    },
    steps: new Map(),
    details: new Map(),
  };
  return (entry, state) => {
    run = state;
    // The table has a function for each type, but the compiler cannot derive that from the union.
    const translate = shown[entry.t] as Translate<Entry> | undefined;
    const event = translate?.(entry, seen);
    if (event) show(event);
  };
}

type Translate<E> = (entry: E, seen: Seen) => RunEvent | undefined;

/** Translations by type of entry. Entries without one are not shown. */
const shown: { readonly [T in Entry['t']]?: Translate<EntryOf<T>> } = {
  run: ({ run, name: playbook, check, hosts, changes, options, inventory }) => ({
    type: 'run-start',
    run,
    playbook,
    check,
    hosts: withinLimit(
      hosts.map(({ name }) => name),
      options['limit'],
      inventory.groups,
    ),
    changes,
  }),
  batch: ({ play, hosts, batch, batches, left }) => ({
    type: 'play-start',
    play,
    hosts,
    batch,
    batches,
    ...(left ? { left } : {}),
  }),
  step({ step, hosts, silent }, { steps }) {
    if (silent) return undefined;
    steps.set(step.number, step);
    return { type: 'step-start', step, hosts };
  },
  output: ({ t: type, step, host, text }) => ({ type, step, host, text }),
  retry: ({ step, host, attempt, attempts, message }) => ({
    type: 'unit-retry',
    step,
    host,
    attempt,
    attempts,
    message,
  }),
  details(entry, { details }) {
    details.set(entry.unit, entry);
    return undefined;
  },
  result({ unit, step, host, state, failed, why, ignored, durationMs }, { run, steps, details }) {
    const { label: item, undo, actions, diff, stdout, stderr } = details.get(unit) ?? {};
    details.delete(unit);
    return {
      type: 'unit-end',
      step: steps.get(step) ?? stepOf(run(), step),
      host,
      item,
      state,
      message: failed ? failureText(failed) : why,
      ignored,
      durationMs,
      undo,
      actions,
      diff,
      stdout,
      stderr,
    };
  },
  'step-end'({ t: type, step, durationMs }, { steps }) {
    steps.delete(step.number);
    return { type, step, durationMs };
  },
  message: ({ t: type, level, text }) => ({ type, level, text }),
  commit: ({ t: type, name, irreversible, silent }) =>
    silent ? undefined : { type, name, irreversible },
  'undo-start': ({ reason, units }, { run }) => ({
    type: 'rollback-start',
    run: run().header.run,
    reason,
    units,
  }),
  'undo-result'({ unit, state, why, durationMs, silent }, { run }) {
    const intent = run().units.get(unit)?.intent;
    if (silent || !intent) return undefined;
    const { step, host, item } = intent;
    const where = { step: stepOf(run(), step), host, item };
    const message = why && describeNotUndone(why);
    return { type: 'undo-end', ...where, state, message, durationMs };
  },
  'undo-step-end': ({ t: type, step }) => ({ type, step }),
  verified: (verified) => ({ type: 'fingerprint', host: verified.host, ...comparison(verified) }),
  'not-verified': ({ host, difference }) => ({
    type: 'message',
    level: 'warning',
    text: `Not verified on ${host}, because the declared undo of an earlier step refers to it: ${describeDifference(difference)}.`,
  }),
  fingerprint(after, { run }) {
    if (after.phase === 'before') return undefined;
    const { host, name, equal } = after;
    return {
      type: 'fingerprint',
      host,
      name,
      equal,
      diff: equal ? undefined : differenceOf(after, run()),
    };
  },
  document: ({ t: type, title, text }) => ({ type, title, text }),
  end(entry, seen) {
    seen.ended = entry;
    return undefined;
  },
  over({ next, durationMs }, { run, ended }) {
    if (!ended) return undefined;
    const { outcome, message } = ended;
    return { type: 'run-end', run: run().header.run, outcome, message, next, durationMs };
  },
};

/** The hosts that `--limit` allows. */
function withinLimit(
  hosts: readonly string[],
  limit: unknown,
  groups: Readonly<Record<string, readonly string[]>>,
): string[] {
  if (typeof limit !== 'string') return [...hosts];
  const allowed = new Set(matchHosts(limit, hosts, new Map(Object.entries(groups))));
  return hosts.filter((host) => allowed.has(host));
}

function comparison(
  verified: Verified,
): Pick<Extract<RunEvent, { type: 'fingerprint' }>, 'name' | 'equal' | 'message'> {
  if (verified.of === 'task') {
    const { name, failed, why } = verified;
    return { name, equal: !failed, message: failed ? failureText(failed) : why };
  }
  const { count, different } = verified;
  const equal = different.length === 0;
  const message = equal ? undefined : different.map(describeDifference).join('; ');
  return { name: plural(count, 'automatic undo'), equal, message };
}

function stepOf({ steps }: RecordedRun, number: number): StepInfo {
  const step = steps.get(number);
  if (step) return step.info;
  throw new JournalError(`The journal has no record of step ${String(number)}.`);
}

/** The difference between a fingerprint and the one taken before the run. */
function differenceOf(
  { host, id, name, text }: EntryOf<'fingerprint'>,
  { fingerprints }: RecordedRun,
): FileDiff | undefined {
  const before = fingerprints
    .filter(({ phase }) => phase === 'before')
    .map(({ whole }) => whole())
    .find((one) => one.host === host && one.id === id);
  return (
    before && { path: `${host}: ${name}`, before: `${describe(before.text)}\n`, after: `${text}\n` }
  );
}
