import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkJournal } from '../checker/check-journal.ts';
import { exitCodes } from '../core/states.ts';
import type { RunEvent } from '../output/events.ts';
import type { Fault, FaultPoint } from '../core/fault.ts';
import type { LabHost } from '../lab/lab.ts';
import { startPlayground, type Playground, type PlaygroundSpec } from './playground.ts';
import {
  lastWords,
  RunnerProcess,
  type ProcessOptions,
  type ProcessResult,
} from './runner-process.ts';

const killPoints: Partial<Record<Fault, FaultPoint>> = {
  'kill-before': 'before-intent',
  'kill-after': 'after-intent',
  'kill-effect': 'after-effect',
};

/** A step that changes something, as a run without faults told. */
export interface ChangingStep {
  id: string;
  name: string;
  module: string;
  /** The file that the step is written in. */
  file: string;
  /** Hosts on which it changes something. */
  hosts: string[];
  /** Number of commit points before it. */
  segment: number;
  /** Behind a point of no return: the way is forward. */
  forwardOnly: boolean;
  /** It is such a point itself, from the moment it has an effect. */
  pivot: boolean;
}

export interface CaseResult {
  step: string;
  fault: Fault;
  /** Empty when all came back. */
  problems: string[];
  durationMs: number;
}

export interface SweepOptions {
  program: string;
  /** Environment of the runner, besides home and state folder. */
  env: Record<string, string>;
  /** Arguments of `runner play`, without the hosts. */
  playArgs: string[];
  playground: PlaygroundSpec;
  /** A playbook that makes the lab ready. */
  prepare: string | undefined;
  jobs: number;
  caseTimeoutMs: number;
  /** Paths, below hosts/NAME, whose changes do not count. */
  ignored: RegExp[];
}

/** How the reference run went. */
export interface Reference {
  steps: ChangingStep[];
  /** Paths with kinds and modes after the first play. */
  end: Record<string, string>;
  /** Steps that changed something in the second play, with their diff. */
  again: { step: string; host: string; diff: string | undefined }[];
  /** Why the second play did not end well. */
  secondFailure: string | undefined;
}

/**
 * Plays once, to learn the steps, and once more when asked to.
 * @throws Error with the run's last words when the first play fails
 */
export async function playReference(
  options: SweepOptions,
  { twice }: { twice: boolean },
): Promise<Reference> {
  const stand = await Stand.start(options);
  try {
    const first = await stand.play([]);
    if (first.code !== exitCodes.done)
      throw new Error(`Without any fault it does not end well: ${lastWords(first)}`);
    const steps = changingSteps(first.events);
    const end = shapeOf(stand.tree());
    if (!twice) return { steps, end, again: [], secondFailure: undefined };
    const second = await stand.play(['--diff']);
    return {
      steps,
      end,
      again: second.events.flatMap((event) =>
        event.type === 'unit-end' && event.state === 'changed'
          ? [
              {
                step: event.step.name,
                host: event.host,
                diff: event.diff?.map(({ path }) => path).join(', ') ?? event.actions?.join(', '),
              },
            ]
          : [],
      ),
      secondFailure: second.code === exitCodes.done ? undefined : lastWords(second),
    };
  } finally {
    await stand.stop();
  }
}

function changingSteps(events: readonly RunEvent[]): ChangingStep[] {
  const steps = new Map<string, ChangingStep>();
  let segment = 0;
  let forwardOnly = false;
  for (const event of events) {
    if (event.type === 'commit') {
      segment++;
      forwardOnly ||= event.irreversible;
    }
    if (event.type !== 'unit-end' || event.undo === undefined) continue;
    const { id, name, module, at } = event.step;
    const pivot = event.undo === 'irreversible';
    if (pivot && !steps.has(id)) {
      segment++;
      forwardOnly = true;
    }
    const place = { id, name, module, file: at.file, segment, forwardOnly, pivot };
    const known = steps.get(id) ?? { ...place, hosts: [] };
    if (!known.hosts.includes(event.host)) known.hosts.push(event.host);
    steps.set(id, known);
  }
  return [...steps.values()];
}

/** Every fault at every step where it can happen. */
export function casesOf(
  steps: readonly ChangingStep[],
  chosen: readonly Fault[],
): { step: ChangingStep; fault: Fault }[] {
  return steps.flatMap((step) =>
    chosen.filter((fault) => applies(step, fault)).map((fault) => ({ step, fault })),
  );
}

/** Steps that only touch the controller have no connection that could be cut. */
function applies({ hosts }: ChangingStep, fault: Fault): boolean {
  return fault !== 'cut' || hosts.some((host) => host !== 'localhost');
}

