import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkJournal } from '../checker/check-journal.ts';
import { exitCodes } from '../core/states.ts';
import type { RunEvent } from '../output/events.ts';
import type { Fault, FaultPoint } from '../core/fault.ts';
import type { LabHost } from '../lab/lab.ts';
import { startPlayground, type Playground, type PlaygroundSpec } from './playground.ts';
import { endOf, RunnerProcess, type ProcessOptions, type ProcessResult } from './runner-process.ts';

const killPoints: Partial<Record<Fault, FaultPoint>> = {
  'kill-before': 'before-intent',
  'kill-after': 'after-intent',
  'kill-effect': 'after-effect',
};

/** A step that changed something in the run without faults. */
export interface ChangingStep {
  id: string;
  name: string;
  module: string;
  /** File that contains the step. */
  file: string;
  /** Hosts on which it changes something. */
  hosts: string[];
  /** Number of commit points before it. */
  segment: number;
  /** After a point of no return: the run can only be resumed. */
  forwardOnly: boolean;
  /** The step itself is a point of no return once it has an effect. */
  irreversible: boolean;
}

export interface CaseResult {
  step: string;
  fault: Fault;
  /** Empty if everything was restored. */
  problems: string[];
  durationMs: number;
}

export interface SweepOptions {
  program: string;
  /** Environment of the runner, besides its home and state directory. */
  env: Record<string, string>;
  /** Arguments of `runner play`, without the hosts. */
  playArgs: string[];
  playground: PlaygroundSpec;
  /** A playbook that prepares the lab. */
  prepare: string | undefined;
  jobs: number;
  caseTimeoutMs: number;
  /** Paths below hosts/NAME whose changes are ignored. */
  ignored: RegExp[];
}

/** Result of the reference run. */
export interface Reference {
  steps: ChangingStep[];
  /** Paths with kinds and modes after the first play. */
  end: Record<string, string>;
  /** Steps that changed something in the second play, with their diff. */
  again: { step: string; host: string; diff: string | undefined }[];
  /** Why the second play failed. */
  secondFailure: string | undefined;
}

/**
 * Plays once to find the changing steps, and a second time on request.
 * @throws Error when the first play fails
 */
export async function playReference(
  options: SweepOptions,
  { twice }: { twice: boolean },
): Promise<Reference> {
  const stand = await Stand.start(options);
  try {
    const first = await stand.play([]);
    if (first.code !== exitCodes.done)
      throw new Error(`The run without faults failed: ${endOf(first)}`);
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
      secondFailure: second.code === exitCodes.done ? undefined : endOf(second),
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
    const irreversible = event.undo === 'irreversible';
    if (irreversible && !steps.has(id)) {
      segment++;
      forwardOnly = true;
    }
    const place = { id, name, module, file: at.file, segment, forwardOnly, irreversible };
    const known = steps.get(id) ?? { ...place, hosts: [] };
    if (!known.hosts.includes(event.host)) known.hosts.push(event.host);
    steps.set(id, known);
  }
  return [...steps.values()];
}

/** Every fault at every step at which it can happen. */
export function casesOf(
  steps: readonly ChangingStep[],
  chosen: readonly Fault[],
): { step: ChangingStep; fault: Fault }[] {
  return steps.flatMap((step) =>
    chosen.filter((fault) => applies(step, fault)).map((fault) => ({ step, fault })),
  );
}

/** Steps that run only on the controller have no connection to cut. */
function applies({ hosts }: ChangingStep, fault: Fault): boolean {
  return fault !== 'cut' || hosts.some((host) => host !== 'localhost');
}

/** Runs cases in parallel, each worker in its own lab. */
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
  /** Paths with kinds and modes at each commit point. */
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
    // A point of no return that was killed before it had an effect does not count as one.
    const harmless = step.irreversible && (fault === 'kill-before' || fault === 'kill-after');
    const segment = harmless ? step.segment - 1 : step.segment;
    const forwardOnly = step.forwardOnly && !harmless;
    const wanted = forwardOnly ? exitCodes.past_no_return : exitCodes.rolled_back;
    const untouched = fault === 'cut' && ending.code === exitCodes.preflight_failed;
    // Only the host that failed was rolled back; the others finished.
    if (isTolerated(ending)) return problems;
    if (ending.code !== wanted && !untouched)
      problems.push(
        `expected exit code ${String(wanted)} but found ${String(ending.code)}: ${endOf(ending)}`,
      );
    const { ignored } = this.#options;
    if (forwardOnly) {
      // There is no earlier state to compare with, only the final state after a resume.
      if (problems.length > 0) return problems;
      const resumed = await stand.run(['resume']);
      if (resumed.code !== exitCodes.done) return [`resume failed: ${endOf(resumed)}`];
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

/** Injects one fault and lets the runner recover. Returns the result of its last call. */
async function inject(
  stand: Stand,
  step: ChangingStep,
  fault: Fault,
  problems: string[],
): Promise<ProcessResult> {
  const rollback = () => stand.run(['rollback']);
  const mustBeKilled = (result: ProcessResult): boolean => {
    if (result.code === null && !result.timedOut) return true;
    problems.push(`was not killed at the fault point: ${endOf(result)}`);
    return false;
  };
  if (fault === 'fail') return stand.play(['--fail-at', step.id]);
  if (fault === 'cut') return cut(stand, step);
  if (fault === 'kill-undo') {
    const env = { RUNNER_FAULT: `after-undo:${step.id}` };
    const killed = await stand.play(['--fail-at', step.id], { env });
    // The step was not undone: it needs no undo, or the rollback ended there.
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

/** A prepared lab, and the runner that is called on it. */
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
        throw new Error(`Cannot prepare the lab: ${endOf(result)}`);
      }
    }
    stand.#playground.snapshot();
    return stand;
  }

  /** Restores the prepared lab and deletes all runs. */
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

  /** Hosts by their name in the playbook: the inventory name or the address. */
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

  /** Makes hosts report that units without a result were started and interrupted. */
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
        const directory = join(host.root.dir, 'var/lib/runner/runs', run);
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        appendFileSync(join(directory, 'units'), `${String(unit)} started another-boot 1\n`);
      }
    }
  }

  #startedUnits(run: string): number[] {
    return this.#playground.hosts.flatMap(({ root }) => {
      const directory = join(root.dir, 'var/lib/runner/runs');
      try {
        if (!readdirSync(directory).includes(run)) return [];
        return readFileSync(join(directory, run, 'units'), 'utf8')
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

/** Paths with kind and mode, which two runs have in common even if file contents are random. */
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
    if (was === undefined) return [`${path} was added`];
    if (is === undefined) return [`${path} is missing`];
    return [`${path} differs`];
  });
}
