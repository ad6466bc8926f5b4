import type { FaultHook } from '../core/fault.ts';
import type { Inventory } from '../core/inventory.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { ControllerDisk } from '../core/ports.ts';
import { RunnerError } from '../core/errors.ts';
import type { Exchange } from '../core/host.ts';
import { parseJournal, type ParsedJournal } from '../journal/journal-file.ts';
import { isOver, lifeOf, type LifeState } from '../journal/lifecycle.ts';
import { readRun, type RecordedRun } from '../journal/recorded-run.ts';
import type { LogReader } from '../journal/log.ts';
import type { Playbook } from '../language/document.ts';
import { Redactor } from '../util/redact.ts';
import type { Chance } from './chance.ts';
import type { EventQueue } from './clock.ts';
import { ControllerProcess, JournalDisk } from './controller.ts';
import { ModelNetwork, type LineFault } from './hosts.ts';
import type { ModelHost } from './model-host.ts';
import { plainSettings, play, recover, type Wiring } from './run.ts';

/** Parts of a run that all its processes share. */
export interface RunParts {
  hosts: ModelHost[];
  playbook: Playbook;
  inventory: Inventory;
  modules: ModuleRegistry;
  /** Files of the controller. */
  files: ControllerDisk;
  events: EventQueue;
  chance: Chance;
  settings?: Partial<Wiring['settings']>;
  redactor?: Redactor;
  /** Encrypts results of the run. Creating it takes 0.1 s. */
  sealer?: Wiring['sealer'];
  /** Answers HTTP requests of the controller. */
  serve?: Wiring['sendHttp'];
}

/** Faults of a process. */
export interface Disturbance {
  /** Number of the call to the outside that kills the process; 0 for never. */
  killAt?: number;
  /** Number of the call after which the operator interrupts the process; 0 for never. */
  stopAt?: number;
  /** Share of the exchanges that have a fault. */
  faultRate?: number;
  /** Creates the hook for the points of a step, from a function that kills the process. */
  atPoint?: (kill: () => void) => FaultHook;
  /** Chooses faulty exchanges, instead of `faultRate`. */
  fault?: ModelNetwork['fault'];
  /** Reads the log of the process. */
  watch?: LogReader;
  /** For this process only. */
  settings?: Partial<Wiring['settings']>;
}

const LIMITS = { events: 400_000, virtualMs: 48 * 3_600_000 };

/** One run on its hosts, over all its processes. */
export class ModelRun {
  readonly disk = new JournalDisk();
  readonly hosts: ModelHost[];
  readonly story: string[] = [];
  /** Rules that were broken. */
  readonly problems: string[] = [];
  /** States of the hosts at the beginning (key '') and at each commit point, by its key. */
  readonly states = new Map<string, string[][]>();
  /** Number of faulty exchanges. */
  faults = 0;
  calls = 0;
  /** Whether the last process ended by itself. */
  endedAlone = false;
  protected readonly parts: RunParts;
  protected readonly network: ModelNetwork;
  /** The beginning of the journal, if other runs have read it already. */
  protected beginning: ParsedJournal | undefined;
  /** The run as read from a journal of that size. */
  #read: { size: number; run: RecordedRun | undefined } | undefined;

  constructor(parts: RunParts) {
    this.parts = parts;
    this.hosts = parts.hosts;
    this.network = new ModelNetwork(parts.hosts, parts.events, parts.chance);
    this.states.set('', this.lines());
  }

