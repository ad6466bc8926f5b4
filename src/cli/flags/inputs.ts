import { type Source, Template, type SourceObject } from '../../core/value.ts';
import { isAbsolute, resolve } from 'node:path';
import { Option } from 'commander';
import { PlaybookError, UsageError, type Problem } from '../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { InputSpec, RemovedInput } from '../../language/document.ts';
import { recipientProblem } from '../../util/age.ts';
import { validateValue } from '../../util/schema.ts';
import { expandHome } from '../../util/paths.ts';
import { askSecretTwice } from '../operator.ts';
import type { World } from '../world.ts';
import { firstLine } from './passwords.ts';
import { yamlInput } from './yaml-input.ts';

export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

/**
 * One option per input. Secrets also have an option for a file and, if they are not required, for a
 * prompt.
 */
export function inputOptions(inputs: readonly InputSpec[]): Option[] {
  return inputs.flatMap((input) => {
    const { name, description, schema } = input;
    const isBoolean = schema['type'] === 'boolean';
    const word =
      input.isPath || input.isYamlFile ? 'FILE' : schema['type'] === 'integer' ? 'NUMBER' : 'VALUE';
    const notes = [
      ...(input.required ? ['required'] : []),
      ...(input.env === undefined ? [] : [`or environment variable ${input.env}`]),
      ...(input.default === undefined || input.default === '' || input.isYamlFile
        ? []
        : [`default: ${JSON.stringify(input.default)}`]),
    ];
    const text = `${description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
    const option = new Option(
      isBoolean ? `${flagOf(name)} [BOOLEAN]` : `${flagOf(name)} <${word}>`,
      text,
    );
    // The option of a list may be repeated.
    if (schema['type'] === 'array' && !input.isYamlFile)
      option.argParser((more, known?: string) => (known === undefined ? more : `${known},${more}`));
    if (!input.secret) return [option];
    return [
      input.hasFlag ? option : option.hideHelp(),
      new Option(
        `${flagOf(name)}-file <FILE>`,
        input.hasFlag ? `file whose first line is ${name}` : `file whose first line is: ${text}`,
      ),
      ...(asksByFlag(input) ? [new Option(askFlagOf(name), `prompt for ${name}`)] : []),
    ];
  });
}

/** runner prompts for a secret that is not required only on request. */
function asksByFlag({ secret, required, prompt }: InputSpec): boolean {
  return secret && !required && prompt !== undefined;
}

/** Hidden options for removed inputs, so that an error can name the replacement. */
export function removedOptions(removed: readonly RemovedInput[]): Option[] {
  return removed.map(({ name }) => new Option(`${flagOf(name)} [VALUE]`).hideHelp());
}

/** @param given names of inputs and variables. @throws UsageError when one of them was removed */
export function refuseRemoved(removed: readonly RemovedInput[], given: readonly string[]): void {
  const found = removed.find(({ name }) => given.includes(name) || given.includes(camelCase(name)));
  if (found)
    throw new UsageError(`The input "${found.name}" (${flagOf(found.name)}) was removed.`, {
      hint: found.instead,
    });
}

interface Given {
  /** Values by the camelCase keys of commander. */
  options: Record<string, unknown>;
  askMissing: (input: InputSpec) => Promise<string | undefined>;
  warn: (text: string) => void;
}

export interface ResolvedInputs {
  given: JsonObject;
  defaults: SourceObject;
  /** Files that secrets were read from, by input. */
  secretFiles: Record<string, string>;
}

/**
 * Reads the inputs of a playbook from the flag, the file, the environment or a prompt, in that
 * order.
 * @throws PlaybookError with every missing and every invalid input
 */
export async function resolveInputs(
  inputs: readonly InputSpec[],
  world: World,
  { options, askMissing, warn }: Given,
): Promise<ResolvedInputs> {
  const given: JsonObject = {};
  const secretFiles: Record<string, string> = {};
  const defaults: SourceObject = {};
  const problems: Problem[] = [];
  for (const input of inputs) {
    const file = options[`${camelCase(input.name)}File`];
    if (input.secret && typeof file === 'string')
      secretFiles[input.name] = resolve(expandHome(file));
    const text =
      givenValue(input, options, warn) ??
      (asksByFlag(input) && options[camelCase(`ask_${input.name}`)] === true
        ? await askSecretTwice(world, input.prompt ?? input.name)
        : undefined) ??
      // An empty environment variable counts as not set.
      (input.env === undefined ? undefined : world.env[input.env] || undefined) ??
      (asksByFlag(input) ? undefined : await askMissing(input));
    if (text === undefined) {
      if (input.default !== undefined) defaults[input.name] = defaultOf(input);
      else if (input.required) problems.push(missing(input));
      else defaults[input.name] = '';
      continue;
    }
    if (input.isYamlFile) {
      const read = yamlInput(String(text), input, world.vault);
      for (const problem of read.problems) {
        const whose = problem.at ? '' : `${flagOf(input.name)}: `;
        problems.push({ ...problem, message: `${whose}${problem.message}` });
      }
      given[input.name] = read.value;
      continue;
    }
    const value = convert(input, text);
    for (const { message } of validateValue(input.schema, value)) {
      const shown = input.secret ? message : message.replace('The value', JSON.stringify(text));
      problems.push({ message: `${flagOf(input.name)}: ${shown}` });
    }
    if (input.isRecipient) problems.push(...(await recipientProblems(input, value)));
    if (input.secret && typeof value === 'string')
      world.redactor.add(input.name, value, { optional: !input.required });
    given[input.name] = value;
  }
  if (problems.length > 0) throw new PlaybookError(problems);
  return { given, defaults, secretFiles };
}

async function recipientProblems(input: InputSpec, value: JsonValue): Promise<Problem[]> {
  const texts = [value].flat().filter((one) => typeof one === 'string');
  const found = await Promise.all(texts.map((text) => recipientProblem(text)));
  return found.flatMap((problem, index) =>
    problem === undefined
      ? []
      : [
          {
            message: `${flagOf(input.name)}: ${JSON.stringify(texts[index])} is not an age public key. ${problem}`,
          },
        ],
  );
}

/** Expands "~" at the start of a default that is a path. */
function defaultOf(input: InputSpec): Source {
  const value = input.default ?? '';
  if (!input.isPath) return value;
  if (value instanceof Template) return new Template(expandHome(value.text));
  return typeof value === 'string' ? expandHome(value) : value;
}

function missing(input: InputSpec): Problem {
  return {
    message: `Input "${input.name}" is missing: ${input.description}.`,
    hint: `Use ${waysOf(input).join(' or ')}.`,
  };
}

function waysOf(input: InputSpec): string[] {
  return [
    ...(input.hasFlag ? [flagOf(input.name)] : []),
    ...(input.secret ? [`${flagOf(input.name)}-file`] : []),
    ...(asksByFlag(input) ? [askFlagOf(input.name)] : []),
    ...(input.env === undefined ? [] : [`the environment variable ${input.env}`]),
  ];
}

function askFlagOf(name: string): string {
  return `--ask${flagOf(name).slice(1)}`;
}

/** The value from the option of the input, or from the file that its option names. */
function givenValue(
  input: InputSpec,
  options: Record<string, unknown>,
  warn: (text: string) => void,
): string | boolean | undefined {
  const key = camelCase(input.name);
  const flag = options[key];
  if (flag !== undefined) {
    if (!input.hasFlag)
      throw new UsageError(`${flagOf(input.name)} would expose the secret in the process list.`, {
        hint: `Use ${waysOf(input).join(' or ')}.`,
      });
    if (input.secret) {
      warn(
        `${flagOf(input.name)} exposes the secret in the process list. Use ${input.env ?? `${flagOf(input.name)}-file`} instead.`,
      );
    }
    return typeof flag === 'boolean' ? flag : String(flag);
  }
  const file = options[`${key}File`];
  if (input.secret && typeof file === 'string')
    return firstLine(file, `${flagOf(input.name)}-file`);
  return undefined;
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

/** Text that is not JSON stays text. The schema then refuses it. */
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
