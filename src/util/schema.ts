import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { JsonSchema } from '../core/module.ts';
import type { JsonValue } from '../core/json.ts';
import { didYouMean } from './text.ts';

export interface SchemaProblem {
  message: string;
  hint?: string | undefined;
  /** Keys and indexes from the value's root to the place. */
  path: string[];
  /** The problem is with this key itself, not its value. */
  key?: string | undefined;
}

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  // Checking schemas against the schema of schemas takes longer than loading a playbook. Those of the modules are checked
  // by a test, those of playbooks by being compiled.
  validateSchema: false,
});
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

function validatorOf(schema: JsonSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const validator = ajv.compile(schema);
  compiled.set(schema, validator);
  return validator;
}

/** Why a schema cannot be used; undefined when it can. */
export function schemaProblem(schema: JsonSchema): string | undefined {
  try {
    validatorOf(schema);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * All problems of a value. With `templates`, strings that hold an expression are let through: what they become is
 * checked again when they are rendered.
 */
export function validateValue(
  schema: JsonSchema,
  value: JsonValue,
  { templates = false }: { templates?: boolean } = {},
): SchemaProblem[] {
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  const problems: SchemaProblem[] = [];
  for (const error of validate.errors ?? []) {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer);
    if (templates && holdsTemplate(valueAt(value, path))) continue;
    // "must match a schema in anyOf" repeats what its members said.
    if (['anyOf', 'oneOf', 'if'].includes(error.keyword) && problems.length > 0) continue;
    problems.push(describe(error, path, schema));
  }
  return problems;
}

function describe(error: ErrorObject, path: string[], schema: JsonSchema): SchemaProblem {
  const name = path.length > 0 ? `"${path.join('.')}"` : 'The value';
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const parent = propertiesAt(schema, path);
      return {
        message: `Unknown argument "${key}".`,
        hint: didYouMean(key, parent) || undefined,
        path,
        key,
      };
    }
    case 'required':
      return { message: `Argument "${String(params['missingProperty'])}" is missing.`, path };
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
      return { message: `${name} does not have the right form.`, hint, path };
    }
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

function valueAt(value: JsonValue, path: string[]): unknown {
  let current: unknown = value;
  for (const part of path) current = (current as Record<string, unknown> | undefined)?.[part];
  return current;
}

function holdsTemplate(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
