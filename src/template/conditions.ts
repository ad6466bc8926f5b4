import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import { isObject } from '../core/json.ts';
import { RunnerError, TemplateError } from '../core/errors.ts';
import type { Condition } from '../core/value.ts';
import { hostVariablesInCondition } from './host-variables.ts';
import { compareVersions } from './versions.ts';

/** Variables for evaluating a condition, such as a scope. */
export interface ConditionVariables {
  readonly variables: Record<string, unknown>;
}

interface ParsedCondition {
  /** Variables that the condition reads. */
  readonly roots: ReadonlySet<string>;
  /** Variables of other hosts that it reads, see `host-variables.ts`. */
  readonly hostVariables: ReadonlySet<string>;
  /** @throws TemplateError if a variable is not defined or the result is not a boolean */
  holds(values: ConditionVariables): boolean;
}

/** Hints for the syntax of Jinja conditions. */
const foreignWords: [RegExp, string][] = [
  [/\band\b/, 'Write "&&" instead of "and".'],
  [/\bor\b/, 'Write "||" instead of "or".'],
  [/\bnot\b/, 'Write "!" instead of "not".'],
  [/\bis\s+(not\s+)?defined\b/, 'Write "has(vars.name)" instead of "name is defined".'],
  [/\bis\s+\w+/, 'Write "failed(r)", "changed(r)", "skipped(r)" instead of "r is failed".'],
  [/\|/, 'Use functions instead of filters: "size(x)" instead of "x | length".'],
  [/\b(True|False)\b/, 'Write "true" and "false".'],
];

const translations: [RegExp, string][] = [
  [/\s+and\s+/g, ' && '],
  [/\s+or\s+/g, ' || '],
  [/\bTrue\b/g, 'true'],
  [/\bFalse\b/g, 'false'],
  [/(?<![\w.])([A-Za-z_]\w*)\s+is\s+defined\b/g, 'has(vars.$1)'],
  [/(?<![\w.])([A-Za-z_]\w*)\s+is\s+not\s+defined\b/g, '!has(vars.$1)'],
  [/(?<![\w.])([A-Za-z_]\w*)\s+is\s+(failed|changed|skipped)\b/g, '$2($1)'],
  [/(?<![\w.])([A-Za-z_]\w*)\s+is\s+not\s+(failed|changed|skipped)\b/g, '!$2($1)'],
  [/\b([A-Za-z_]\w*(?:\.\w+)*)\s*\|\s*length\b/g, 'size($1)'],
];

/**
 * Translates a Jinja condition to CEL. Undefined if the result does not parse or nothing changed.
 */
