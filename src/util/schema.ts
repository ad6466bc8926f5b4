import { asWritten, type Source, type SourceObject, Template } from '../core/value.ts';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { JsonSchema } from '../core/module.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { didYouMean } from './text.ts';

export interface SchemaProblem {
  message: string;
  hint?: string | undefined;
  /** Keys and indexes from the root of the value to the problem. */
  path: string[];
  /** The key itself is the problem, not its value. */
  key?: string | undefined;
}

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  // Validating schemas against the meta-schema takes longer than loading a playbook. A test validates those of the modules, and compiling validates those of playbooks.
  validateSchema: false,
  meta: false,
  // The validators of one command run a few times, so optimizing their code costs more than it saves.
  code: { optimize: false },
});
// Extensions for the loader and the engine, see core/module.ts. They do not restrict values.
for (const mark of ['condition', 'variable']) ajv.addFormat(mark, true);
ajv.addFormat('date', isDate);
ajv.addKeyword('secret');
const compiled = new WeakMap<JsonSchema, ValidateFunction>();
/** By their text: the inputs of a role are read again for each of its uses. */
const compiledTexts = new Map<string, ValidateFunction>();

function validatorOf(schema: JsonSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const text = JSON.stringify(schema);
  const validator = compiledTexts.get(text) ?? ajv.compile(schema);
  compiledTexts.set(text, validator);
  compiled.set(schema, validator);
  return validator;
}

/** An existing date, such as 2027-01-31. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Why a schema is not valid; undefined when it is. */
export function schemaProblem(schema: JsonSchema): string | undefined {
  try {
    validatorOf(schema);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * All problems of a value. With `templates`, templates are accepted; their values are checked after rendering.
 *
 * @param noun the word for a field of a map in messages
 */
export function validateValue(
  schema: JsonSchema,
  value: Source,
  { templates = false, noun = 'argument' }: { templates?: boolean; noun?: string } = {},
): SchemaProblem[] {
  const validate = validatorOf(schema);
  if (validate(templates ? asWritten(value) : value)) return [];
  const problems: SchemaProblem[] = [];
  for (const error of validate.errors ?? []) {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer);
    if (templates && valueAt(value, path) instanceof Template) continue;
    // "must match a schema in anyOf" repeats the messages of its members.
    if (['anyOf', 'oneOf', 'if'].includes(error.keyword) && problems.length > 0) continue;
    problems.push(describe(error, path, { schema, noun }));
  }
  return problems;
}

/**
 * Converts rendered values to the type of the schema if nothing is lost: a number to text, or text to a number or boolean.
 * Values without templates are not converted. Neither are modes, because a number has lost the leading zero.
 * @param source the value before rendering
 */
export function coerceRendered(
  schema: JsonSchema,
  value: JsonObject,
  source: SourceObject,
): JsonObject {
  const validate = validatorOf(schema);
  if (validate(value)) return value;
  const coerced = structuredClone(value);
  for (const { keyword, instancePath, params } of validate.errors ?? []) {
    const path = instancePath.split('/').slice(1).map(unescapePointer);
    const last = path.at(-1);
    if (keyword !== 'type' || last === undefined || last === 'mode') continue;
    if (!(valueAt(source, path) instanceof Template)) continue;
    const wanted = (params as { type: string | string[] }).type;
    const fitting = fit(valueAt(value, path), wanted);
    const parent = valueAt(coerced, path.slice(0, -1));
    if (fitting !== undefined && typeof parent === 'object' && parent !== null)
      (parent as JsonObject)[last] = fitting;
  }
  return coerced;
}

function fit(value: unknown, wanted: string | string[]): JsonValue | undefined {
  const types = [wanted].flat();
  if (typeof value === 'number' || typeof value === 'boolean')
    return types.includes('string') ? String(value) : undefined;
  if (typeof value !== 'string') return undefined;
  if (types.includes('integer') && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (types.includes('number') && /^-?\d{1,15}(\.\d+)?$/.test(value)) return Number(value);
  if (types.includes('boolean') && /^(true|false)$/.test(value)) return value === 'true';
  return undefined;
}

function describe(
  error: ErrorObject,
  path: string[],
  { schema, noun }: { schema: JsonSchema; noun: string },
): SchemaProblem {
  const name = path.length > 0 ? `"${path.join('.')}"` : 'The value';
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const parent = propertiesAt(schema, path);
      return {
        message: `Unknown ${noun} "${key}".`,
        hint: didYouMean(key, parent) || undefined,
        path,
        key,
      };
    }
    case 'required':
      return {
        message: `${noun.replace(/^./, (letter) => letter.toUpperCase())} "${String(params['missingProperty'])}" is missing.`,
        path,
      };
    case 'enum':
      return {
        message: `${name} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}.`,
        path,
      };
    case 'pattern': {
      const hint =
        path.at(-1) === 'mode'
          ? 'Write the mode as quoted octal digits, for example "0644".'
          : undefined;
      return { message: `${name} has the wrong format.`, hint, path };
    }
    case 'format':
      return { message: `${name} must be a date such as 2027-01-31.`, path };
    case 'type': {
      const hint =
        path.at(-1) === 'mode'
          ? 'An unquoted 0644 is the number 644. Quote it: "0644".'
          : undefined;
      const wanted = Array.isArray(params['type'])
        ? params['type'].join(' or ')
        : String(params['type']);
      return { message: `${name} must be ${wanted}.`, hint, path };
    }
    default:
      return { message: `${name} ${error.message ?? 'is wrong'}.`, path };
  }
}

function propertiesAt(schema: JsonSchema, path: string[]): string[] {
  let current: unknown = schema;
  for (const part of path) {
    const node = current as { properties?: Record<string, unknown>; items?: unknown } | undefined;
    current = node?.properties?.[part] ?? node?.items;
  }
  return Object.keys((current as { properties?: object } | undefined)?.properties ?? {});
}

function valueAt(value: Source, path: string[]): unknown {
  let current: unknown = value;
  for (const part of path) current = (current as Record<string, unknown> | undefined)?.[part];
  return current;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
