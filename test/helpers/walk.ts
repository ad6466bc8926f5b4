import { builtinModules } from '../../src/cli/builtin-modules.ts';
import { batchesOf, leftOf, playHosts } from '../../src/engine/batches.ts';
import type { Failures } from '../../src/engine/failures.ts';
import type { Forward } from '../../src/core/endings.ts';
import { forward } from '../../src/engine/forward.ts';
import { expandPart } from '../../src/engine/include.ts';
import { initialKnowledge, learn, type Knowledge } from '../../src/engine/knowledge.ts';
import { runMeta } from '../../src/engine/meta.ts';
import { notifiedHandlers } from '../../src/engine/notify.ts';
import {
  schedule,
  type EndParts,
  type NodeParts,
  type ScheduleParts,
} from '../../src/engine/schedule.ts';
import { Selection } from '../../src/engine/select.ts';
import type { Place } from '../../src/engine/step-key.ts';
import type { RunStep } from '../../src/engine/step.ts';
import { Log } from '../../src/journal/log.ts';
import type { Included, JournalRecord } from '../../src/journal/records.ts';
import type { Playbook } from '../../src/language/document.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { Redactor } from '../../src/util/redact.ts';
import { memoryFiles } from './memory-files.ts';
import { recordedHosts, refusal, runRecord } from './records.ts';

/** A playbook as text, with more files in its directory. */
export function documentOf(text: string, files: Readonly<Record<string, string>> = {}): Playbook {
  const all = Object.entries({ 'playbook.yml': text, ...files });
  return loadPlaybook('/p/playbook.yml', {
    modules: builtinModules,
    files: memoryFiles(Object.fromEntries(all.map(([name, one]) => [`/p/${name}`, one]))),
    rolePaths: [],
    playbookPaths: [],
  });
}

export interface Wishes {
  files?: Record<string, string>;
  hosts?: string[];
  /** Hosts on which steps fail, by name. */
  fails?: Record<string, string[]>;
  /** Files of includes, by name of the include and host. */
  includes?: Record<string, Record<string, string>>;
  /** Hosts on which the condition of a `meta` step is false, by its name. */
  unmet?: Record<string, string[]>;
  tags?: string[];
  check?: boolean;
  records?: readonly JournalRecord[];
  /** Called before a step ends. */
  during?: (name: string, hosts: readonly string[], place: Place) => void | Promise<void>;
  end?: Partial<EndParts>;
  nodes?: Partial<NodeParts>;
  rollback?: Partial<ScheduleParts['rollback']>;
}

export interface Walked {
  /** Steps that ran, in order: `Name: h1 h2`. The flush point is before the name of a handler. */
  ran: string[];
  end: Forward;
  knowledge: Knowledge;
  log: Log;
  /** Hosts that were rolled back individually. */
  rolledBack: string[][];
}

/** Schedules a playbook without hosts: each step is a change, and fails on the hosts in `fails`. */
export async function walk(text: string, wishes: Wishes = {}): Promise<Walked> {
  const { hosts = ['h1', 'h2', 'h3'], records = [], tags = [] } = wishes;
  const check = wishes.check ?? false;
  const log = Log.inMemory(new Redactor());
  for (const record of [runRecord({ hosts }), ...records]) log.write(record);
  const inventory = {
    file: '',
    hosts: recordedHosts(log.state),
    groups: new Map([['all', hosts]]),
  };
  const knowledge = initialKnowledge(inventory);
  const ran: string[] = [];
  const rolledBack: string[][] = [];
  const playbook = documentOf(text, wishes.files);
  const selection = new Selection({ tags, skipTags: [], leftOut: [] });
  const end = await forward(log, () =>
    schedule(playbook, {
      ...{ knowledge, log, settings: { forks: 5, check } },
      step: fakeStep(knowledge, wishes, ran),
      select: {
        has: (node, brought) => selection.has(node, brought),
        hasSome: (nodes, brought) => selection.hasSome(nodes, brought),
        leavesOut: (play) => selection.leavesOut(play),
        batches: (play) => {
          const own = playHosts(play, knowledge, { limit: undefined, check });
          return batchesOf(play, own, (size) => size.text);
        },
        left: (play) => leftOf(play, knowledge, undefined),
      },
      nodes: {
        expand: (node, part, play) => expandPart(node, part, play).nodes,
        meta: (node, on, place) => {
          const nothing = { forget: () => undefined, reset: () => Promise.resolve() };
          return runMeta({ knowledge, ...nothing }, node, on, place);
        },
        commit: { lastUnit: () => ran.length, pendingFailAt: () => undefined },
        ...wishes.nodes,
      },
      rollback: {
        recordPolicy: () => undefined,
        openBlock: () => () => undefined,
        rollBackHosts: (on) => {
          ran.push(`(back: ${on.join(' ')})`);
          rolledBack.push(on);
          return Promise.resolve(true);
        },
        ...wishes.rollback,
      },
      end: { isStopping: () => false, isTimeUp: () => false, ...wishes.end },
    }),
  );
  return { ran, end, knowledge, log, rolledBack };
}

function fakeStep(knowledge: Knowledge, wishes: Wishes, ran: string[]): RunStep {
  const { fails = {}, includes = {}, unmet = {}, during } = wishes;
  return async (node, hosts, place) => {
    const task = node.kind === 'task' ? node : node.task;
    const { name, id } = task;
    const where = place.at === 'section' ? '' : `${place.at} `;
    ran.push(`${where}${name}: ${hosts.join(' ')}`);
    await during?.(name, hosts, place);
    const failed: Failures = new Map();
    const included = new Map<string, Included[]>();
    for (const host of hosts) {
      const handled = place.at === 'section' ? undefined : id;
      const failure = { task: name, id, key: `key of ${id}`, failure: refusal('no') };
      if (fails[name]?.includes(host)) {
        failed.set(host, failure);
        learn(knowledge, { host, handled });
      } else {
        const notified = notifiedHandlers(task, place.play).map((handler) => handler.id);
        learn(knowledge, { host, handled, notified });
      }
      if (node.kind === 'include') {
        const part = includes[name]?.[host] ?? '';
        included.set(host, [{ source: node.locate(part), part }]);
      }
      if (node.kind === 'meta')
        included.set(host, unmet[name]?.includes(host) ? [] : [{ source: '', part: '' }]);
    }
    return { failed, included };
  };
}
