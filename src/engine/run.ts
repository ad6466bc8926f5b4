import { dirname } from 'node:path';
import { JournalError, PlaybookError, RunnerError } from '../core/errors.ts';
import type { BlockNode, CommitNode, Node, Play, Playbook, TaskNode } from '../core/playbook.ts';
import type { RecordedRun, RecordedStep } from '../journal/recorded-run.ts';
import type { EngineContext } from './context.ts';
import { takeFingerprint } from './fingerprint.ts';
import { RunState } from './host-state.ts';
import { StepRunner, type StepPlace } from './step-runner.ts';
import { snapshot } from './undo-plan.ts';

/** How the forward run ended; what follows is the caller's decision. */
export type RunResult =
  | { status: 'done' }
  | {
      status: 'failed';
      message: string;
      changedAnything: boolean;
    }
  | { status: 'interrupted'; changedAnything: boolean };

class Interrupted extends Error {}

/** Plays a playbook forward, from the start or from where a recorded run stood. */
export function runPlaybook(
  context: EngineContext,
  playbook: Playbook,
  recorded?: RecordedRun,
): Promise<RunResult> {
  return new PlaybookRun(context, playbook, recorded).run();
}

class PlaybookRun {
  readonly #context: EngineContext;
  readonly #playbook: Playbook;
  readonly #state: RunState;
  readonly #steps: StepRunner;
  readonly #firstUnit: number;
  readonly #commitsDone: Set<string>;
  #fingerprinted: boolean;
  readonly #resumed: boolean;
  #lastFailure = '';

