import type { Playbook } from '../language/document.ts';
import { openAlone } from '../journal/recorded-run.ts';
import { askHosts } from './ask-hosts.ts';
import { batchesOf, leftOf, playHosts } from './batches.ts';
import { beforeChange } from './before-change.ts';
import { openBlock } from './block-undo.ts';
import type { EngineContext } from './context.ts';
import { takeFingerprint } from './fingerprint.ts';
import { forward, type Forward } from './forward.ts';
import { expandPart } from './include.ts';
import { ItemRunner } from './item.ts';
import { hostsOf, initialKnowledge, type Knowledge } from './knowledge.ts';
import { pinNew } from './pinned.ts';
import { recordedLearnt } from './learnt-record.ts';
import { runMeta } from './meta.ts';
import { Numbers } from './numbers.ts';
import { PlayLocks } from './play-locks.ts';
import { notePolicy } from './rollback-tasks.ts';
import { schedule, type ScheduleParts } from './schedule.ts';
import { Selection } from './select.ts';
import { StepKeys } from './step-key.ts';
import { step, type RunStep, type StepParts } from './step.ts';
import { deadlineOf } from './time-limit.ts';
import { Variables } from './variables.ts';

/**
 * Plays a playbook forward, from the start or from where the run stood.
 *
 * @param takeBack rolls back what was done on hosts that failed and are tolerated. False when not all could be undone
 */
export function runPlaybook(
  context: EngineContext,
  playbook: Playbook,
  takeBack: ScheduleParts['takeBack'] = () => Promise.resolve(true),
): Promise<Forward> {
  return forward(context.log, () =>
    schedule(playbook, { ...scheduleParts(context, playbook), takeBack }),
  );
}

function scheduleParts(
  context: EngineContext,
  playbook: Playbook,
): Omit<ScheduleParts, 'takeBack'> {
  const { log, clock, connections, factCache, inventory, settings } = context;
  const { check, forks, limit } = settings;
  const knowledge = initialKnowledge(inventory, {
    tolerated: log.state.takenBack,
    unsettled: openAlone(log.state).map(({ intent }) => intent.host),
  });
  const variables = new Variables(context, knowledge, playbook.folders);
  const parts = { knowledge, variables, numbers: new Numbers(log.state), keys: new StepKeys() };
  const items = new ItemRunner(context, parts, playbook.folders);
  const run = runStep(context, { ...parts, items });
  return {
    ...{ knowledge, log, clock, check, forks },
    isStopping: () => context.isStopping(),
    selection: new Selection(settings),
    step: check ? run : beforeChange(run, changeParts(context, playbook, parts)),
    deadline: () =>
      deadlineOf(playbook, variables, { clock, check, hosts: [...inventory.hosts.keys()] }),
    batches: (play) => {
      const hosts = playHosts(play, knowledge, { limit, check });
      const scope = variables.ofPlay(play, hosts);
      return batchesOf(play, hosts, (size) => scope?.render(size) ?? size);
    },
    left: (play) => leftOf(play, knowledge, limit),
    notePolicy: (wanted, hosts) => {
      notePolicy(wanted, variables, context, hosts ?? hostsOf(knowledge, 'all', limit));
    },
    openBlock: (block, hosts, place) => openBlock({ context, ...parts }, block, hosts, place),
    expand: (node, part, play) => {
      const { nodes, files } = expandPart(node, part, play);
      pinNew(context, playbook.files, files);
      return nodes;
    },
    meta: (node, hosts, place) =>
      runMeta(
        {
          knowledge,
          forget: (address) => factCache?.forget(address),
          reset: (address) => connections.reset(address),
        },
        node,
        hosts,
        place,
      ),
    lastUnit: () => parts.numbers.lastUnit,
    failureToCome: () =>
      settings.failsBeforePivot && !items.hasInjected ? settings.failAt : undefined,
  };
}

function runStep(
  context: EngineContext,
  parts: Pick<StepParts, 'knowledge' | 'variables' | 'numbers' | 'keys' | 'items'>,
): RunStep {
  const { log, clock, agree, sealer, redactor, factCache, settings } = context;
  return step({
    ...{ ...parts, log, clock, agree, sealer, redactor, forks: settings.forks },
    isStopping: () => context.isStopping(),
    recall: (record) => recordedLearnt(record, context),
    ask: (task, units) => askHosts(context, task, units),
    keepFacts: (address, facts) =>
      factCache?.keep(address, { facts, gatheredAt: new Date(clock.now()) }),
    pause: async (seconds) => {
      if (settings.check) return;
      // An interruption ends the pause; the next step does not begin then.
      await clock.sleep(seconds * 1000, context.signal).catch(() => undefined);
    },
  });
}

function changeParts(
  context: EngineContext,
  playbook: Playbook,
  { knowledge, variables }: { knowledge: Knowledge; variables: Variables },
): Parameters<typeof beforeChange>[1] {
  const { log, settings } = context;
  const locks = new PlayLocks(context, playbook.plays, { knowledge, variables });
  const isKnown = log.state.fingerprints.some(({ phase }) => phase === 'before');
  const fingerprint = () =>
    takeFingerprint(context, playbook, variables, hostsOf(knowledge, 'all', settings.limit));
  return {
    lock: (task, { play }) => locks.take(play, task, knowledge.tolerated),
    takeFingerprint: isKnown ? undefined : fingerprint,
  };
}
