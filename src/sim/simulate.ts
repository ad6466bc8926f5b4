import { checkJournal } from '../checker/check-journal.ts';
import type { Inventory } from '../core/inventory.ts';
import { createRegistry } from '../core/module.ts';
import { allows, isOver, lifeOf } from '../journal/lifecycle.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import * as modules from '../modules/index.ts';
import * as undoModules from '../modules/undo/index.ts';
import { loadPlaybook } from '../playbook/load.ts';
import { Chance } from './chance.ts';
import { EventQueue, HangError } from './clock.ts';
import { memoryFiles } from './memory-files.ts';
import { ModelHost } from './model-host.ts';
import { ModelRun } from './model-run.ts';
import { PlainSkills } from './plain-skills.ts';
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

const registry = createRegistry(Object.values(modules), Object.values(undoModules));
const PLAYBOOK = '/playbook/playbook.yml';
/** Maximum number of processes. The last one has no faults. */
const MOST_PROCESSES = 5;
/**
 * Seeds from here on have more kinds of steps. Smaller seeds keep the playbooks with which they
 * found bugs.
 */
export const FIRST_WIDE_SEED = 1_000_000;

/** Runs one playbook on model hosts, with faults chosen by the seed, until the run has ended. */
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

/** A run of a playbook on plain hosts. */
export class SimulatedRun extends ModelRun {
  constructor(scenario: Scenario, chance: Chance) {
    const files = memoryFiles({ [PLAYBOOK]: scenario.playbook });
    const options = { modules: registry, files, rolePaths: [], playbookPaths: [] };
    super({
      hosts: scenario.hosts.map((name) => modelHost(name, scenario.files[name] ?? {})),
      playbook: loadPlaybook(PLAYBOOK, options),
      inventory: inventoryOf(scenario),
      events: new EventQueue(chance, 1_700_000_000_000),
      ...{ modules: registry, files, chance },
    });
  }

  /** Starts processes until the run has ended. */
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
}

/** The key of the last commit point, at which a rollback ends. */
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
  // After a point of no return a run can only be resumed, which may fail repeatedly.
  if (!isClosed && state !== 'past_no_return')
    problems.push(`The process without faults ended with ${state}: ${run.end?.message ?? ''}`);
  if (isClosed && one.endedAlone)
    for (const { name, lock } of one.hosts)
      if (lock) problems.push(`${name} is locked after a run that ended with ${state}.`);
  const now = one.hosts.map((host) => host.lines());
  if (state === 'rolled_back' || state === 'nothing_changed' || state === 'past_no_return') {
    const before = one.states.get(commitOf(run));
    if (before) problems.push(...differences(one.hosts, before, now));
  }
  if (state === 'done_in_part') {
    const before = one.states.get(commitOf(run)) ?? [];
    const back = one.hosts.map(({ name }, index) =>
      run.rolledBack.has(name) ? before[index] : now[index],
    );
    problems.push(
      ...differences(
        one.hosts,
        back.map((lines) => lines ?? []),
        now,
      ),
    );
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