/** Runs cases side by side, each worker on a lab of its own. */
export async function sweep(
  options: SweepOptions,
  reference: Reference,
  cases: readonly { step: ChangingStep; fault: Fault }[],
  onResult: (result: CaseResult) => void,
): Promise<void> {
  const queue = [...cases];
  const baselines = new Map<number, Promise<Record<string, string>>>();
  await Promise.all(
    Array.from({ length: Math.min(options.jobs, queue.length) }, async () => {
      const worker = new SweepWorker(options, reference, baselines);
      try {
        for (let next = queue.shift(); next; next = queue.shift())
          onResult(await worker.run(next.step, next.fault));
      } finally {
        await worker.stop();
      }
    }),
  );
}

class SweepWorker {
  readonly #options: SweepOptions;
  readonly #reference: Reference;
  /** Shapes of the state at each commit point. */
  readonly #baselines: Map<number, Promise<Record<string, string>>>;
  #stand: Stand | undefined;

  constructor(
    options: SweepOptions,
    reference: Reference,
    baselines: Map<number, Promise<Record<string, string>>>,
  ) {
    this.#options = options;
    this.#reference = reference;
    this.#baselines = baselines;
  }

  async run(step: ChangingStep, fault: Fault): Promise<CaseResult> {
    const began = Date.now();
    let problems: string[];
    try {
      this.#stand ??= await Stand.start(this.#options);
      await this.#stand.renew();
      problems = await this.#try(this.#stand, step, fault);
    } catch (error) {
      problems = [error instanceof Error ? error.message : String(error)];
    }
    return { step: step.id, fault, problems, durationMs: Date.now() - began };
  }

  async stop(): Promise<void> {
    await this.#stand?.stop();
    this.#stand = undefined;
  }

  async #try(stand: Stand, step: ChangingStep, fault: Fault): Promise<string[]> {
    const before = stand.tree();
    const problems: string[] = [];
    const ending = await inject(stand, step, fault, problems);
    problems.push(...stand.journalProblems());
    // The connection was cut after its last use: the run succeeded.
    if (fault === 'cut' && ending.code === exitCodes.done) return problems;
    // Killed before it had an effect, a point of no return is none.
    const harmless = step.pivot && (fault === 'kill-before' || fault === 'kill-after');
    const segment = harmless ? step.segment - 1 : step.segment;
    const forwardOnly = step.forwardOnly && !harmless;
    const wanted = forwardOnly ? exitCodes.past_no_return : exitCodes.rolled_back;
    const untouched = fault === 'cut' && ending.code === exitCodes.preflight_failed;
    // Only the host that failed was rolled back; the others finished.
    if (isTolerated(ending)) return problems;
    if (ending.code !== wanted && !untouched)
      problems.push(
        `ended with ${String(ending.code)}, not ${String(wanted)}: ${lastWords(ending)}`,
      );
    const { ignored } = this.#options;
    if (forwardOnly) {
      // Nothing can be compared here but the end that is still to be reached.
      if (problems.length > 0) return problems;
      const resumed = await stand.run(['resume']);
      if (resumed.code !== exitCodes.done) return [`resume failed: ${lastWords(resumed)}`];
      problems.push(...differences(this.#reference.end, shapeOf(stand.tree()), ignored));
    } else if (segment === 0) {
      problems.push(...differences(before, stand.tree(), ignored));
    } else {
      const after = shapeOf(stand.tree());
      const baseline = this.#baselines.get(segment) ?? this.#stateAtCommit(stand, segment);
      this.#baselines.set(segment, baseline);
      problems.push(...differences(await baseline, after, ignored));
    }
    return problems;
  }

  /** The state that a rollback restores when nothing was changed after a commit point. */
  async #stateAtCommit(stand: Stand, segment: number): Promise<Record<string, string>> {
    const first = this.#reference.steps.find((step) => step.segment === segment);
    await stand.renew();
    if (first) await inject(stand, first, 'kill-before', []);
    return shapeOf(stand.tree());
  }
}

function isTolerated({ events }: ProcessResult): boolean {
  return events.some((event) => event.type === 'run-end' && event.outcome === 'done_in_part');
}

/** Makes one thing go wrong and lets the runner do its best. Returns how the last of its calls ended. */
async function inject(
  stand: Stand,
  step: ChangingStep,
  fault: Fault,
  problems: string[],
): Promise<ProcessResult> {
  const rollback = () => stand.run(['rollback']);
  const mustBeKilled = (result: ProcessResult): boolean => {
    if (result.code === null && !result.timedOut) return true;
    problems.push(`was not killed where it should have been: ${lastWords(result)}`);
    return false;
  };
  if (fault === 'fail') return stand.play(['--fail-at', step.id]);
  if (fault === 'cut') return cut(stand, step);
  if (fault === 'kill-undo') {
    const env = { RUNNER_FAULT: `after-undo:${step.id}` };
    const killed = await stand.play(['--fail-at', step.id], { env });
    // A step that is not undone: declared harmless, or the point where the rollback ends.
    if (killed.code !== null) return killed;
    return rollback();
  }
  const point = fault === 'undo-only' ? 'after-intent' : killPoints[fault];
  const killed = await stand.play([], { env: { RUNNER_FAULT: `${point ?? ''}:${step.id}` } });
  if (!mustBeKilled(killed)) return killed;
  if (fault === 'undo-only') stand.pretendStarted();
  return rollback();
}

