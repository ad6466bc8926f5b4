import pLimit from 'p-limit';
import { RunnerError } from '../core/errors.ts';
import { playTasks, type Become, type Play, type TaskNode } from '../language/document.ts';
import { isRendered, renderAccess, unrendered } from './access.ts';
import { hostsOf, type Knowledge } from './knowledge.ts';
import type { HostLocks } from './locks.ts';
import { mayChange } from './undo-plan.ts';
import type { Variables } from './variables.ts';

/**
 * Locks the hosts of all plays before the first step that can change one of them, as far as the
 * hosts are known by then.
 */
export class PlayLocks {
  readonly #locks: Pick<HostLocks, 'take'>;
  readonly #limit: string | undefined;
  readonly #plays: readonly Play[];
  readonly #knowledge: Knowledge;
  readonly #variables: Pick<Variables, 'scope'>;
  /** Serializes the requests: with "strategy: free", several hosts need locks at the same time. */
  readonly #locking = pLimit(1);
  /** Inputs from which the hosts were determined for the last request. */
  #seen: { play: Play; members: readonly (readonly string[])[]; left: string } | undefined;

  constructor(
    plays: readonly Play[],
    {
      locks,
      knowledge,
      variables,
      limit,
    }: {
      locks: Pick<HostLocks, 'take'>;
      knowledge: Knowledge;
      variables: Pick<Variables, 'scope'>;
      limit: string | undefined;
    },
  ) {
    this.#locks = locks;
    this.#limit = limit;
    this.#plays = plays;
    this.#knowledge = knowledge;
    this.#variables = variables;
  }

  /** @param left hosts that failed and were tolerated, and are left out */
  async take(current: Play, task: TaskNode, left: ReadonlySet<string>): Promise<void> {
    await this.#locking(async () => {
      const { groups } = this.#knowledge;
      const members = [...groups.values()];
      if (this.#isSeen(current, members, left)) return;
      await this.#locks.take(this.#wanted(current, task, left));
      this.#seen = { play: current, members, left: [...left].join() };
    });
  }

  /**
   * Whether the hosts of all plays are unchanged since the last request. A changed group is a new
   * list.
   */
  #isSeen(play: Play, members: readonly (readonly string[])[], left: ReadonlySet<string>): boolean {
    const seen = this.#seen;
    return (
      seen?.play === play &&
      seen.left === [...left].join() &&
      seen.members.length === members.length &&
      members.every((list, index) => seen.members[index] === list)
    );
  }

  #wanted(current: Play, task: TaskNode, left: ReadonlySet<string>): Map<string, Become> {
    const wanted = new Map<string, Become>();
    for (const play of this.#plays) {
      const [known] = playTasks(play).filter(mayChange);
      const first = known ?? (play === current ? task : undefined);
      if (!first) continue;
      let hosts: string[] = [];
      try {
        hosts = hostsOf(this.#knowledge, play.hosts, this.#limit);
      } catch (error) {
        // An earlier play creates the group. Its hosts are locked when their play begins.
        if (!(error instanceof RunnerError) || play === current) throw error;
      }
      for (const name of hosts) {
        const access = wanted.has(name) ? undefined : this.#access(name, first, play, current);
        if (access) wanted.set(name, access);
      }
    }
    for (const host of left) wanted.delete(host);
    return wanted;
  }

  /**
   * Access settings of the first changing task of a play; undefined if a later play's cannot be
   * rendered yet.
   */
  #access(name: string, first: TaskNode, play: Play, current: Play): Become | undefined {
    const host = this.#knowledge.inventory.hosts.get(name);
    if (isRendered(first.become, host?.address)) return first.become;
    if (!host) return unrendered(first.become);
    try {
      const scope = this.#variables.scope(host, { play, task: first, batch: [name] });
      return renderAccess(first.become, host.address, scope);
    } catch (error) {
      if (!(error instanceof RunnerError) || play === current) throw error;
      return undefined;
    }
  }
}
