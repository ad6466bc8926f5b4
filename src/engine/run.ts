import pLimit from 'p-limit';
import {
  JournalError,
  LockedError,
  PlaybookError,
  RunnerError,
  TimeLimitError,
} from '../core/errors.ts';
import {
  handlerNames,
  tasksOf,
  type BlockNode,
  type CommitNode,
  type IncludeNode,
  type IncludePart,
  type MetaNode,
  type Node,
  type Play,
  type Playbook,
  type PlaySection,
  type RollbackPolicy,
  type TaskNode,
} from '../language/document.ts';
import { openAlone, type RecordedRun } from '../journal/recorded-run.ts';
import type { Scope } from '../template/scope.ts';
import { batchesOf, inOrder, mostFailures } from './batches.ts';
import { openBlock } from './block-undo.ts';
import type { EngineContext } from './context.ts';
import { Interrupted } from './interrupted.ts';
import { takeFingerprint } from './fingerprint.ts';
import { policyRecord } from './rollback-tasks.ts';
import { includedParts } from './include.ts';
import { hostsOf, initialKnowledge, learn, type Knowledge, type Learnt } from './knowledge.ts';
import { ItemRunner } from './item.ts';
import { Numbers } from './numbers.ts';
import { PlayLocks } from './play-locks.ts';
import { StepKeys, withinPlay, type Place } from './step-key.ts';
import { StepRunner, type Failures } from './step-runner.ts';
import { Selection } from './select.ts';
import { Variables } from './variables.ts';

/** How the forward run ended; what follows is the caller's decision. */
export type RunResult =
  | {
      status: 'done';
      /** Hosts that failed, were tolerated, and were taken back alone. */
      left: string[];
      /** Not all of that could be taken back. */
      incomplete: boolean;
    }
  | { status: 'locked'; message: string }
  | {
      status: 'failed';
      message: string;
      changedAnything: boolean;
    }
  | { status: 'interrupted'; changedAnything: boolean };

export interface RunOptions {
  /** Where a run stood that is to go on. */
  recorded?: RecordedRun | undefined;
  /** Takes back what was done on hosts that failed and are tolerated. False when that was not possible. */
  takeBack?: ((hosts: string[]) => Promise<boolean>) | undefined;
}

/** Plays a playbook forward, from the start or from where a recorded run stood. */
export function runPlaybook(
  context: EngineContext,
  playbook: Playbook,
  options: RunOptions = {},
): Promise<RunResult> {
  return new PlaybookRun(context, playbook, options).run();
}

class PlaybookRun {
  readonly #context: EngineContext;
  readonly #playbook: Playbook;
  readonly #knowledge: Knowledge;
  readonly #variables: Variables;
  readonly #steps: StepRunner;
  readonly #keys = new StepKeys();
  readonly #items: ItemRunner;
  readonly #numbers: Numbers;
  readonly #commitsDone: Set<string>;
  readonly #takeBack: RunOptions['takeBack'];
  readonly #policiesKnown: Set<string>;
  #fingerprinted: boolean;
  #fingerprint: Promise<void> | undefined;
  readonly #locks: PlayLocks;
  readonly #selection: Selection;
  #lastFailure = '';
  /** Hosts that failed, were tolerated, and take no part any more. */
  readonly #left: Set<string>;
  #incomplete = false;
  /** Files of the playbook whose copies are kept with the run. */
  readonly #files: Set<string>;
  #deadline = Number.POSITIVE_INFINITY;
  #pastPivot = false;

