import type { BlockNode } from '../language/document.ts';
import type { IntentRecord } from '../journal/records.ts';
import { renderAccess } from './access.ts';
import type { Inventory } from '../core/inventory.ts';
import type { Log } from '../journal/log.ts';
import { hideIntent } from './hidden-intent.ts';
import type { Knowledge } from './knowledge.ts';
import type { Numbers } from './numbers.ts';
import { stepEntry } from './replay.ts';
import type { Place, StepKeys } from './step-key.ts';
import { snapshot } from './undo-plan.ts';
import type { Sealer } from '../util/seal.ts';
import type { Variables } from './variables.ts';

export interface BlockParts {
  log: Pick<Log, 'state' | 'executions' | 'write'>;
  inventory: Inventory;
  check: boolean;
  variables: Pick<Variables, 'scope'>;
  keys: StepKeys;
  numbers: Numbers;
  knowledge: Pick<Knowledge, 'hidden'>;
  /** Encrypts values that `no_log` hides. */
  sealer: Sealer | undefined;
}

/**
 * Records the undo list of a block before its first step, so that a rollback runs it after the
 * undos of these steps. A resumed run keeps the recorded list.
 *
 * @returns a function that records the end of the block
 */
export function openBlock(
  parts: BlockParts,
  block: BlockNode,
  hosts: readonly string[],
  place: Place,
): () => void {
  const units = openUnits(parts, block, hosts, place);
  const { log, numbers } = parts;
  return () => {
    for (const unit of units) log.write({ t: 'block-end', unit, upTo: numbers.lastUnit });
  };
}

/** Returns the numbers of the units that stay open until the block ends. */
function openUnits(
  parts: BlockParts,
  block: BlockNode,
  hosts: readonly string[],
  place: Place,
): number[] {
  const { log, check } = parts;
  if (!block.undo || block.undo.tasks.length === 0 || check) return [];
  const key = parts.keys.next(block.id, place);
  const known = new Map(
    (stepEntry(log, key)?.units ?? [])
      .filter(({ undo }) => undo === undefined)
      .map((unit) => [unit.intent.host, unit]),
  );
  const opened = hosts.flatMap((host) => {
    const { unit, block: range } = known.get(host)?.intent ?? {};
    return unit !== undefined && range?.until === OPEN ? [unit] : [];
  });
  const others = hosts.filter((host) => !known.has(host));
  if (others.length === 0) return opened;
  const step = parts.numbers.nextStep();
  const { id, name, at } = block;
  const info = { id, number: step, play: place.play.name, name, module: 'block', at };
  log.write({ t: 'step', step: { ...info, handler: false }, hosts: others, key, silent: true });
  for (const host of others) {
    const intent = blockIntent(parts, block, { host, step, place });
    if (!intent) continue;
    log.write(intent);
    opened.push(intent.unit);
  }
  return opened;
}

/** Value of `until` while the block runs: all later units are inside the block. */
const OPEN = Number.MAX_SAFE_INTEGER;

function blockIntent(
  { inventory, variables, numbers, knowledge, sealer }: BlockParts,
  { undo }: BlockNode,
  { host: name, step, place }: { host: string; step: number; place: Place },
): IntentRecord | undefined {
  const host = inventory.hosts.get(name);
  const [first] = undo?.tasks ?? [];
  if (!host || !undo || !first) return undefined;
  const scope = variables.scope(host, { play: place.play, task: first, batch: place.batch });
  const vars = snapshot(undo.tasks, scope);
  const intent: IntentRecord = {
    t: 'intent',
    unit: numbers.nextUnit(),
    step,
    host: name,
    target: name,
    module: 'block',
    args: {},
    actions: [],
    become: renderAccess(first.become, host.address, scope),
    undo: {
      body: { kind: 'declared', tasks: undo.tasks, vars },
      on: ['changed', 'failed', 'unknown'],
      when: [],
      error: 'block',
      captured: {},
    },
    block: { until: OPEN, replace: undo.replace },
  };
  const isHidden = Object.keys(vars).some((name) => knowledge.hidden.has(name));
  return isHidden ? hideIntent(intent, sealer) : intent;
}
