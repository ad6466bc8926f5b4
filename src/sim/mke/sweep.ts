import { checkJournal } from '../../checker/check-journal.ts';
import type { Fault, FaultPoint } from '../../core/fault.ts';
import { parseJournal } from '../../journal/journal-file.ts';
import { Chance } from '../chance.ts';
import { HangError } from '../clock.ts';
import type { Disturbance } from '../model-run.ts';
import { RUN } from '../run.ts';
import { UpgradeRun, type SavedRun, type SharedJournal, type UpgradeSetup } from './upgrade.ts';

/** A step that changes something, with the state when its first host reached each fault point. */
export interface SweepStep {
  id: string;
  /** Hosts on which it changes something. */
  hosts: string[];
  /** After the point of no return: the run can only be resumed. */
  forwardOnly: boolean;
  moments: Partial<Record<FaultPoint, SavedRun>>;
}

/** An upgrade without faults. */
export interface UpgradeReference {
  setup: UpgradeSetup;
  steps: SweepStep[];
  journal: SharedJournal;
  before: string[][];
  end: string[][];
}

export interface SweepResult {
  /** State of the run after each process. */
  story: string[];
  /** Empty if all checks passed. */
  problems: string[];
}

/** @throws Error when it does not succeed */
export async function upgradeReference(setup: UpgradeSetup): Promise<UpgradeReference> {
  const one = new UpgradeRun(setup, new Chance(1));
  const steps = new Map<string, SweepStep>();
  let forwardOnly = false;
  await one.process('play', {
    watch: (entry) => {
      if (entry.t === 'commit') forwardOnly ||= entry.irreversible;
    },
    atPoint: () => (point, id) => {
      const step = steps.get(id) ?? { id, hosts: [], forwardOnly, moments: {} };
      steps.set(id, step);
      step.moments[point] ??= one.save();
    },
  });
  if (one.state() !== 'done') throw new Error(`The run without faults failed: ${one.story.join()}`);
  const run = one.run();
  for (const { intent } of run?.units.values() ?? []) {
    const step = steps.get(run?.steps.get(intent.step)?.info.id ?? '');
    if (step && !step.hosts.includes(intent.target)) step.hosts.push(intent.target);
  }
  const bytes = Buffer.from(one.disk.bytes);
  const parsed = parseJournal(bytes, 'journal');
  freeze(parsed);
  return {
    ...{ setup, steps: [...steps.values()], journal: { bytes, parsed } },
    ...{ before: one.states.get('') ?? [], end: one.lines() },
  };
}

/** A run that changes a shared record throws. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}

/** Injects one fault at a step, lets the run recover, and compares the result. */
export async function tryFault(
  reference: UpgradeReference,
  step: SweepStep,
  fault: Fault,
): Promise<SweepResult> {
  const moment = step.moments[momentOf[fault]];
  if (!moment) return { story: [], problems: [`The step never reached ${momentOf[fault]}.`] };
  const chance = new Chance(step.id.length);
  const saved = { ...moment, journal: reference.journal };
  const one = new UpgradeRun(reference.setup, chance, saved);
  const problems: string[] = [];
  try {
    await inject(one, step, fault);
    problems.push(...(await judge(one, { step, fault }, reference)), ...one.problems);
  } catch (error) {
    problems.push(error instanceof HangError ? error.message : String((error as Error).stack));
  }
  return { story: one.story, problems };
}

const momentOf: Record<Fault, FaultPoint> = {
  fail: 'before-intent',
  cut: 'before-intent',
  'kill-undo': 'before-intent',
  'kill-before': 'before-intent',
  'kill-after': 'after-intent',
  'undo-only': 'after-intent',
  'kill-effect': 'after-effect',
};

async function inject(one: UpgradeRun, step: SweepStep, fault: Fault): Promise<void> {
  const failing: Disturbance = { settings: { failAt: step.id } };
  switch (fault) {
    case 'fail':
      return one.process('resume', failing);
    case 'cut':
      return cut(one, step);
    case 'kill-undo':
      await one.process('resume', {
        ...failing,
        atPoint: (kill) => (point, id) => {
          if (point === 'after-undo' && id === step.id) kill();
        },
      });
      // The step was not undone: it needs no undo, or the rollback ended there.
      return one.endedAlone ? undefined : one.process('rollback', {});
    case 'undo-only':
      pretendStarted(one);
      return one.process('rollback', {});
    case 'kill-before':
    case 'kill-after':
    case 'kill-effect':
      return one.process('rollback', {});
  }
}

/** Makes one host unreachable from the start of the step until the rollback starts. */
function cut(one: UpgradeRun, { id, hosts }: SweepStep): Promise<void> {
  const victim = hosts[id.length % Math.max(1, hosts.length)];
  let isCut = false;
  return one.process('resume', {
    watch: (entry) => {
      if (entry.t === 'step' && entry.step.id === id) isCut = true;
      if (entry.t === 'rollback') isCut = false;
    },
    fault: (host) => (isCut && host === victim ? 'lost-request' : undefined),
  });
}

/** Makes hosts report that units without a result were started and interrupted. */
function pretendStarted(one: UpgradeRun): void {
  for (const [unit, { intent, result }] of one.run()?.units ?? []) {
    if (result || intent.block) continue;
    const host = one.hosts.find(({ name }) => name === intent.target);
    host?.started(RUN, unit);
    host?.interrupted(RUN, unit);
  }
}

async function judge(
  one: UpgradeRun,
  { step: { forwardOnly }, fault }: { step: SweepStep; fault: Fault },
  { before, end }: UpgradeReference,
): Promise<string[]> {
  const state = one.state();
  const problems: string[] = [];
  // The connection was cut after its last use: the run succeeded.
  const wanted = state === 'done' || forwardOnly ? end : before;
  if (forwardOnly && state === 'past_no_return') await one.process('resume', {});
  const ended = one.state();
  const isRight =
    wanted === end ? ended === 'done' : ended === 'rolled_back' || ended === 'nothing_changed';
  if (!isRight)
    problems.push(`The run ended with ${String(ended)}: ${one.run()?.end?.message ?? ''}`);
  else problems.push(...differences(wanted, one.lines()));
  const started = one.hosts.flatMap((host) => host.startedUnits(RUN));
  problems.push(...checkJournal(one.disk.bytes.toString('utf8'), started));
  // A host that was unreachable to the end keeps its lock, which has no effect after the run.
  const isAway = fault === 'cut' && ended === 'nothing_changed';
  for (const { name, lock } of one.hosts)
    if (lock && !isAway) problems.push(`${name} is still locked.`);
  return problems;
}

function differences(wanted: readonly string[][], found: readonly string[][]): string[] {
  return wanted.flatMap((lines, index) => {
    const [was, now] = [new Set(lines), new Set(found[index])];
    return [
      ...[...was].filter((line) => !now.has(line)).map((line) => `lost: ${line}`),
      ...[...now].filter((line) => !was.has(line)).map((line) => `has: ${line}`),
    ];
  });
}