  constructor(context: EngineContext, playbook: Playbook, recorded: RecordedRun | undefined) {
    this.#context = context;
    this.#playbook = playbook;
    this.#state = new RunState(context.inventory, context.settings, dirname(playbook.path));
    const replay = recorded ? replayable(recorded) : new Map<string, RecordedStep>();
    this.#firstUnit = recorded?.lastUnit ?? 0;
    this.#steps = new StepRunner(context, this.#state, {
      playbookPath: playbook.path,
      replay,
      lastUnit: this.#firstUnit,
      lastStep: recorded?.lastStep ?? 0,
    });
    this.#fingerprinted = recorded?.fingerprints.some(({ phase }) => phase === 'before') ?? false;
    this.#resumed = (recorded?.units.size ?? 0) > 0;
    this.#commitsDone = new Set(recorded?.commit ? [recorded.commit.name] : []);
  }

  async run(): Promise<RunResult> {
    try {
      for (const play of this.#playbook.plays) {
        const failed = await this.#play(play);
        if (failed.size > 0) {
          const message = `${[...failed].sort().join(', ')}: ${this.#lastFailure}`;
          return {
            status: 'failed',
            message,
            changedAnything: this.#changedAnything(),
          };
        }
      }
      return { status: 'done' };
    } catch (error) {
      if (error instanceof Interrupted)
        return { status: 'interrupted', changedAnything: this.#changedAnything() };
      throw error;
    }
  }

  async #play(play: Play): Promise<Set<string>> {
    const { emit, journal } = this.#context;
    const hosts = this.#playHosts(play);
    const batches = this.#batches(play, hosts);
    for (const [index, batch] of batches.entries()) {
      emit({
        type: 'play-start',
        play: play.name,
        hosts: batch,
        batch: index + 1,
        batches: batches.length,
      });
      journal?.note({ t: 'play', id: play.id, batch: index + 1, hosts: batch });
      const place = { play, batch, batchNumber: index + 1, flush: 0 };
      for (const [sectionIndex, section] of play.sections.entries()) {
        const failed = await this.#nodes(section.nodes, batch, place, false);
        if (failed.size > 0) return failed;
        const unflushed = await this.#flush(batch, { ...place, flush: sectionIndex + 1 });
        if (unflushed.size > 0) return unflushed;
      }
      if (play.commit === 'batch')
        await this.#writeCommit(`${play.id} batch ${String(index + 1)}`, false);
    }
    if (play.commit === 'end') await this.#writeCommit(play.id, false);
    return new Set();
  }

  #changedAnything(): boolean {
    return this.#resumed || this.#context.journal?.hasIntents === true;
  }

  #playHosts(play: Play): string[] {
    const groups = this.#state.groups;
    const unknownInCheck = this.#context.settings.check && !groups.has(play.hosts);
    try {
      const hosts = this.#state.hostsOf(play.hosts);
      if (hosts.length > 0 || play.allowEmpty || this.#context.settings.limit !== undefined)
        return hosts;
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      if (play.allowEmpty || unknownInCheck) return [];
      throw new PlaybookError([{ message: error.message, at: play.at, hint: error.hint }]);
    }
    throw new PlaybookError([
      {
        message: `No host matches "${play.hosts}".`,
        at: play.at,
        hint: 'Set "allow_empty: true" if that is fine.',
      },
    ]);
  }

  #batches(play: Play, hosts: string[]): string[][] {
    if (hosts.length === 0) return [];
    if (play.serial.length === 0) return [hosts];
    const first = hosts[0] ?? '';
    const host = this.#context.inventory.hosts.get(first);
    const anyTask = { vars: [], role: undefined } as unknown as TaskNode;
    const scope = host && this.#state.scope(host, { play, task: anyTask, batch: hosts });
    const sizes = play.serial.map((size) => {
      const value = typeof size === 'string' && scope ? scope.render(size) : size;
      const text = String(value);
      const count = text.endsWith('%')
        ? Math.floor((hosts.length * Number(text.slice(0, -1))) / 100)
        : Number(text);
      if (Number.isInteger(count) && count >= 0) return Math.max(1, count);
      throw new PlaybookError([
        { message: `"serial" is ${text}, which is no count and no percentage.`, at: play.at },
      ]);
    });
    const batches: string[][] = [];
    for (let start = 0; start < hosts.length;) {
      const size = sizes[Math.min(batches.length, sizes.length - 1)] ?? hosts.length;
      batches.push(hosts.slice(start, start + size));
      start += size;
    }
    return batches;
  }

  /** Runs nodes in order and returns the hosts that failed. Without a rescue around, the first failure ends it. */
  async #nodes(
    nodes: readonly Node[],
    hosts: readonly string[],
    place: StepPlace,
    rescuable: boolean,
  ): Promise<Set<string>> {
    const failed = new Set<string>();
    for (const node of nodes) {
      const active = hosts.filter((host) => !failed.has(host));
      if (active.length === 0) break;
      if (this.#context.isStopping()) throw new Interrupted();
      for (const host of await this.#node(node, active, place, rescuable)) failed.add(host);
      if (failed.size > 0 && !rescuable) break;
    }
    return failed;
  }

  async #node(
    node: Node,
    hosts: readonly string[],
    place: StepPlace,
    rescuable: boolean,
  ): Promise<Set<string>> {
    switch (node.kind) {
      case 'task':
        return this.#selected(node.tags) ? this.#task(node, hosts, place) : new Set();
      case 'block':
        return this.#block(node, hosts, place, rescuable);
      case 'commit':
        return this.#selected(node.tags) ? this.#commit(node, hosts, place) : new Set();
      case 'flush':
        return this.#flush(hosts, { ...place, flush: place.flush + 100 });
    }
  }

  async #task(
    task: TaskNode,
    hosts: readonly string[],
    place: StepPlace,
    handler = false,
  ): Promise<Set<string>> {
    if (!task.readOnly && !this.#fingerprinted && !this.#context.settings.check) {
      this.#fingerprinted = true;
      try {
        await takeFingerprint(this.#context, this.#playbook, this.#state, 'before');
      } catch (error) {
        if (!(error instanceof RunnerError) || error instanceof JournalError) throw error;
        this.#lastFailure = error.describe();
        return new Set(hosts);
      }
    }
    const failed = await this.#steps.run(task, hosts, place, handler);
    if (failed.size > 0) this.#lastFailure = `"${task.name}" failed (${task.id})`;
    return failed;
  }

  async #block(
    block: BlockNode,
    hosts: readonly string[],
    place: StepPlace,
    rescuable: boolean,
  ): Promise<Set<string>> {
    const opened = this.#openBlock(block, hosts, place);
    const hasRescue = block.rescue.length > 0;
    let failed = await this.#nodes(block.block, hosts, place, rescuable || hasRescue);
    if (failed.size > 0 && hasRescue) {
      const lastFailure = this.#lastFailure;
      const rescued = [...failed];
      for (const host of rescued) this.#state.setFact(host, 'failed', { task: lastFailure });
      failed = await this.#nodes(block.rescue, rescued, place, rescuable);
    }
    if (block.always.length > 0) {
      const afterwards = await this.#nodes(block.always, hosts, place, rescuable);
      failed = new Set([...failed, ...afterwards]);
    }
    for (const unit of opened)
      this.#context.journal?.note({ t: 'block-end', unit, upTo: this.#steps.lastUnit });
    return failed;
  }

  /** A block's own undo list is on record before its first step, so that it comes after all of them on the way back. */
  #openBlock(block: BlockNode, hosts: readonly string[], place: StepPlace): number[] {
    const { journal, inventory } = this.#context;
    if (!block.undo || !journal) return [];
    const { tasks } = block.undo;
    const [first] = tasks;
    if (!first) return [];
    const step = this.#steps.nextStep();
    journal.note({
      t: 'step',
      step: {
        id: block.id,
        number: step,
        play: place.play.name,
        name: block.name,
        module: 'block',
        at: block.at,
        handler: false,
      },
      hosts: [...hosts],
      key: `block|${String(place.batchNumber)}|${block.id}`,
    });
    const units: number[] = [];
    for (const name of hosts) {
      const host = inventory.hosts.get(name);
      if (!host) continue;
      const scope = this.#state.scope(host, { play: place.play, task: first, batch: place.batch });
      const unit = this.#steps.nextUnit();
      units.push(unit);
      journal.note({
        t: 'intent',
        unit,
        step,
        host: name,
        target: name,
        module: 'block',
        args: {},
        actions: [],
        become: first.become,
        undo: {
          body: { kind: 'declared', tasks, vars: snapshot(tasks, scope) },
          on: ['changed', 'failed', 'unknown'],
          when: [],
          error: 'block',
          captured: {},
        },
        captures: {},
        block: { until: Number.MAX_SAFE_INTEGER, replace: block.undo.replace },
      });
    }
    return units;
  }

  async #commit(
    node: CommitNode,
    hosts: readonly string[],
    place: StepPlace,
  ): Promise<Set<string>> {
    if (this.#commitsDone.has(node.name)) return new Set();
    const unflushed = await this.#flush(hosts, { ...place, flush: place.flush + 200 });
    if (unflushed.size > 0) return unflushed;
    const failed = await this.#nodes(node.gate, hosts, place, false);
    if (failed.size > 0) return failed;
    await this.#writeCommit(node.name, node.confirm);
    return new Set();
  }

  async #writeCommit(name: string, irreversible: boolean): Promise<void> {
    if (this.#commitsDone.has(name)) return;
    await this.#context.journal?.append({
      t: 'commit',
      name,
      unit: this.#steps.lastUnit,
      irreversible,
    });
    this.#commitsDone.add(name);
    this.#context.emit({ type: 'commit', name, irreversible });
  }

  /** Runs the notified handlers in the order of their definition; those a handler notifies run in the same flush. */
  async #flush(hosts: readonly string[], place: StepPlace): Promise<Set<string>> {
    for (let again = true; again;) {
      again = false;
      for (const handler of place.play.handlers) {
        const due = hosts.filter((host) => this.#state.hasPending(host, handler.id));
        if (due.length === 0) continue;
        if (this.#context.isStopping()) throw new Interrupted();
        const failed = await this.#task(handler, due, place, true);
        if (failed.size > 0) return failed;
        again = true;
      }
    }
    return new Set();
  }

  #selected(tags: readonly string[]): boolean {
    const { tags: wanted, skipTags } = this.#context.settings;
    if (tags.some((tag) => skipTags.includes(tag))) return false;
    if (tags.includes('never') && !tags.some((tag) => wanted.includes(tag))) return false;
    return (
      wanted.length === 0 || tags.includes('always') || tags.some((tag) => wanted.includes(tag))
    );
  }
}

/** What a resumed run need not do again, by step key: each host's last end, unless a rollback took the step back. */
function replayable(run: RecordedRun): Map<string, RecordedStep> {
  const takenBack = new Set(
    [...run.units.values()]
      .filter(({ undo, undoStarted }) => undoStarted && undo !== 'undo-skipped')
      .map(({ intent }) => `${String(intent.step)} ${intent.host}`),
  );
  const replay = new Map<string, RecordedStep>();
  for (const [number, step] of run.steps) {
    const known = replay.get(step.key) ?? { ...step, ends: new Map() };
    for (const [host, end] of step.ends) {
      if (takenBack.has(`${String(number)} ${host}`)) known.ends.delete(host);
      else known.ends.set(host, end);
    }
    replay.set(step.key, known);
  }
  return replay;
}
