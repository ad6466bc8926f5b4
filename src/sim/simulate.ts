import { checkJournal } from '../checker/check-journal.ts';
import type { Inventory } from '../core/inventory.ts';
import { createRegistry } from '../core/module.ts';
import { RunnerError } from '../core/errors.ts';
import type { Exchange } from '../core/host.ts';
import { parseJournal } from '../journal/journal-file.ts';
import { allows, isOver, lifeOf, type LifeState } from '../journal/lifecycle.ts';
import { readRun, type RecordedRun } from '../journal/recorded-run.ts';
import type { Playbook } from '../language/document.ts';
import * as modules from '../modules/index.ts';
import * as undoModules from '../modules/undo/index.ts';
import { loadPlaybook } from '../playbook/load.ts';
import { Chance } from './chance.ts';
import { EventQueue, HangError } from './clock.ts';
import { ControllerProcess, JournalDisk } from './controller.ts';
import { ModelNetwork, type LineFault } from './hosts.ts';
import { memoryFiles } from './memory-files.ts';
import { ModelHost } from './model-host.ts';
import { PlainSkills } from './plain-skills.ts';
import { play, recover, type Wiring } from './run.ts';
import { chooseScenario, type Scenario } from './scenario.ts';

/** How a case ended. */
export interface CaseResult {
  seed: number;
  /** State of the run after each process, such as "killed running" or "rolled_back". */
  story: string[];
  /** Rules that were broken. */
  problems: string[];
  journal: string;
  playbook: string;
}

/** What goes wrong in a process. */
export interface Disturbance {
  /** Number of the call to the outside at which it is killed; 0 for never. */
  killAt?: number;
  /** Number of the call from which on the operator wants it to stop; 0 for never. */
  stopAt?: number;
  /** Share of the exchanges that go wrong. */
  faultRate?: number;
  /** Decides which exchanges go wrong instead. */
  fault?: ModelNetwork['fault'];
}

const registry = createRegistry(Object.values(modules), Object.values(undoModules));
const PLAYBOOK = '/playbook/playbook.yml';
/** The last of these processes is not disturbed. */
const MOST_PROCESSES = 5;
/** Seeds from here on have more kinds of steps; those before keep the playbooks with which they found faults. */
const FIRST_WIDE_SEED = 1_000_000;
const LIMITS = { events: 100_000, virtualMs: 48 * 3_600_000 };

/** One run of a playbook on model hosts, disturbed as the seed says, until it is over. */
export async function simulate(seed: number): Promise<CaseResult> {
  const chance = new Chance(seed);
  const scenario = chooseScenario(chance.fork(), { isWide: seed >= FIRST_WIDE_SEED });
  const undisturbed = new SimulatedRun(scenario, new Chance(seed));
  await undisturbed.process('play', {});
  const one = new SimulatedRun(scenario, chance.fork());
  const plan = chance.fork();
  const problems: string[] = [];
  try {
    await one.runToItsEnd(plan, undisturbed.calls);
    problems.push(...one.problems, ...judge(one, undisturbed, scenario));
  } catch (error) {
    const text = error instanceof HangError ? error.message : String((error as Error).stack);
    problems.push(text);
  }
  const journal = one.disk.bytes.toString('utf8');
  const { story } = one;
  return { seed, story, problems, journal, playbook: scenario.playbook };
}

/** One run on its hosts, over all processes that work on it. */
export class SimulatedRun {
  readonly disk = new JournalDisk();
  readonly hosts: ModelHost[];
  readonly story: string[] = [];
  /** Rules that were broken on the way. */
  readonly problems: string[] = [];
  /** What hosts looked like at the beginning and at each commit point, by its key. */
  readonly states = new Map<string, string[][]>();
  /** Exchanges that went wrong. */
  faults = 0;
  calls = 0;
  /** The last process ended by itself. */
  endedAlone = false;
  readonly #chance: Chance;
  readonly #events: EventQueue;
  readonly #network: ModelNetwork;
  readonly #playbook: Playbook;
  readonly #inventory: Inventory;
  readonly #files: ReturnType<typeof memoryFiles>;