async function cut(stand: Stand, step: ChangingStep): Promise<ProcessResult> {
  const candidates = stand.hostsOf(step.hosts);
  const host = candidates[step.id.length % Math.max(1, candidates.length)];
  const heal = () => host?.server.setFault({});
  try {
    return await stand.play([], {
      onEvent: (event) => {
        if (event.type === 'step-start' && event.step.id === step.id)
          host?.server.setFault({ refuse: true });
        if (event.type === 'rollback-start') heal();
      },
    });
  } finally {
    heal();
  }
}

/** A lab, prepared, with the runner's calls on it. */
class Stand {
  readonly #options: SweepOptions;
  readonly #playground: Playground;
  runner: RunnerProcess;

  private constructor(options: SweepOptions, playground: Playground) {
    this.#options = options;
    this.#playground = playground;
    this.runner = new RunnerProcess(options.program, { ...options.env, ...playground.env });
  }

  static async start(options: SweepOptions): Promise<Stand> {
    const stand = new Stand(options, await startPlayground(options.playground));
    if (options.prepare !== undefined) {
      const args = ['play', options.prepare, ...stand.#playground.args];
      const result = await stand.run(args);
      if (result.code !== exitCodes.done) {
        await stand.stop();
        throw new Error(`The lab could not be prepared: ${lastWords(result)}`);
      }
    }
    stand.#playground.snapshot();
    return stand;
  }

  /** The lab as it was when it was ready, and no runs. */
  async renew(): Promise<void> {
    await this.#playground.restore();
    this.runner.dispose();
    this.runner = new RunnerProcess(this.#options.program, {
      ...this.#options.env,
      ...this.#playground.env,
    });
  }

  run(args: string[], more: Partial<ProcessOptions> = {}): Promise<ProcessResult> {
    const options = { timeoutMs: this.#options.caseTimeoutMs, ...more };
    return this.runner.run([...args, '--output', 'json'], options);
  }

  play(extra: string[], more: Partial<ProcessOptions> = {}): Promise<ProcessResult> {
    const { playArgs } = this.#options;
    const args = [
      'play',
      ...playArgs,
      ...this.#playground.args,
      '--connect-timeout',
      '2',
      ...extra,
    ];
    return this.run(args, more);
  }

  tree(): Record<string, string> {
    return this.#playground.tree();
  }

  /** Hosts by the name the playbook has for them: that of the inventory, or the address. */
  hostsOf(names: readonly string[]): LabHost[] {
    return this.#playground.hosts.filter(
      ({ name, address }) => names.includes(name) || names.includes(address),
    );
  }

  journalProblems(): string[] {
    return [...this.runner.journals()].flatMap(([run, text]) =>
      checkJournal(text, this.#startedUnits(run)).map((problem) => `journal: ${problem}`),
    );
  }

  /** Makes the hosts say of units that were only promised that they were begun and cut short. */
  pretendStarted(): void {
    for (const [run, text] of this.runner.journals()) {
      const records = text
        .split('\n')
        .flatMap((line) => /^\d+ (.*) [0-9a-f]{12}$/.exec(line)?.[1] ?? [])
        .map((json) => JSON.parse(json) as Record<string, unknown>);
      const ended = new Set(records.filter(({ t }) => t === 'result').map(({ unit }) => unit));
      for (const { t, unit, target, block } of records) {
        if (t !== 'intent' || block !== undefined || ended.has(unit)) continue;
        const [host] = this.hostsOf([String(target)]);
        if (!host) continue;
        const folder = join(host.root.dir, 'var/lib/runner/runs', run);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        appendFileSync(join(folder, 'units'), `${String(unit)} started another-boot 1\n`);
      }
    }
  }

  #startedUnits(run: string): number[] {
    return this.#playground.hosts.flatMap(({ root }) => {
      const folder = join(root.dir, 'var/lib/runner/runs');
      try {
        if (!readdirSync(folder).includes(run)) return [];
        return readFileSync(join(folder, run, 'units'), 'utf8')
          .split('\n')
          .flatMap((line) => /^(\d+) started /.exec(line)?.[1] ?? [])
          .map(Number);
      } catch {
        return [];
      }
    });
  }

  async stop(): Promise<void> {
    this.runner.dispose();
    await this.#playground.stop();
  }
}

/** Paths with their kind and mode: what two runs have in common when contents are made by chance. */
function shapeOf(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, state]) => [
      path,
      state.startsWith('file ') ? state.split(' ').slice(0, 2).join(' ') : state,
    ]),
  );
}

function differences(
  before: Record<string, string>,
  after: Record<string, string>,
  ignored: readonly RegExp[],
): string[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before[path], after[path]];
    if (was === is || ignored.some((pattern) => pattern.test(path))) return [];
    if (was === undefined) return [`${path} was not there before`];
    if (is === undefined) return [`${path} is gone`];
    return [`${path} is not as it was`];
  });
}
