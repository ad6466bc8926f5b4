import { changeTexts } from '../core/failure.ts';
import { changeDifferenceTexts, changeReasonTexts } from '../core/undo.ts';
import { hash } from 'node:crypto';
import { nameSecrets, type Secrets } from '../util/secrets.ts';
import type {
  IntentRecord,
  JournalRecord,
  LearntRecord,
  ResultRecord,
  StoredRecord,
  UndoBody,
} from './records.ts';
import { store, type Stored } from './stored.ts';

/** A line of the file: number of the record, record, checksum. */
export function encodeRecord(number: number, stored: object): string {
  const body = `${String(number)} ${JSON.stringify(stored)}`;
  return `${body} ${checksum(body)}\n`;
}

/**
 * Parses a line without its newline. Undefined if it is torn or damaged, or its record has another
 * number.
 */
export function decodeRecord(line: string, number: number): StoredRecord | undefined {
  const start = line.indexOf(' ');
  const end = line.lastIndexOf(' ');
  if (start <= 0 || end <= start) return undefined;
  if (line.slice(end + 1) !== checksum(line.slice(0, end))) return undefined;
  if (Number(line.slice(0, start)) !== number) return undefined;
  return JSON.parse(line.slice(start + 1, end)) as StoredRecord;
}

function checksum(text: string): string {
  return hash('sha256', text).slice(0, 12);
}

/**
 * Replaces the secrets in a record. Values from users and hosts get references, which can be
 * resolved again. Text for people gets the names of the secrets, for good. Other fields, such as
 * host names, cannot contain secrets.
 */
export function storeRecord(record: JournalRecord, secrets: Secrets): StoredRecord {
  const named = (text: string) => nameSecrets(text, secrets.forms);
  switch (record.t) {
    case 'run':
      return storeHeader(record, secrets);
    case 'step': {
      const { id, name } = record.step;
      return {
        ...record,
        step: { ...record.step, id: named(id), name: named(name) },
        key: named(record.key),
      };
    }
    case 'intent':
      return storeIntent(record, secrets);
    case 'result':
      return storeResult(record, secrets);
    case 'learnt':
      return storeLearnt(record, secrets);
    case 'fingerprint':
      return storeFingerprint(record, secrets);
    case 'rollback-policy':
      return {
        ...record,
        tasks: record.tasks.map((one) =>
          withChanges(one, { task: store(one.task, secrets), vars: store(one.vars, secrets) }),
        ),
      };
    case 'commit':
      return { ...record, name: named(record.name), key: named(record.key) };
    case 'rescue':
      return { ...record, failed: named(record.failed) };
    case 'verified':
      return storeVerified(record, secrets);
    case 'undo-result':
      return { ...record, why: record.why && changeReasonTexts(record.why, named) };
    case 'parked':
      return { ...record, why: changeReasonTexts(record.why, named) };
    case 'end':
      return { ...record, message: named(record.message) };
    case 'resume':
      return { ...record, accepted: record.accepted?.map(named) };
    case 'output-lost':
      return { ...record, reason: named(record.reason) };
    case 'block-end':
    case 'file':
    case 'lock':
    case 'lock-refused':
    case 'play':
    case 'recovered':
    case 'resolved':
    case 'rollback':
    case 'secret':
    case 'undo-intent':
    case 'unparked':
    case 'vault':
      return record;
  }
}

/**
 * The forms in which the key of a step or commit point may be recorded: plain, or with the names of
 * its secrets. Keys from before a secret became known are plain.
 */
export function recordedKeys(key: string, { forms }: Secrets): string[] {
  return [...new Set([key, nameSecrets(key, forms)])];
}

function ifStored<T>(value: T | undefined, secrets: Secrets): Stored<T> | undefined {
  return value === undefined ? undefined : store(value, secrets);
}

