import type { Forward } from '../core/endings.ts';
import type { Playbook } from '../language/document.ts';
import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import type { Log } from '../journal/log.ts';
import { openAlone } from '../journal/recorded-run.ts';
import type { Sealer } from '../util/seal.ts';
import { askHosts } from './ask-hosts.ts';
import { batchesOf, leftOf, playHosts } from './batches.ts';
import { beforeChange } from './before-change.ts';
import { openBlock } from './block-undo.ts';
import type { HostLocks } from './locks.ts';
import type { EngineServices } from './services.ts';
import type { RunSettings } from './settings.ts';
import { isTooLate, takeFingerprint } from './fingerprint.ts';
import { forward } from './forward.ts';
import { expandPart } from './include.ts';
import { FailAt } from './fail-at.ts';
import { itemsWith } from './item.ts';
import { hostsOf, initialKnowledge, type Knowledge } from './knowledge.ts';
import { pinNew } from './pinned.ts';
import { recordedLearnt } from './learnt-record.ts';
import { runMeta } from './meta.ts';
import { Numbers } from './numbers.ts';
import { PlayLocks } from './play-locks.ts';
import type { Prober } from './resolve.ts';
import { recordPolicy } from './rollback-tasks.ts';
import {
  schedule,
  type EndParts,
  type NodeParts,
  type ScheduleParts,
  type Select,
} from './schedule.ts';
import { Selection } from './select.ts';
import { StepKeys } from './step-key.ts';
import { step, type RunStep, type StepParts } from './step.ts';
import { deadlineOf } from './time-limit.ts';
import { UndoRunner } from './undo-unit.ts';
import { Variables } from './variables.ts';

/** All parts of a run. Only this file sees all of them. */
export interface Engine extends EngineServices {
  settings: RunSettings;
  inventory: Inventory;
  /** The log of the run; not on disk in check mode. */
  log: Log;
  /** Locks that this run holds on hosts. */
  locks: HostLocks;
  /** Encrypts hidden results for a resumed run; undefined if the run has no secrets. */
  sealer: Sealer | undefined;
}

/**
 * Runs a playbook, from the start or from where the last process of the run stopped.
 *
 * @param rollBackHosts rolls back failed hosts that "max_failures" tolerates; false if some changes
 * could not be undone
 */
export function runPlaybook(
  engine: Engine,
  playbook: Playbook,
  rollBackHosts: RollBackHosts = () => Promise.resolve(true),
): Promise<Forward> {
  return forward(engine.log, () =>
    schedule(playbook, scheduleParts(engine, playbook, rollBackHosts)),
  );
}

type RollBackHosts = ScheduleParts['rollback']['rollBackHosts'];

/** State shared by the parts of a run. */
interface Shared {
  knowledge: Knowledge;
  variables: Variables;
  numbers: Numbers;
  keys: StepKeys;
}

function scheduleParts(
  engine: Engine,
  playbook: Playbook,
  rollBackHosts: RollBackHosts,
): ScheduleParts {
  const { log, inventory, settings } = engine;
  const knowledge = initialKnowledge(inventory, {
    tolerated: log.state.rolledBack,
    unsettled: openAlone(log.state).map(({ intent }) => intent.host),
  });
  const variables = new Variables(engine, knowledge, playbook.directories);
  const shared = { knowledge, variables, numbers: new Numbers(log.state), keys: new StepKeys() };
  const failAt = new FailAt(settings.failAt);
  const items = itemsWith({ run: engine, ...shared, failAt, directories: playbook.directories });
  const run = runStep(engine, { ...shared, items });
  return {
    knowledge,
    log,
    settings,
    step: settings.check ? run : beforeChange(run, changeParts(engine, playbook, shared)),
    select: select(engine, shared),
    nodes: nodeParts(engine, playbook, shared, failAt),
    rollback: { ...undoParts(engine, shared), rollBackHosts },
    end: endParts(engine, playbook, variables),
  };
}