  /** One process of the controller, until it ends or is killed. */
  async process(
    move: 'play' | 'resume' | 'rollback',
    { killAt = 0, stopAt = 0, faultRate = 0, fault, atPoint, watch, settings }: Disturbance,
  ): Promise<void> {
    const { events, chance, modules, playbook, inventory, files } = this.parts;
    const process = new ControllerProcess(events, killAt);
    this.network.fault = fault ?? ((_, request) => this.#faultOf(request, faultRate));
    const wiring: Wiring = {
      process,
      network: this.network,
      ...{ modules, playbook, files },
      inventory: inventoryFor(inventory),
      random: chance,
      file: this.disk.open(process, chance),
      settings: { ...plainSettings, ...this.parts.settings, ...settings },
      redactor: this.parts.redactor ?? new Redactor(),
      sealer: this.parts.sealer,
      sendHttp: async (request) => {
        if (!process.begins() || !this.parts.serve)
          throw new Error('HTTP requests are not supported here.');
        return this.parts.serve(request);
      },
      fault: atPoint?.(() => {
        process.kill();
      }),
      isStopping: () => stopAt > 0 && process.calls >= stopAt,
      watch: (entry, state) => {
        // No step is running at a commit point.
        if (entry.t === 'commit' && state) this.#keepState(entry.key, state);
        watch?.(entry, state);
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
    await events.runUntil(
      () => ended !== undefined || thrown !== undefined || !process.isAlive,
      LIMITS,
    );
    if (thrown !== undefined) throw thrown as Error;
    this.calls = process.calls;
    this.endedAlone = process.isAlive;
    process.kill();
    this.#checkLocks();
    this.story.push(
      `${move}: ${ended ?? `killed${killAt > 0 ? ` at call ${String(killAt)}` : ''}`}`,
    );
  }

  /**
   * Records the state at a commit point. A host that is not rolled back by then keeps its earlier
   * state as the target.
   */
  #keepState(commit: string, { leftOpen, units }: Pick<RecordedRun, 'leftOpen' | 'units'>): void {
    const open = new Set([...leftOpen].map((unit) => units.get(unit)?.intent.host));
    const before = [...this.states.values()].at(-1) ?? [];
    const now = this.hosts.map((host, index) =>
      open.has(host.name) ? (before[index] ?? []) : host.lines(),
    );
    this.states.set(commit, now);
  }

  /** Checks that a run that has not ended still holds locks on the hosts it changed. */
  #checkLocks(): void {
    const run = this.run();
    if (!run || isOver(run)) return;
    // The undo of a block is recorded before its first change.
    const changes = [...run.units.values()].filter(({ intent }) => !intent.block);
    const changed = new Set(changes.map(({ intent }) => intent.target));
    const { inventory } = this.parts;
    // The controller itself is not locked.
    for (const { name, lock } of this.hosts)
      if (inventory.hosts.has(name) && changed.has(name) && !lock)
        this.problems.push(`${name} is not locked although the run has not ended.`);
  }

  /** The run as read from its journal; undefined before the first record. */
  run(): RecordedRun | undefined {
    const { bytes } = this.disk;
    if (this.#read?.size !== bytes.length) {
      const { records } = parseJournal(bytes, 'journal', this.beginning);
      const run = records.length === 0 ? undefined : readRun(records);
      this.#read = { size: bytes.length, run };
    }
    return this.#read.run;
  }

  state(): LifeState | undefined {
    const run = this.run();
    return run && lifeOf(run);
  }

  #faultOf({ control, change }: Exchange, rate: number): LineFault | undefined {
    if (!this.parts.chance.is(rate)) return undefined;
    // An unreachable host would keep its lock after the end of the run.
    if (control?.unlock) return undefined;
    const fault = this.parts.chance.of(['late', 'lost-request', 'lost-answer', 'never'] as const);
    // A late answer can exceed the time limit, so it counts as a fault.
    this.faults++;
    if (change?.detach === true) return 'late';
    return fault;
  }

  lines(): string[][] {
    return this.hosts.map((host) => host.lines());
  }
}

/** A copy of the inventory for one process, which changes it. */
function inventoryFor({ file, hosts, groups }: Inventory): Inventory {
  const lists = [...groups].map(([name, members]): [string, string[]] => [name, [...members]]);
  return { file, hosts: new Map(hosts), groups: new Map(lists) };
}