/** Replaces fields, possibly with values of other types. */
function withChanges<R extends object, C extends object>(
  record: R,
  changes: C,
): Omit<R, keyof C> & C {
  return { ...record, ...changes };
}

type RecordOf<T extends JournalRecord['t']> = Extract<JournalRecord, { t: T }>;

function storeHeader(header: RecordOf<'run'>, secrets: Secrets): StoredRecord {
  const { inputs, inputDefaults, hosts, inventory } = header;
  const vars = Object.entries(inventory.vars).map(
    ([name, own]) => [name, store(own, secrets)] as const,
  );
  return withChanges(header, {
    inputs: store(inputs, secrets),
    inputDefaults: store(inputDefaults, secrets),
    hosts: hosts.map((address) => ({ ...store(address, secrets), name: address.name })),
    inventory: { ...inventory, vars: Object.fromEntries(vars) },
  });
}

function storeIntent(intent: IntentRecord, secrets: Secrets): IntentRecord<'stored'> {
  const { item, args, undo, actions, touches } = intent;
  const named = (text: string) => nameSecrets(text, secrets.forms);
  return withChanges(intent, {
    item: ifStored(item, secrets),
    args: store(args, secrets),
    actions: actions.map(named),
    undo: withChanges(undo, {
      body: storeBody(undo.body, secrets),
      when: store(undo.when, secrets),
      captured: store(undo.captured, secrets),
      probe: ifStored(undo.probe, secrets),
    }),
    touches: touches?.map(named),
  });
}

function storeBody(body: UndoBody, secrets: Secrets): UndoBody<'stored'> {
  if (body.kind === 'auto' || body.kind === 'rerun')
    return withChanges(body, {
      calls: body.calls.map((call) => withChanges(call, { args: store(call.args, secrets) })),
    });
  if (body.kind !== 'declared') return body;
  const tasks = body.tasks.map((task) => store(task, secrets));
  return withChanges(body, { tasks, vars: store(body.vars, secrets) });
}

function storeResult(result: ResultRecord, secrets: Secrets): ResultRecord<'stored'> {
  const { item, failed, why, value } = result;
  const named = (text: string) => nameSecrets(text, secrets.forms);
  return withChanges(result, {
    item: ifStored(item, secrets),
    failed: failed && changeTexts(failed, named),
    why: why === undefined ? undefined : named(why),
    value: ifStored(value, secrets),
  });
}

function storeVerified(verified: RecordOf<'verified'>, secrets: Secrets): StoredRecord {
  const named = (text: string) => nameSecrets(text, secrets.forms);
  if (verified.of === 'undos') {
    const different = verified.different.map((one) => changeDifferenceTexts(one, named));
    return { ...verified, different };
  }
  const { name, failed, why } = verified;
  return {
    ...verified,
    name: named(name),
    failed: failed && changeTexts(failed, named),
    why: why === undefined ? undefined : named(why),
  };
}

function storeFingerprint(record: RecordOf<'fingerprint'>, secrets: Secrets): StoredRecord {
  const id = nameSecrets(record.id, secrets.forms);
  const name = nameSecrets(record.name, secrets.forms);
  const text = store(record.text, secrets);
  if (record.phase === 'after') return { ...record, id, name, text };
  const task = store(record.task, secrets);
  return { ...record, id, name, text, task, vars: store(record.vars, secrets) };
}

function storeLearnt(learnt: LearntRecord, secrets: Secrets): LearntRecord<'stored'> {
  const { facts, added, included, failed, uncertain } = learnt;
  const named = (text: string) => nameSecrets(text, secrets.forms);
  return withChanges(learnt, {
    facts: facts?.map((one) => withChanges(one, { values: store(one.values, secrets) })),
    added: added?.map((one) =>
      withChanges(one, { vars: store(one.vars, secrets), address: store(one.address, secrets) }),
    ),
    included: ifStored(included, secrets),
    failed: failed && changeTexts(failed, named),
    uncertain: uncertain && named(uncertain),
  });
}