function select({ settings }: Engine, { knowledge, variables }: Shared): Select {
  const { check, limit } = settings;
  const selection = new Selection(settings);
  return {
    has: (node, brought) => selection.has(node, brought),
    hasSome: (nodes, brought) => selection.hasSome(nodes, brought),
    leavesOut: (play) => selection.leavesOut(play),
    batches: (play) => {
      const hosts = playHosts(play, knowledge, { limit, check });
      const scope = variables.ofPlay(play, hosts);
      return batchesOf(play, hosts, (size) => scope?.render(size) ?? size.text);
    },
    left: (play) => leftOf(play, knowledge, limit),
  };
}

function nodeParts(
  engine: Engine,
  playbook: Playbook,
  { knowledge, numbers }: Shared,
  failAt: Pick<FailAt, 'hasFailed'>,
): NodeParts {
  const { connections, factCache, settings } = engine;
  const metaParts = {
    knowledge,
    forget: (address: HostAddress) => factCache?.forget(address),
    reset: (address: HostAddress) => connections.reset(address),
  };
  return {
    expand: (node, part, play) => {
      const { nodes, files } = expandPart(node, part, play);
      pinNew(engine, playbook.files, files);
      return nodes;
    },
    meta: (node, hosts, place) => runMeta(metaParts, node, hosts, place),
    commit: {
      lastUnit: () => numbers.lastUnit,
      pendingFailAt: () =>
        settings.failsBeforeNoReturn && !failAt.hasFailed ? settings.failAt : undefined,
    },
  };
}

function undoParts(
  engine: Engine,
  shared: Shared,
): Pick<ScheduleParts['rollback'], 'recordPolicy' | 'openBlock'> {
  const { log, inventory, sealer, settings } = engine;
  const { check, limit } = settings;
  const { knowledge, variables } = shared;
  return {
    recordPolicy: (wanted, hosts) => {
      recordPolicy(wanted, variables, engine, hosts ?? hostsOf(knowledge, 'all', limit));
    },
    openBlock: (block, hosts, place) =>
      openBlock({ log, inventory, check, sealer, ...shared }, block, hosts, place),
  };
}

/** Starts the time limit of the playbook. @throws PlaybookError when it is not a number */
function endParts(engine: Engine, playbook: Playbook, variables: Variables): EndParts {
  const { clock, inventory, settings } = engine;
  const hosts = [...inventory.hosts.keys()];
  const deadline = deadlineOf(playbook, variables, { clock, check: settings.check, hosts });
  return {
    isStopping: () => engine.isStopping(),
    isTimeUp: () => clock.now() >= deadline,
  };
}

function runStep(engine: Engine, parts: Shared & Pick<StepParts, 'items'>): RunStep {
  const { log, clock, agree, sealer, redactor, factCache, settings } = engine;
  return step({
    ...parts,
    log,
    clock,
    agree,
    sealer,
    redactor,
    forks: settings.forks,
    isStopping: () => engine.isStopping(),
    recall: (record) => recordedLearnt(record, engine),
    ask: (task, units) => askHosts(engine, task, units, prober(engine)),
    keepFacts: (address, facts) =>
      factCache?.keep(address, { facts, gatheredAt: new Date(clock.now()) }),
    pause: async (seconds) => {
      if (settings.check) return;
      // An interruption ends the pause, and then no further step starts.
      await clock.sleep(seconds * 1000, engine.signal).catch(() => undefined);
    },
  });
}

function prober(engine: Engine): Prober {
  return {
    probe: (unit, task) =>
      new UndoRunner(engine, engine.log.state, { reason: 'crash', attempt: 0 }).probe(unit, task),
  };
}

function changeParts(
  engine: Engine,
  playbook: Playbook,
  { knowledge, variables }: Shared,
): Parameters<typeof beforeChange>[1] {
  const { log, settings } = engine;
  const locks = new PlayLocks(playbook.plays, {
    knowledge,
    variables,
    locks: engine.locks,
    limit: settings.limit,
  });
  const fingerprint = () =>
    takeFingerprint(engine, playbook, variables, hostsOf(knowledge, 'all', settings.limit));
  return {
    lock: (task, { play }) => locks.take(play, task, knowledge.tolerated),
    takeFingerprint: isTooLate(log.state) ? undefined : fingerprint,
  };
}