export function inCel(source: string): string | undefined {
  // Quoted strings are not translated.
  const parts = source.split(/("[^"]*"|'[^']*')/);
  const changed = parts.map((part, index) =>
    index % 2 === 1
      ? part
      : translations.reduce((text, [word, by]) => text.replace(word, by), part),
  );
  const better = changed.join('');
  try {
    environment.parse(better);
    return better === source ? undefined : better;
  } catch {
    return undefined;
  }
}

/** Maximum number of characters of an invalid text in a message. */
const SHOWN = 100;

const environment = createEnvironment();
/** Cache by text: the journal contains the same condition once for each change. */
const parsed = new Map<string, ParsedCondition>();

/**
 * Parses a condition in the Common Expression Language (CEL).
 * @throws TemplateError with the column if it does not parse
 */
export function parseCondition({ text }: Condition): ParsedCondition {
  const known = parsed.get(text);
  if (known) return known;
  const condition = compile(text);
  parsed.set(text, condition);
  return condition;
}

/** @throws TemplateError if a variable is not defined or the result is not a boolean */
export function holds(condition: Condition, values: ConditionVariables): boolean {
  return parseCondition(condition).holds(values);
}

/** Stops at the first condition that does not hold. @throws TemplateError as `holds` */
export function allHold(conditions: readonly Condition[], values: ConditionVariables): boolean {
  return conditions.every((condition) => holds(condition, values));
}

function compile(source: string): ParsedCondition {
  let program: ReturnType<Environment['parse']>;
  try {
    program = environment.parse(source);
  } catch (error) {
    const better = inCel(source);
    const hint = source.includes('{{')
      ? 'Remove the braces: a condition is already an expression.'
      : better !== undefined
        ? `Write it in CEL: ${better}`
        : foreignWords.find(([word]) => word.test(withoutStrings(source)))?.[1];
    throw new TemplateError(`Condition "${source}" does not parse: ${firstLine(error)}.`, { hint });
  }
  const roots = new Set<string>();
  collectRoots(program.ast, new Set(), roots);
  return {
    roots,
    hostVariables: hostVariablesInCondition(program.ast),
    holds({ variables }) {
      let value: unknown;
      try {
        value = program(variables);
      } catch (error) {
        if (error instanceof RunnerError) throw error;
        if (error instanceof Error && error.cause instanceof RunnerError) throw error.cause;
        throw new TemplateError(`Condition "${source}" failed: ${firstLine(error)}.`, {
          cause: error,
        });
      }
      if (typeof value === 'boolean') return value;
      throw new TemplateError(
        `Condition "${source}" is ${value === null ? 'null' : `a ${typeof value}`}, not true or false.`,
        { hint: 'Compare it with something, for example: x != "" or size(x) > 0.' },
      );
    },
  };
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? text).replace(/\.$/, '');
}

function withoutStrings(source: string): string {
  return source.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
}

/** Macros such as `list.exists(e, …)` bind their first argument. */
const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

function collectRoots(node: ASTNode, bound: ReadonlySet<string>, roots: Set<string>): void {
  if (node.op === 'id') {
    const name = node.args;
    if (!bound.has(name)) roots.add(name);
    return;
  }
  if (node.op === 'rcall') {
    const [name, target, args] = node.args;
    collectRoots(target, bound, roots);
    const variable = args[0];
    const inner =
      macros.has(name) && variable?.op === 'id' ? new Set([...bound, variable.args]) : bound;
    for (const argument of args) collectRoots(argument, inner, roots);
    return;
  }
  collectFrom(node.args, bound, roots);
}

function isNode(part: unknown): part is ASTNode {
  return isObject(part) && 'op' in part;
}

function collectFrom(part: unknown, bound: ReadonlySet<string>, roots: Set<string>): void {
  if (Array.isArray(part)) {
    for (const item of part) collectFrom(item, bound, roots);
  } else if (isNode(part)) {
    collectRoots(part, bound, roots);
  }
}

function createEnvironment(): Environment {
  const cel = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 5000, maxDepth: 100 },
  });
  // Numbers from YAML are CEL doubles, literals are CEL ints: allow arithmetic with both.
  const mixed: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  for (const [operator, apply] of Object.entries(mixed)) {
    const operate = (a: unknown, b: unknown) => apply(Number(a), Number(b));
    cel.registerOperator(`int ${operator} double`, operate);
    cel.registerOperator(`double ${operator} int`, operate);
  }
  const resultIs = (field: string) => (result: unknown) =>
    isObject(result) && result[field] === true;
  for (const field of ['failed', 'changed', 'skipped', 'unreachable']) {
    cel.registerFunction(`${field}(dyn): bool`, resultIs(field));
  }
  cel.registerFunction(
    'succeeded(dyn): bool',
    (result: unknown) =>
      isObject(result) && result['failed'] !== true && result['skipped'] !== true,
  );
  cel.registerFunction('version(string, string, string): bool', compareVersions);
  cel.registerFunction('from_json(string): dyn', (text: string): unknown => {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new TemplateError(
        `"from_json" received text that is not valid JSON: ${JSON.stringify(text.slice(0, SHOWN))}.`,
        { cause: error },
      );
    }
  });
  cel.registerFunction('lines(string): list', (text: string) =>
    text.split('\n').filter((line) => line !== ''),
  );
  return cel;
}
