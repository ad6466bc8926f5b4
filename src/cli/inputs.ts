import { isAbsolute, resolve } from 'node:path';
import { Option } from 'commander';
import { PlaybookError, type Problem } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { InputSpec } from '../core/playbook.ts';
import { validateValue } from '../util/schema.ts';
import { expandHome } from '../util/paths.ts';
import { firstLine } from './connect.ts';
import type { World } from './world.ts';

export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

/** One option per input; a secret also has one that names a file. */
export function inputOptions(inputs: readonly InputSpec[]): Option[] {
  return inputs.flatMap((input) => {
    const { name, description, schema } = input;
    const isBoolean = schema['type'] === 'boolean';
    const word = input.isPath ? 'FILE' : schema['type'] === 'integer' ? 'NUMBER' : 'VALUE';
    const notes = [
      ...(input.required ? ['required'] : []),
      ...(input.env === undefined ? [] : [`or environment variable ${input.env}`]),
      ...(input.default === undefined || input.default === ''
        ? []
        : [`default: ${JSON.stringify(input.default)}`]),
    ];
    const text = `${description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
    const option = new Option(
      isBoolean ? `${flagOf(name)} [BOOLEAN]` : `${flagOf(name)} <${word}>`,
      text,
    );
    // A list may be given piece by piece.
    if (schema['type'] === 'array')
      option.argParser((more, known?: string) => (known === undefined ? more : `${known},${more}`));
    if (!input.secret) return [option];
    return [option, new Option(`${flagOf(name)}-file <FILE>`, `File whose first line is ${name}`)];
  });
}

interface Given {
  /** Values by input name, as commander's camelCase keys had them. */
  options: Record<string, unknown>;
  askMissing: (input: InputSpec) => Promise<string | undefined>;
  warn: (text: string) => void;
}

/**
 * Values of a playbook's inputs, from flag, file, environment or prompt, in that order.
 * @throws PlaybookError naming every missing and every wrong one
 */
export async function resolveInputs(
  inputs: readonly InputSpec[],
  world: World,
  { options, askMissing, warn }: Given,
): Promise<{ given: JsonObject; defaults: JsonObject }> {
  const given: JsonObject = {};
  const defaults: JsonObject = {};
  const problems: Problem[] = [];
  for (const input of inputs) {
    const text = rawValue(input, options, world, warn) ?? (await askMissing(input));
    if (text === undefined) {
      if (input.default !== undefined) defaults[input.name] = defaultOf(input);
      else if (input.required) problems.push(missing(input));
      else defaults[input.name] = '';
      continue;
    }
    const value = convert(input, text);
    for (const problem of validateValue(input.schema, value)) {
      problems.push({
        message: `${flagOf(input.name)}: ${problem.message.replace('The value', JSON.stringify(text))}`,
      });
    }
    if (input.secret && typeof value === 'string') world.redactor.add(input.name, value);
    given[input.name] = value;
  }
  if (problems.length > 0) throw new PlaybookError(problems);
  return { given, defaults };
}

/** A default that is a path may begin with "~". */
function defaultOf(input: InputSpec): JsonValue {
  const value = input.default ?? '';
  return input.isPath && typeof value === 'string' ? expandHome(value) : value;
}

function missing(input: InputSpec): Problem {
  const ways = [
    flagOf(input.name),
    ...(input.secret ? [`${flagOf(input.name)}-file`] : []),
    ...(input.env === undefined ? [] : [`the environment variable ${input.env}`]),
  ];
  return {
    message: `Input "${input.name}" is missing: ${input.description}.`,
    hint: `Give it with ${ways.join(' or ')}.`,
  };
}

function rawValue(
  input: InputSpec,
  options: Record<string, unknown>,
  world: World,
  warn: (text: string) => void,
): string | boolean | undefined {
  const key = camelCase(input.name);
  const flag = options[key];
  if (flag !== undefined) {
    if (input.secret) {
      warn(
        `${flagOf(input.name)} shows the secret to everyone who can list processes here; prefer ${input.env ?? `${flagOf(input.name)}-file`}.`,
      );
    }
    return typeof flag === 'boolean' ? flag : String(flag);
  }
  const file = options[`${key}File`];
  if (input.secret && typeof file === 'string')
    return firstLine(file, `${flagOf(input.name)}-file`);
  // An empty variable is one that was not set.
  return input.env === undefined ? undefined : world.env[input.env] || undefined;
}

function convert(input: InputSpec, raw: string | boolean): JsonValue {
  const { schema } = input;
  if (typeof raw === 'boolean') return raw;
  if (schema['type'] === 'boolean') return raw === 'true' ? true : raw === 'false' ? false : raw;
  if (schema['type'] === 'integer' || schema['type'] === 'number')
    return raw.trim() !== '' && !Number.isNaN(Number(raw)) ? Number(raw) : raw;
  if (['array', 'object'].includes(String(schema['type'])) && /^\s*[[{]/.test(raw))
    return fromJson(raw);
  if (schema['type'] === 'array')
    return raw.trim() === '' ? [] : raw.split(',').map((one) => one.trim());
  if (!input.isPath || raw === '') return raw;
  const path = expandHome(raw);
  return isAbsolute(path) ? path : resolve(path);
}

/** Text that is no JSON stays text, which the schema then refuses. */
function fromJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
