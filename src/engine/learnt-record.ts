import type { JsonObject } from '../core/json.ts';
import type { LearntRecord } from '../journal/records.ts';
import { unknownValue } from '../template/scope.ts';
import { reveal } from '../journal/stored.ts';
import type { Keys } from './hidden-intent.ts';
import type { Learnt } from './knowledge.ts';

type Facts = NonNullable<LearntRecord['facts']>;

/**
 * The record of what a step taught about a host. Variables of a `no_log` step are encrypted, or
 * omitted without a sealer.
 */
export function learntRecord(
  learnt: Learnt,
  { step, hidden, sealer }: { step: number; hidden: boolean; sealer: Keys['sealer'] },
): LearntRecord {
  const { facts, whole } = recordableFacts(learnt.facts ?? []);
  const record: LearntRecord = {
    t: 'learnt',
    step,
    host: learnt.host,
    left: orNothing(learnt.left),
    joined: orNothing(learnt.joined),
    added: orNothing(learnt.added),
    handled: learnt.handled,
    notified: orNothing(learnt.notified),
    failed: learnt.failed,
    uncertain: learnt.uncertain,
    partial: whole ? undefined : true,
    facts: orNothing(facts),
    included: learnt.included && [...learnt.included],
  };
  return hidden ? sealedRecord(record, sealer) : record;
}

/** The record without variables of a `no_log` step, which are encrypted in it. */
function sealedRecord(record: LearntRecord, sealer: Keys['sealer']): LearntRecord {
  const { added, facts, included, ...open } = record;
  if (added === undefined && facts === undefined && included === undefined) return record;
  const sealed = sealer?.seal(JSON.stringify({ facts, included, added }));
  return {
    ...open,
    // A rollback needs the addresses; only the variables are hidden.
    added: added?.map((one) => ({ ...one, vars: {} })),
    sealed,
    partial: sealed === undefined ? true : open.partial,
  };
}

/**
 * What a step taught about a host, from its record.
 * @returns undefined when a part of it was not recorded or cannot be decrypted
 * @throws SecretError when a secret of the run was not supplied
 */
export function recordedLearnt(
  record: LearntRecord<'stored'>,
  { redactor, sealer }: Keys,
): Learnt | undefined {
  if (record.partial) return undefined;
  const { host, facts, left, joined, added, included, handled, notified, failed, uncertain } =
    record;
  const shown: Learnt = {
    host,
    left,
    joined,
    handled,
    notified,
    failed,
    uncertain,
    hidden: record.sealed === undefined ? undefined : true,
    facts: facts?.map((one) => ({ ...one, values: reveal(one.values, redactor) })),
    added: added?.map(({ vars, address, ...one }) => ({
      ...one,
      vars: reveal(vars, redactor),
      address: reveal(address, redactor),
    })),
    included: included && reveal(included, redactor),
  };
  if (record.sealed === undefined) return shown;
  const opened = sealer?.open(record.sealed);
  return opened === undefined
    ? undefined
    : { ...shown, ...(JSON.parse(opened) as Partial<Learnt>) };
}

/** Leaves out values that are known only in a real run. */
function recordableFacts(all: NonNullable<Learnt['facts']>): { facts: Facts; whole: boolean } {
  let whole = true;
  const facts = all.map(({ hosts, values, append }) => {
    const known = Object.entries(values).filter(([, value]) => value !== unknownValue);
    if (known.length < Object.keys(values).length) whole = false;
    const how = append ? { append } : {};
    return { hosts: [...hosts], values: Object.fromEntries(known) as JsonObject, ...how };
  });
  return { facts, whole };
}

function orNothing<T>(list: readonly T[] | undefined): T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : [...list];
}