  constructor(scenario: Scenario, chance: Chance) {
    this.#chance = chance;
    this.#events = new EventQueue(chance, 1_700_000_000_000);
    this.hosts = scenario.hosts.map((name) => modelHost(name, scenario.files[name] ?? {}));
    this.#network = new ModelNetwork(this.hosts, this.#events, chance);
    this.#files = memoryFiles({ [PLAYBOOK]: scenario.playbook });
    const options = { modules: registry, files: this.#files, rolePaths: [], playbookPaths: [] };
    this.#playbook = loadPlaybook(PLAYBOOK, options);
    this.#inventory = inventoryOf(scenario);
    this.states.set('', this.#lines());
  }

  /** Starts processes until the run is over. */
  async runToItsEnd(plan: Chance, usualCalls: number): Promise<void> {
    for (let number = 1; number <= MOST_PROCESSES; number++) {
      const isLast = number === MOST_PROCESSES;
      const move = this.#nextMove(plan);
      if (!move) return;
      const kills = !isLast && plan.is(number === 1 ? 0.7 : 0.4);
      await this.process(move, {
        killAt: kills ? 1 + plan.below(usualCalls * 1.2) : 0,
        stopAt: !isLast && plan.is(0.1) ? 1 + plan.below(usualCalls) : 0,
        faultRate: !isLast && plan.is(0.5) ? plan.next() * 0.1 : 0,
      });
    }
  }

  /** One process of the controller, until it ends or is killed. */
  async process(
    move: 'play' | 'resume' | 'rollback',
    { killAt = 0, stopAt = 0, faultRate = 0, fault }: Disturbance,
  ): Promise<void> {
    const process = new ControllerProcess(this.#events, killAt);
    this.#network.fault = fault ?? ((_, request) => this.#faultOf(request, faultRate));
    const wiring: Wiring = {
      process,
      network: this.#network,
      modules: registry,
      random: this.#chance,
      playbook: this.#playbook,
      inventory: inventoryFor(this.#inventory),
      file: this.disk.open(process, this.#chance),
      files: this.#files,
      isStopping: () => stopAt > 0 && process.calls >= stopAt,
      watch: (entry) => {
        // No step is going on then.
        if (entry.t === 'commit') this.states.set(entry.key, this.#lines());
      },
    };
    let ended: string | undefined;
    let thrown: unknown;
    (move === 'play' ? play(wiring) : recover(wiring, move)).then(
      ({ state }) => (ended = state),
      (error: unknown) => {
        if (error instanceof RunnerError) ended = `error ${error.describe()}`;
        else thrown = error;
      },
    );
    await this.#events.runUntil(
      () => ended !== undefined || thrown !== undefined || !process.isAlive,
      LIMITS,
    );
    if (thrown !== undefined) throw thrown as Error;
    this.calls = process.calls;
    this.endedAlone = process.isAlive;
    process.kill();
    this.#checkLocks();
    this.story.push(`${move}: ${ended ?? `killed at call ${String(killAt)}`}`);
  }

  /** A run that is not over keeps the hosts that it has changed. */
  #checkLocks(): void {
    const run = this.run();
    if (!run || isOver(run)) return;
    // The undo of a block is on record before its first change.
    const changes = [...run.units.values()].filter(({ intent }) => !intent.block);
    const changed = new Set(changes.map(({ intent }) => intent.target));
    for (const { name, lock } of this.hosts)
      if (changed.has(name) && !lock)
        this.problems.push(`${name} is not locked though the run is not over.`);
  }

  /** The run as its journal tells it; undefined before its first record. */
  run(): RecordedRun | undefined {
    const { records } = parseJournal(this.disk.bytes, 'journal');
    return records.length === 0 ? undefined : readRun(records);
  }

  state(): LifeState | undefined {
    const run = this.run();
    return run && lifeOf(run);
  }

  #nextMove(plan: Chance): 'play' | 'resume' | 'rollback' | undefined {
    const run = this.run();
    if (!run) {
      this.disk.bytes = Buffer.alloc(0);
      return 'play';
    }
    if (isOver(run)) return undefined;
    const moves = (['resume', 'rollback'] as const).filter((move) => allows(run, move));
    return plan.of(moves);
  }

  #faultOf({ control, change }: Exchange, rate: number): LineFault | undefined {
    if (!this.#chance.is(rate)) return undefined;
    // A host that cannot be told keeps its lock, whose run is then over.
    if (control?.unlock) return undefined;
    const fault = this.#chance.of(['late', 'lost-request', 'lost-answer', 'never'] as const);
    // A late answer can be too late.
    this.faults++;
    if (change?.detach === true) return 'late';
    return fault;
  }

  #lines(): string[][] {
    return this.hosts.map((host) => host.lines());
  }
}

/** Where a rollback ends: the key of the last commit point. */
function commitOf(run: RecordedRun | undefined): string {
  return [...(run?.commits ?? [])].at(-1) ?? '';
}

function judge(one: SimulatedRun, undisturbed: SimulatedRun, scenario: Scenario): string[] {
  const run = one.run();
  if (!run) return ['The run has no journal.'];
  const state = lifeOf(run);
  const text = one.disk.bytes.toString('utf8');
  const started = one.hosts.flatMap((host) => host.startedUnits(run.header.run));
  const problems = checkJournal(text, started);
  const isClosed = isOver(run);
  // After a point of no return the way is forward, which may fail again and again.
  if (!isClosed && state !== 'past_no_return')
    problems.push(`The undisturbed process ended with ${state}: ${run.end?.message ?? ''}`);
  if (isClosed && one.endedAlone)
    for (const { name, lock } of one.hosts)
      if (lock) problems.push(`${name} is locked after a run that ended with ${state}.`);
  const now = one.hosts.map((host) => host.lines());
  if (state === 'rolled_back' || state === 'nothing_changed' || state === 'past_no_return') {
    const before = one.states.get(commitOf(run));
    if (before) problems.push(...differences(one.hosts, before, now));
  }
  const sameFailures = !scenario.toleratesFailures || one.faults === 0;
  if (state === 'done' && undisturbed.state() === 'done' && sameFailures) {
    const wanted = undisturbed.hosts.map((host) => host.lines());
    problems.push(...differences(one.hosts, wanted, now));
  }
  return problems;
}

function differences(
  hosts: readonly ModelHost[],
  wanted: readonly string[][],
  found: readonly string[][],
): string[] {
  return hosts.flatMap(({ name }, index) => {
    const [before, now] = [new Set(wanted[index]), new Set(found[index])];
    return [
      ...[...before].filter((line) => !now.has(line)).map((line) => `${name} lost: ${line}`),
      ...[...now].filter((line) => !before.has(line)).map((line) => `${name} has: ${line}`),
    ];
  });
}

function modelHost(name: string, files: Readonly<Record<string, string>>): ModelHost {
  const host = new ModelHost(name, new PlainSkills());
  for (const [path, text] of Object.entries(files)) host.tree.publish(path, Buffer.from(text));
  host.services.set('db', { active: false, enabled: false, loaded: '' });
  host.services.set('app', { active: true, enabled: true, loaded: files['/etc/app.conf'] ?? '' });
  return host;
}

function inventoryOf({ hosts, groups }: Scenario): Inventory {
  const own = hosts.map((name) => {
    const address = {
      name,
      transport: 'ssh' as const,
      address: name,
      port: 22,
      user: 'root',
      keyPath: undefined,
    };
    return [name, { name, address, vars: {} }] as const;
  });
  return { file: '', hosts: new Map(own), groups: new Map(Object.entries(groups)) };
}

/** A process changes its inventory. */
function inventoryFor({ file, hosts, groups }: Inventory): Inventory {
  const lists = [...groups].map(([name, members]): [string, string[]] => [name, [...members]]);
  return { file, hosts: new Map(hosts), groups: new Map(lists) };
}
