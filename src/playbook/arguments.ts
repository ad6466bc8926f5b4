import { readText } from '../template/read-text.ts';
import type { Problem } from '../core/errors.ts';
import { Condition, isSourceObject, type SourceObject, textOf } from '../core/value.ts';
import { markedArguments, type Module } from '../core/module.ts';
import type { SourceRef } from '../core/source.ts';
import { argumentHint } from '../language/hints.ts';
import { validateValue, type SchemaProblem } from '../util/schema.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import type { Context, PlaybookReading } from './reading.ts';

/**
 * Arguments of a module from its value, `args` and `module_defaults`, validated against its schema.
 */
export function loadArguments(
  reader: MapReader,
  module: Module,
  { moduleDefaults }: Context,
  { problems }: PlaybookReading,
): SourceObject {
  const given = ownArguments(reader, module);
  if (!given) return {};
  const more = reader.object('args') ?? {};
  for (const key of Object.keys(more).filter((one) => one in given.args))
    reader.problem('args', `Argument "${key}" is given twice.`);
  const args: SourceObject = { ...moduleDefaults[module.name], ...given.args, ...more };
  for (const problem of validateValue(module.args, args, { templates: true })) {
    problems.push({
      ...ruleOfArgument(problem.path.at(-1), problem.key, args),
      message: `Module "${module.name}": ${problem.message}`,
      hint: argumentHint(problem.key) ?? problem.hint,
      at: placeOf(problem, reader, module, { more, source: given.source }),
    });
  }
  return withConditions(reader, module, withVariables(reader, module, args));
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** Replaces the variable name in an argument of format "variable" with a template of its value. */
function withVariables(reader: MapReader, module: Module, args: SourceObject): SourceObject {
  const named = markedArguments(module, 'format', 'variable').filter((name) => name in args);
  const values: SourceObject = {};
  for (const name of named) {
    const variable = args[name];
    const plain = textOf(variable)?.replaceAll(/[{}]/g, '') ?? '';
    if (VARIABLE.test(plain)) values[name] = readText(`{{${plain}}}`);
    else
      reader.problem(
        module.name,
        `Module "${module.name}": "${name}" must be the name of a variable.`,
      );
  }
  return { ...args, ...values };
}

/**
 * Converts the items of an argument of format "condition" to conditions. A list that is a template
 * stays as it is.
 */
function withConditions(reader: MapReader, module: Module, args: SourceObject): SourceObject {
  const values: SourceObject = {};
  for (const name of markedArguments(module, 'format', 'condition')) {
    const list = args[name];
    if (!Array.isArray(list)) continue;
    values[name] = list.map(
      (one, index) => new Condition(String(one), reader.map.value(list, index)),
    );
  }
  return { ...args, ...values };
}

/** The arguments given as the value of the module, and the map that contains them. */
function ownArguments(
  reader: MapReader,
  { name, shorthand }: Module,
): { args: SourceObject; source: SourceObject | undefined } | undefined {
  const value = reader.value(name);
  if (isSourceObject(value)) return { args: value, source: value };
  if (value === null) return { args: {}, source: undefined };
  if (value !== undefined && shorthand !== undefined)
    return { args: { [shorthand]: value }, source: undefined };
  reader.problem(name, `Arguments of "${name}" must be a map.`);
  return undefined;
}

function placeOf(
  { path, key }: SchemaProblem,
  reader: MapReader,
  { name }: Module,
  { more, source }: { more: SourceObject; source: SourceObject | undefined },
): SourceRef | undefined {
  const top = key ?? path[0];
  if (top !== undefined && top in more) return reader.at('args');
  if (key !== undefined) return reader.map.key(source ?? reader.source, key);
  return top !== undefined && source ? reader.map.value(source, top) : reader.keyAt(name);
}

/**
 * Rule of an invalid argument. A mode that is a number lost its leading zero in YAML; quotes fix
 * it.
 */
function ruleOfArgument(
  name: string | undefined,
  unknown: string | undefined,
  args: SourceObject,
): Pick<Problem, 'rule' | 'fix'> {
  if (unknown !== undefined) return { rule: 'unknown-argument' };
  const value = args['mode'];
  if (name !== 'mode' || typeof value !== 'number') return { rule: 'wrong-type' };
  const digits = String(value);
  const octal = /^[0-7]{3}$/.test(digits);
  const fix = octal ? { fix: { from: `0${digits}`, to: `'0${digits}'` } } : {};
  return { rule: 'unquoted-mode', ...fix };
}
