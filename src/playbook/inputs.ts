import type { JsonObject } from '../core/json.ts';
import { asWritten } from '../core/value.ts';
import type { InputSpec, Playbook } from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { inputKeywords } from '../language/keywords.ts';
import { inputSchema } from '../language/structure.ts';
import { schemaProblem } from '../util/schema.ts';
import { slug } from '../util/text.ts';
import type { MapReader } from '../yaml/map-reader.ts';

/** `inputs` of a playbook, or of the meta file of a role. */
export function loadInputs(reader: MapReader): InputSpec[] {
  const inputs = reader.reader('inputs');
  return Object.keys(inputs?.source ?? {}).flatMap((name) => {
    const spec = inputs?.reader(name);
    return spec ? [readInput(name, spec)] : [];
  });
}

/** Separates removed inputs from the others. */
export function splitInputs(all: readonly InputSpec[]): Pick<Playbook, 'inputs' | 'removed'> {
  const inputs = all.filter(({ removed }) => removed === undefined);
  const removed = all.flatMap(({ name, removed: instead }) =>
    instead === undefined ? [] : [{ name, instead }],
  );
  return { inputs, removed };
}

/** Flags of `runner play`. An input cannot have the same name. */
const reserved = new Set(
  'list-tasks list-tags list-hosts flush-cache from step debug take-over on-interrupt rollback-budget check diff limit tags skip-tags forks on-failure require-undo output inventory help extra-vars verbose accept-irreversible run-id fail-at undo detailed-exit-code known-hosts ssh-config transport connect-timeout key-passphrase-file connection-password-file ask-pass become-password-file ask-become-pass vault-id vault-password-file ask-vault-pass user private-key become become-user become-method'.split(
    ' ',
  ),
);

function readInput(name: string, spec: MapReader): InputSpec {
  const schema: JsonObject = {};
  for (const { name: key } of inputSchema) {
    const value = spec.value(key);
    if (value !== undefined) schema[key] = asWritten(value);
  }
  const wrong = schemaProblem(schema);
  if (wrong !== undefined) spec.problem('type', `Input "${name}" has an invalid schema: ${wrong}.`);
  // Its flag has hyphens instead of underscores, and cannot have two in a row or one at the end.
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name))
    spec.problem('type', `Input "${name}" must be named in snake_case.`);
  if (spec.value('flag') === false && spec.value('secret') !== true)
    spec.problem('flag', `Input "${name}" with "flag: false" must have "secret: true".`);
  if (reserved.has(slug(name)))
    spec.problem('type', `Input "${name}" has the same name as a flag of runner.`);
  const fallback = spec.value('default');
  const input: InputSpec = {
    name,
    schema,
    ...fields.complete(inputKeywords, fields.read(inputKeywords, spec)),
    at: spec.at(),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
  if (input.removed !== undefined && fallback !== undefined)
    spec.problem('default', `The input "${name}" was removed.`, input.removed);
  spec.close(`input "${name}"`);
  return input;
}
