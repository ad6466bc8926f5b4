import { SecretError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { IntentRecord, UndoBody } from '../journal/records.ts';
import { reveal, store, type Stored } from '../journal/stored.ts';
import type { Sealer } from '../util/seal.ts';
import type { Secrets } from '../util/secrets.ts';

export interface Keys {
  redactor: Secrets;
  /** Undefined when the run has no secrets. */
  sealer: Sealer | undefined;
}

/** Values that an undo needs and that the journal must not contain in plain text. */
type Hidden = Pick<IntentRecord, 'item'> & Pick<IntentRecord['undo'], 'captured' | 'body'>;

const noSecrets: Secrets = { forms: [], secretOf: () => undefined };

/**
 * Encrypts the values that the undo of a hidden step needs. A step is hidden if it has `no_log`, or
 * if its undo reads what such a step registered. The key is derived from the secrets of the run;
 * without secrets, the values are not encrypted.
 */
export function hideIntent(intent: IntentRecord, sealer: Sealer | undefined): IntentRecord {
  const { item, undo } = intent;
  const { captured, body } = undo;
  const shown = withoutValues(body);
  const isEmpty = item === undefined && Object.keys(captured).length === 0 && shown === undefined;
  if (!sealer || isEmpty) return intent;
  const hidden: Hidden = { item, captured, body };
  return {
    ...intent,
    item: undefined,
    undo: { ...undo, captured: {}, body: shown ?? body },
    sealed: sealer.seal(JSON.stringify(store(hidden, noSecrets))),
  };
}

/** The body without its values; undefined if it has none. */
function withoutValues(body: UndoBody): UndoBody | undefined {
  const isEmpty = (values: JsonObject) => Object.keys(values).length === 0;
  if (body.kind === 'declared' && !isEmpty(body.vars)) return { ...body, vars: {} };
  if (body.kind !== 'auto' || body.calls.every(({ args }) => isEmpty(args))) return undefined;
  return { ...body, calls: body.calls.map(({ module }) => ({ module, args: {} })) };
}

/**
 * Decrypts the hidden values of an intent.
 *
 * @throws SecretError when a secret of the run was not supplied
 */
export function openIntent(
  intent: IntentRecord<'stored'>,
  { sealer }: Keys,
): IntentRecord<'stored'> {
  if (intent.sealed === undefined) return intent;
  const opened = sealer?.open(intent.sealed);
  if (opened === undefined)
    throw new SecretError(
      'The values of this step are encrypted because of no_log, and a secret of the run was not supplied.',
      { hint: 'Supply all secrets that the run was started with.' },
    );
  const hidden = reveal(JSON.parse(opened) as Stored<Hidden>, noSecrets);
  const { item, captured, body } = hidden;
  return {
    ...intent,
    item: item === undefined ? undefined : store(item, noSecrets),
    undo: { ...intent.undo, captured: store(captured, noSecrets), body: storedBody(body) },
  };
}

function storedBody(body: UndoBody): UndoBody<'stored'> {
  if (body.kind === 'auto' || body.kind === 'rerun') {
    const calls = body.calls.map(({ module, args }) => ({ module, args: store(args, noSecrets) }));
    return { ...body, calls };
  }
  if (body.kind !== 'declared') return body;
  const tasks = body.tasks.map((task) => store(task, noSecrets));
  return { ...body, tasks, vars: store(body.vars, noSecrets) };
}

/** The loop item; undefined without a loop, or when a secret of the run was not supplied. */
export function itemOf(intent: IntentRecord<'stored'>, keys: Keys): IntentRecord<'stored'>['item'] {
  try {
    return openIntent(intent, keys).item;
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}
