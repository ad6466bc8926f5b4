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

/** What an undo needs and no journal may show. */
type Hidden = Pick<IntentRecord, 'item'> & Pick<IntentRecord['undo'], 'captured' | 'body'>;

const noSecrets: Secrets = { forms: [], secretOf: () => undefined };

/**
 * The intent of a step with `no_log`, or whose undo reads what such a step registered: values that its undo needs are encrypted
 * with the secrets of the run. Without secrets there is nothing to encrypt them with, and they stay as they are.
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

/** Undefined when there is no value in it. */
function withoutValues(body: UndoBody): UndoBody | undefined {
  const isEmpty = (values: JsonObject) => Object.keys(values).length === 0;
  if (body.kind === 'declared' && !isEmpty(body.vars)) return { ...body, vars: {} };
  if (body.kind !== 'auto' || body.calls.every(({ args }) => isEmpty(args))) return undefined;
  return { ...body, calls: body.calls.map(({ module }) => ({ module, args: {} })) };
}

/** The intent with what was encrypted. @throws SecretError when a secret of the run was not given again */
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

/** The item of a loop; undefined without one, or when a secret of the run was not given again. */
export function itemOf(intent: IntentRecord<'stored'>, keys: Keys): IntentRecord<'stored'>['item'] {
  try {
    return openIntent(intent, keys).item;
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}