  constructor(context: EngineContext, playbook: Playbook, { recorded, takeBack }: RunOptions) {
    this.#context = context;
    this.#takeBack = takeBack;
    this.#selection = new Selection(context.settings);
    this.#policiesKnown = new Set(recorded?.policies.map(({ play }) => play));
    this.#left = new Set(recorded?.takenBack);
    this.#incomplete = recorded !== undefined && openAlone(recorded).length > 0;
    this.#playbook = playbook;
    this.#files = new Set([...playbook.files, ...(recorded?.files.map(({ path }) => path) ?? [])]);
    this.#knowledge = initialKnowledge(context.inventory);
    this.#variables = new Variables(context, this.#knowledge, playbook.folders);
    this.#numbers = new Numbers(context.log.state);
    const parts = {
      ...{ knowledge: this.#knowledge, variables: this.#variables },
      ...{ numbers: this.#numbers, keys: this.#keys },
    };
    this.#locks = new PlayLocks(context, playbook.plays, parts);
    this.#items = new ItemRunner(context, parts, playbook.folders);
    this.#steps = new StepRunner(context, { ...parts, items: this.#items });
    this.#fingerprinted = recorded?.fingerprints.some(({ phase }) => phase === 'before') ?? false;
    this.#commitsDone = new Set(recorded?.commits);
    this.#pastPivot = recorded?.commit?.irreversible ?? false;
  }

  async run(): Promise<RunResult> {
    try {
      this.#deadline = this.#timeLimit();
      this.#notePolicy('', this.#playbook.rollback, this.#playbook.plays[0]);
      for (const play of this.#playbook.plays) {
        const failed = await this.#play(play);
        // What fails while it is given up has not failed by itself.
        if (failed.size > 0 && this.#context.isStopping()) throw new Interrupted();
        if (failed.size > 0) {
          const message = `${[...failed].sort().join(', ')}: ${this.#lastFailure}`;
          return {
            status: 'failed',
            message,
            changedAnything: this.#changedAnything(),
          };
        }
      }
      return { status: 'done', left: [...this.#left].sort(), incomplete: this.#incomplete };
    } catch (error) {
      if (error instanceof TimeLimitError) {
        const changedAnything = this.#changedAnything();
        return { status: 'failed', message: error.describe(), changedAnything };
      }
      if (error instanceof LockedError && !this.#changedAnything())
        return { status: 'locked', message: error.describe() };
      if (error instanceof JournalError && this.#context.log.hasIntents) {
        await this.#context.log.recover();
        return { status: 'failed', message: error.describe(), changedAnything: true };
      }
      // A playbook whose error shows itself only now has failed like any step: what was done goes back.
      if (
        error instanceof RunnerError &&
        !(error instanceof JournalError) &&
        this.#changedAnything()
      )
        return { status: 'failed', message: error.describe(), changedAnything: true };
      if (error instanceof Interrupted)
        return { status: 'interrupted', changedAnything: this.#changedAnything() };
      throw error;
    }
  }

  async #play(play: Play): Promise<Set<string>> {
    const { emit, log } = this.#context;
    // A resumed run keeps the batches: what has happened since may have changed groups or the value of "serial".
    const batches = log.state.plays.get(play.id) ?? this.#batches(play, this.#playHosts(play));
    if (batches.length > 0 && !log.state.plays.has(play.id))
      log.write({ t: 'play', id: play.id, batches });
    const left = this.#leftOf(play, batches);
    for (const [index, batch] of batches.entries()) {
      emit({
        type: 'play-start',
        play: play.name,
        hosts: batch,
        batch: index + 1,
        batches: batches.length,
        ...(index === 0 && left.length > 0 ? { left } : {}),
      });
      if (index === 0) this.#notePolicy(play.id, play.rollback, play);
      const place: Place = { play, batch, number: index + 1, at: 'section', roles: [] };
      for (const section of play.sections) {
        await this.#section(section, place);
        if (this.#hasTooManyFailed(place)) return new Set(this.#failedIn(place));
      }
      await this.#takeBackFailed(place);
      if (play.commit === 'batch') await this.#writeCommit(`${play.id} batch ${String(index + 1)}`);
      if (this.#knowledge.endedPlays.has(play.id)) break;
    }
    if (play.commit === 'end') await this.#writeCommit(play.id);
    return new Set();
  }

  /** Hosts of a play that take no part in it, since they failed before. */
  #leftOf({ hosts }: Play, batches: readonly string[][]): string[] {
    if (batches.length === 0) return [];
    const inPlay = new Set(batches.flat());
    return this.#hostsOf(hosts).filter((host) => this.#left.has(host) && !inPlay.has(host));
  }

  async #section({ name, nodes }: PlaySection, place: Place): Promise<void> {
    if (place.play.strategy === 'free') await this.#freely(nodes, this.#active(place), place);
    else await this.#nodes(nodes, this.#active(place), place, false);
    if (this.#hasTooManyFailed(place)) return;
    this.#leave(await this.#flush(this.#active(place), { ...place, at: `flush:${name}` }));
  }

  /** Hosts of the batch that still take part. */
  #active(place: Place): string[] {
    return place.batch.filter(
      (host) => !this.#knowledge.failed.has(host) && !this.#hasEnded(host, place),
    );
  }

  /** What is wanted around a rollback is on record before anything is done. */
  #notePolicy(id: string, policy: RollbackPolicy, play: Play | undefined): void {
    const { log, settings } = this.#context;
    if (settings.check || !play || this.#policiesKnown.has(id)) return;
    const hosts = id === '' ? this.#hostsOf('all') : this.#playHosts(play);
    const record = policyRecord({ id, policy, play }, this.#variables, this.#context, hosts);
    if (record) log.write(record);
  }

  /** Each host as fast as it can; none waits for another. All have ended when this returns. */
  async #freely(nodes: readonly Node[], hosts: readonly string[], place: Place): Promise<void> {
    const limit = pLimit(this.#context.settings.forks);
    const ended = await Promise.allSettled(
      hosts.map((host) => limit(() => this.#nodes(nodes, [host], { ...place, own: host }, false))),
    );
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }

  #leave(failed: Failures): void {
    for (const host of failed.keys()) learn(this.#knowledge, { host, gone: true });
  }

  #failedIn({ batch }: Place): string[] {
    const inBatch = new Set(batch);
    return [...this.#knowledge.failed].filter((host) => inBatch.has(host));
  }

  #hasTooManyFailed(place: Place): boolean {
    return this.#failedIn(place).length > mostFailures(place.play, place.batch.length);
  }

  /** Whether the play, or a role around, has ended for the host. */
  #hasEnded(host: string, { play, roles }: Place): boolean {
    const { ended } = this.#knowledge;
    return [play.id, ...roles].some((id) => ended.get(id)?.has(host) === true);
  }

  #hostsOf(pattern: string): string[] {
    return hostsOf(this.#knowledge, pattern, this.#context.settings.limit);
  }

  /** The chains of hosts that failed and are tolerated go back before anything later is done. */
  async #takeBackFailed(place: Place): Promise<void> {
    const hosts = this.#failedIn(place).filter((host) => !this.#left.has(host));
    if (hosts.length === 0) return;
    for (const host of hosts) this.#left.add(host);
    if (this.#context.settings.check || !this.#takeBack) return;
    if (!(await this.#takeBack(hosts))) this.#incomplete = true;
  }

  #changedAnything(): boolean {
    return this.#context.log.hasIntents;
  }

  #playHosts(play: Play): string[] {
    const groups = this.#knowledge.groups;
    const unknownInCheck = this.#context.settings.check && !groups.has(play.hosts);
    try {
      const matched = inOrder(this.#hostsOf(play.hosts), play.order);
      const hosts = matched.filter((host) => !this.#left.has(host));
      if (matched.length > 0 && hosts.length === 0) return [];
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

  /** When no further step may begin, in milliseconds since 1970. */
  #timeLimit(): number {
    const { timeLimitSeconds: limit, plays } = this.#playbook;
    const never = Number.POSITIVE_INFINITY;
    const [play] = plays;
    if (limit === undefined || !play || this.#context.settings.check) return never;
    const scope = this.#anyScope(play, [...this.#context.inventory.hosts.keys()]);
    const seconds = Number(typeof limit === 'string' && scope ? scope.render(limit) : limit);
    if (seconds > 0) return this.#context.clock.now() + seconds * 1000;
    if (seconds === 0) return never;
    throw new PlaybookError([{ message: `"time_limit" is ${String(limit)}, not a number.` }]);
  }

  /** @throws TimeLimitError when time is up, unless a point of no return is behind, where stopping would be worse */
  #checkTime(): void {
    if (this.#context.clock.now() < this.#deadline || this.#pastPivot) return;
    throw new TimeLimitError('The time limit of the playbook is over.', {
      hint: 'It is "time_limit" of the playbook, or the input that sets it.',
    });
  }

  /** What a template of a play sees, which belongs to no task. */
  #anyScope(play: Play, hosts: readonly string[]): Scope | undefined {
    const host = this.#context.inventory.hosts.get(hosts[0] ?? '');
    const task = { vars: [], loopValues: {}, role: undefined } as unknown as TaskNode;
    return host && this.#variables.scope(host, { play, task, batch: [...hosts] });
  }

  #batches(play: Play, hosts: string[]): string[][] {
    const scope = this.#anyScope(play, hosts);
    return batchesOf(play, hosts, (size) => (scope ? scope.render(size) : size));
  }

  /** Runs nodes in order and returns the hosts that failed. Without a rescue around, the first failure ends it. */
  async #nodes(
    nodes: readonly Node[],
    hosts: readonly string[],
    place: Place,
    rescuable: boolean,
  ): Promise<Failures> {
    const failed: Failures = new Map();
    for (const node of nodes) {
      const active = hosts.filter((host) => !failed.has(host) && !this.#hasEnded(host, place));
      if (active.length === 0 || this.#stoppedByOthers(place)) break;
      if (this.#context.isStopping()) throw new Interrupted();
      this.#checkTime();
      for (const [host, why] of await this.#node(node, active, place, rescuable))
        failed.set(host, why);
      if (rescuable) continue;
      this.#leave(failed);
      if (this.#hasTooManyFailed(place)) break;
    }
    return failed;
  }

  /** In a play whose hosts go their own ways, one that failed stops the others at their next step. */
  #stoppedByOthers(place: Place): boolean {
    return place.own !== undefined && this.#hasTooManyFailed(place);
  }

  async #node(
    node: Node,
    hosts: readonly string[],
    place: Place,
    rescuable: boolean,
  ): Promise<Failures> {
    if (!this.#selection.has(node, place.brought)) return new Map();
    switch (node.kind) {
      case 'task':
        return this.#task(node, hosts, place);
      case 'block':
        return this.#block(node, hosts, place, rescuable);
      case 'commit':
        return this.#commit(node, hosts, place);
      case 'flush':
        return this.#flush(hosts, { ...place, at: 'flush:now' });
      case 'meta':
        return this.#meta(node, hosts, place);
      case 'include':
        return this.#include(node, hosts, place, rescuable);
    }
  }

  /** What a `meta` step does, for the hosts on which its condition holds. Its answers are on record. */
  async #meta(
    { action, task }: MetaNode,
    hosts: readonly string[],
    place: Place,
  ): Promise<Failures> {
    const asked = { task, locate: () => '' };
    const { failed, included } = await this.#steps.include(asked, hosts, place);
    this.#noteFailure(task, failed);
    const chosen = [...included].filter(([, parts]) => parts.length > 0).map(([host]) => host);
    if (chosen.length === 0) return failed;
    const { play, batch, roles } = place;
    switch (action) {
      case 'end_play':
        this.#end(chosen, { of: play.id, hosts: batch, everywhere: true });
        break;
      case 'end_batch':
        this.#end(chosen, { of: play.id, hosts: batch });
        break;
      case 'end_host':
        this.#end(chosen, { of: play.id, hosts: chosen });
        break;
      case 'end_role':
        this.#end(chosen, { of: roles.at(-1) ?? play.id, hosts: chosen });
        break;
      case 'clear_facts':
        for (const host of chosen) this.#forgetFacts(host);
        break;
      case 'reset_connection':
        await Promise.all(
          chosen.map(async (name) => {
            const host = this.#context.inventory.hosts.get(name);
            if (host) await this.#context.connections.reset(host.address);
          }),
        );
        break;
    }
    return failed;
  }

  #end([host = '']: readonly string[], ended: NonNullable<Learnt['ended']>): void {
    learn(this.#knowledge, { host, ended });
  }

  #forgetFacts(host: string): void {
    const { inventory, factCache } = this.#context;
    learn(this.#knowledge, { host, forgetsFacts: true });
    const address = inventory.hosts.get(host)?.address;
    if (address) factCache?.forget(address);
  }

  /** Works out what each host includes, and runs each part on the hosts for which it is the same. */
  async #include(
    node: IncludeNode,
    hosts: readonly string[],
    place: Place,
    rescuable: boolean,
  ): Promise<Failures> {
    const { failed, included } = await this.#steps.include(node, hosts, place);
    this.#noteFailure(node.task, failed);
    for (const part of includedParts(node, included)) {
      if (!rescuable) this.#leave(failed);
      if (!rescuable && this.#hasTooManyFailed(place)) break;
      const active = part.hosts.filter((host) => !failed.has(host));
      if (active.length === 0) continue;
      let nodes: Node[];
      try {
        nodes = this.#expand(node, part, place.play);
      } catch (error) {
        if (!(error instanceof PlaybookError)) throw error;
        const { name: task, id } = node.task;
        const message = error.describe();
        this.#lastFailure = message;
        for (const host of active) failed.set(host, { task, id, message });
        continue;
      }
      for (const [host, why] of await this.#nodes(nodes, active, place, rescuable))
        failed.set(host, why);
    }
    return failed;
  }

  #expand(node: IncludeNode, part: IncludePart, play: Play): Node[] {
    const { nodes, handlers, files } = node.expand(part);
    const known = new Set(play.handlers.map(({ id }) => id));
    play.handlers.push(...handlers.filter(({ id }) => !known.has(id)));
    const names = play.handlers.flatMap(handlerNames);
    for (const task of tasksOf(nodes)) {
      const missing = task.notify.find((name) => !names.includes(name));
      if (missing === undefined) continue;
      const message = `Task "${task.name}" notifies "${missing}", which is no handler of this play.`;
      throw new PlaybookError([{ message, at: task.at }]);
    }
    for (const file of files.filter((one) => !this.#files.has(one))) {
      this.#files.add(file);
      const pinned = this.#context.pinFile?.(file);
      if (pinned) this.#context.log.write({ t: 'file', ...pinned });
    }
    return nodes;
  }

  async #task(
    task: TaskNode,
    hosts: readonly string[],
    place: Place,
    handler = false,
  ): Promise<Failures> {
    if (!task.readOnly && !this.#context.settings.check)
      await this.#locks.take(place.play, task, this.#left);
    if (task.irreversible !== undefined && !handler) {
      const unready = await this.#readyForPivot(task, hosts, place, { irreversible: true });
      if (unready.size > 0) return unready;
    }
    if (!task.readOnly && !this.#fingerprinted && !this.#context.settings.check) {
      try {
        // Hosts that go their own ways all wait for it.
        this.#fingerprint ??= takeFingerprint(
          this.#context,
          this.#playbook,
          this.#variables,
          this.#hostsOf('all'),
        );
        await this.#fingerprint;
        this.#fingerprinted = true;
      } catch (error) {
        if (!(error instanceof RunnerError) || error instanceof JournalError) throw error;
        this.#lastFailure = error.describe();
        return onAll(hosts, task, this.#lastFailure);
      }
    }
    const failed = await this.#steps.run(task, hosts, place, handler);
    this.#noteFailure(task, failed);
    return failed;
  }

  #noteFailure({ name, id }: TaskNode, failed: Failures): void {
    const [first] = failed.values();
    if (first === undefined) return;
    const why = first.message.trim().split('\n')[0] ?? '';
    const short = why.slice(0, 300).replace(/\.$/, '');
    this.#lastFailure = `"${name}" failed (${id})${short === '' ? '' : `: ${short}`}`;
  }

  /** rollback.md §8: what must hold before a commit point or a point of no return. Returns hosts that are not ready. */
  async #readyForPivot(
    step: { name: string; id: string },
    hosts: readonly string[],
    place: Place,
    { irreversible }: { irreversible: boolean },
  ): Promise<Failures> {
    const { name } = step;
    const { check, failAt, failsBeforePivot } = this.#context.settings;
    if (check) return new Map();
    if (irreversible && failsBeforePivot && !this.#items.hasInjected) {
      this.#lastFailure = `"${name}" was not begun: the step of --fail-at was skipped on every host (${failAt ?? ''})`;
      return onAll(hosts, step, this.#lastFailure);
    }
    await this.#takeBackFailed(place);
    const at = `no-return:${withinPlay(step.id, place.play.id)}` as const;
    const unflushed = await this.#flush(hosts, { ...place, at });
    if (unflushed.size > 0) return unflushed;
    const uncertain = [...this.#knowledge.uncertain];
    if (uncertain.length === 0 && !this.#incomplete) return new Map();
    this.#lastFailure =
      uncertain.length > 0
        ? `"${name}" was not begun: the outcome of ${uncertain.join(', ')} is not known`
        : `"${name}" was not begun: a host that failed could not be taken back`;
    return onAll(hosts, step, this.#lastFailure);
  }

  async #block(
    block: BlockNode,
    hosts: readonly string[],
    place: Place,
    rescuable: boolean,
  ): Promise<Failures> {
    if (block.isRole) place = { ...place, roles: [...place.roles, block.id] };
    const opened = openBlock(
      {
        ...{ context: this.#context, variables: this.#variables },
        ...{ keys: this.#keys, numbers: this.#numbers },
      },
      block,
      hosts,
      place,
    );
    const hasRescue = block.rescue.length > 0;
    // What a block brings along must not be lost because something else of it was asked for.
    const along = { ...place, brought: this.#selection.hasSome(block.block, place.brought) };
    let failed = await this.#nodes(block.block, hosts, place, rescuable || hasRescue);
    if (failed.size > 0 && hasRescue) {
      for (const [host, why] of failed)
        learn(this.#knowledge, {
          host,
          facts: [{ hosts: [host], values: { failed: { ...why } } }],
        });
      failed = await this.#nodes(block.rescue, [...failed.keys()], along, rescuable);
    }
    if (block.always.length > 0) {
      const afterwards = await this.#nodes(block.always, hosts, along, rescuable);
      failed = new Map([...failed, ...afterwards]);
    }
    for (const unit of opened)
      this.#context.log.write({ t: 'block-end', unit, upTo: this.#numbers.lastUnit });
    return failed;
  }

  async #commit(node: CommitNode, hosts: readonly string[], place: Place): Promise<Failures> {
    const name = withinPlay(node.id, place.play.id);
    const key = `${place.play.id}/${String(place.number)}/commit:${name}`;
    if (this.#commitsDone.has(key)) return new Map();
    const unflushed = await this.#flush(hosts, { ...place, at: `commit:${name}` });
    if (unflushed.size > 0) return unflushed;
    // No host may fail here, whatever the play tolerates.
    for (const task of node.gate) {
      const failed = await this.#nodes([task], hosts, place, true);
      if (failed.size > 0) return failed;
    }
    const unready = await this.#readyForPivot(node, hosts, place, {
      irreversible: node.confirm,
    });
    if (unready.size > 0) return unready;
    await this.#writeCommit(node.name, { key, irreversible: node.confirm });
    return new Map();
  }

  async #writeCommit(name: string, { key = name, irreversible = false } = {}): Promise<void> {
    if (this.#commitsDone.has(key)) return;
    await this.#context.log.append({
      t: 'commit',
      name,
      key,
      unit: this.#numbers.lastUnit,
      irreversible,
    });
    this.#commitsDone.add(key);
    this.#pastPivot ||= irreversible;
    this.#context.emit({ type: 'commit', name, irreversible });
  }

  /** Runs the notified handlers in the order of their definition; those a handler notifies run in the same flush. */
  async #flush(hosts: readonly string[], place: Place): Promise<Failures> {
    for (let again = true; again;) {
      again = false;
      for (const handler of place.play.handlers) {
        const due = hosts.filter((host) => this.#knowledge.due.get(host)?.has(handler.id) === true);
        if (due.length === 0) continue;
        if (this.#context.isStopping()) throw new Interrupted();
        const failed = await this.#task(handler, due, place, true);
        if (failed.size > 0) return failed;
        again = true;
      }
    }
    return new Map();
  }
}

/** One failure for all hosts: what failed is no task of one of them. */
function onAll(
  hosts: readonly string[],
  { name, id }: { name: string; id: string },
  message: string,
): Failures {
  return new Map(hosts.map((host) => [host, { task: name, id, message }]));
}
