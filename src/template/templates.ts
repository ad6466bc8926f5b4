import Handlebars from 'handlebars';
import { RunnerError, TemplateError } from '../core/errors.ts';
import { controllerHelpers, type Controller } from './controller-helpers.ts';
import { helpers } from './helpers.ts';
import { hostVariablesInTemplate } from './host-variables.ts';
import { expressionHint, jinjaIn } from './jinja.ts';
import { OMIT } from '../core/value.ts';
import { isThis, plainTemplate, type RenderPlain } from './plain.ts';

export interface ParsedTemplate {
  /** Variables that must be defined to render the template. */
  readonly roots: ReadonlySet<string>;
  /** Variables that can be undefined. */
  readonly optionalRoots: ReadonlySet<string>;
  /**
   * Calls of helpers that read the controller, with the first argument if it is a constant text.
   */
  readonly controllerCalls: readonly { helper: string; constant: string | undefined }[];
  /** Variables of other hosts that it reads, see `host-variables.ts`. */
  readonly hostVariables: ReadonlySet<string>;
  /**
   * Returns text, or the value itself if the template is a single expression.
   * @throws TemplateError if a variable is not defined
   */
  render(variables: object, controller?: Controller): unknown;
}

type Node = hbs.AST.Node;
type Expression = hbs.AST.Expression;

const blocks = new Set(['if', 'unless', 'each', 'with', 'lookup']);
/** Helpers whose first argument can be undefined. */
const lenient = new Set(['default', 'required']);

const handlebars = Handlebars.create();
handlebars.unregisterHelper('log');
handlebars.unregisterHelper('helperMissing');
handlebars.unregisterHelper('blockHelperMissing');
/**
 * Helpers that are not registered: each template gets those that it calls, since Handlebars wraps
 * every helper again for each rendering.
 */
const callable = new Map<string, Handlebars.HelperDelegate>();
for (const [name, helper] of Object.entries(helpers)) {
  // Handlebars appends its options; ours take values only.
  callable.set(name, function (...args: unknown[]) {
    return helper(...args.slice(0, -1));
  });
}
for (const [name, helper] of Object.entries(controllerHelpers)) {
  callable.set(name, function (...args: unknown[]) {
    const { data } = args.at(-1) as { data: { controller?: Controller } };
    const { controller } = data;
    if (controller) return helper(controller, ...args.slice(0, -1));
    throw new TemplateError(`Helper "${name}" reads the controller and cannot be used here.`, {
      hint: 'Use a variable of the play instead. Its value is recorded with the step for the undo.',
    });
  });
}
callable.set('__value', function (value: unknown, options: Handlebars.HelperOptions) {
  (options.data as { sink: Sink }).sink.value = value;
  return '';
});
callable.set('__maybe', function (this: unknown, path: string) {
  return lookUp(this, path.split('\u0000'));
});
callable.set('__defined', checked);
callable.set('__text', function (value: unknown, options: Handlebars.HelperOptions) {
  return textOf(value, (options.data as { sink: Sink }).sink);
});

/** Helpers that the rewriting of a template puts into it. */
const own = [...callable.keys()].filter((name) => name.startsWith('__'));

/** Results of a template besides its text. */
interface Sink {
  /** The value of a template that is a single expression. */
  value: unknown;
  /** The template contains `omit`. */
  omits: boolean;
}

function checked(value: unknown, name: string): unknown {
  if (value === undefined) throw new MissingName(name);
  return value;
}

function textOf(value: unknown, sink: Sink): unknown {
  if (value === null || value === undefined) return '';
  if (value === OMIT) {
    sink.omits = true;
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

class MissingName extends Error {}
class UnknownHelper extends TemplateError {}

const compiled = new Map<string, ParsedTemplate>();

/** @throws TemplateError if the text does not parse or calls an unknown helper */
export function parseTemplate(source: string): ParsedTemplate {
  const known = compiled.get(source);
  if (known) return known;
  const template = compile(source);
  compiled.set(source, template);
  return template;
}

function compile(source: string): ParsedTemplate {
  let program: hbs.AST.Program;
  try {
    program = handlebars.parse(source);
  } catch (error) {
    throw new TemplateError(`Template does not parse: ${parseMessage(error)}`, {
      hint: expressionHint(source),
    });
  }
  const jinja = jinjaIn(source);
  if (jinja !== undefined) throw jinjaError(jinja);
  const names: Names = {
    required: new Set(),
    optional: new Set(),
    controllerCalls: [],
    helpers: new Set(own),
  };
  const single = singleExpression(program);
  const plain = plainTemplate(program);
  const hostVariables = hostVariablesInTemplate(program);
  try {
    rewriteProgram(program, names, 0);
  } catch (error) {
    // {{ "a" if x else "b" }} parses as a call of a helper.
    const hint = expressionHint(source);
    if (!(error instanceof UnknownHelper) || hint === undefined) throw error;
    throw new TemplateError(error.message, { hint });
  }
  const run = plain ? plainRun(plain, single !== undefined) : compiledRun(program, single, names);
  return {
    roots: names.required,
    optionalRoots: names.optional,
    controllerCalls: names.controllerCalls,
    hostVariables,
    render(variables, controller) {
      const sink: Sink = { value: undefined, omits: false };
      try {
        const text = run(variables, sink, controller);
        if (single) return sink.value;
        if (!sink.omits) return text;
        if (text.trim() === '') return OMIT;
        throw new TemplateError('"omit" omits a whole argument and cannot be part of a text.');
      } catch (error) {
        throw templateError(source, error);
      }
    },
  };
}

/** Returns the text, or sets the value of the sink if the template is a single expression. */
type Run = (variables: object, sink: Sink, controller: Controller | undefined) => string;

function plainRun(render: RenderPlain, isSingle: boolean): Run {
  return (variables, sink) => {
    const result = render(variables, checked, (value) => textOf(value, sink));
    if (!isSingle) return result as string;
    sink.value = result;
    return '';
  };
}

/** The program must be rewritten. */
function compiledRun(
  program: hbs.AST.Program,
  single: hbs.AST.MustacheStatement | undefined,
  names: Names,
): Run {
  if (single) single.path = path('__value');
  // The tree was parsed from text above, so it contains no objects from a playbook.
  const run = handlebars.compile(program, {
    noEscape: true,
    knownHelpers: Object.fromEntries([...names.helpers].map((name) => [name, true])),
  });
  const called = Object.fromEntries(
    [...names.helpers].flatMap((name) => {
      const helper = callable.get(name);
      return helper ? [[name, helper]] : [];
    }),
  );
  return (variables, sink, controller) =>
    run(variables, { data: { sink, controller }, helpers: called });
}

function templateError(source: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  if (error instanceof MissingName) {
    const gathered = message.includes('ansible_facts')
      ? 'If the facts of that host were not gathered, add "gather_facts: true" to a play on it. '
      : '';
    return new TemplateError(`"${message}" is not defined in template "${shown}".`, {
      hint: `${gathered}Define it, or add a fallback: {{default ${message} "…"}}.`,
    });
  }
  return new TemplateError(`Template "${shown}" failed: ${message}`, { cause: error });
}

/** The error for Jinja syntax, which would otherwise stay in the rendered text. */
export function jinjaError(found: string): TemplateError {
  return new TemplateError(`Template contains Jinja syntax: "${found}".`, {
    hint: found.startsWith('{#')
      ? 'Write comments as {{!-- comment --}}.'
      : 'Use {{#if}}…{{else}}…{{/if}} and {{#each}}…{{/each}}. To keep the text as it is, quote it: {{"{% … %}"}}.',
  });
}

/** The message of the parser without its list of expected tokens. */
function parseMessage(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  return lines
    .filter((line) => !/^-*\^$/.test(line.trim()) && !line.startsWith('Expecting '))
    .join(' ')
    .trim()
    .slice(0, 200);
}

/** The expression of a template that contains nothing else. */
function singleExpression(program: hbs.AST.Program): hbs.AST.MustacheStatement | undefined {
  const only = program.body.length === 1 ? program.body[0] : undefined;
  return only?.type === 'MustacheStatement' ? (only as hbs.AST.MustacheStatement) : undefined;
}

interface Names {
  required: Set<string>;
  optional: Set<string>;
  /** Helpers that the template calls. */
  helpers: Set<string>;
  controllerCalls: { helper: string; constant: string | undefined }[];
}

/**
 * The strict mode of Handlebars ignores undefined names in arguments of blocks and helpers.
 * Therefore, each name is replaced with a lookup that throws, unless the helper accepts an
 * undefined argument.
 */
function rewriteProgram(program: hbs.AST.Program | undefined, names: Names, depth: number): void {
  for (const statement of program?.body ?? []) rewriteStatement(statement, names, depth);
}

function rewriteStatement(statement: Node, names: Names, depth: number): void {
  if (statement.type === 'MustacheStatement') {
    const mustache = statement as hbs.AST.MustacheStatement;
    const value = isCall(mustache)
      ? asExpression(mustache, names, depth)
      : defined(mustache.path, names, depth);
    mustache.path = path('__text');
    mustache.params = [value];
    mustache.hash = undefined as unknown as hbs.AST.Hash;
  } else if (statement.type === 'BlockStatement') {
    const block = statement as hbs.AST.BlockStatement;
    rewriteCall(block, names, depth);
    const changesContext = ['each', 'with'].includes(block.path.original);
    rewriteProgram(block.program, names, changesContext ? depth + 1 : depth);
    rewriteProgram(block.inverse, names, depth);
  } else if (statement.type.startsWith('Partial')) {
    throw new TemplateError('Partials such as {{> name}} can be used only in template files.');
  }
}

interface Call {
  path: hbs.AST.PathExpression | hbs.AST.Literal;
  params: Expression[];
}

/** A name without arguments is always a variable, even if a helper has the same name. */
function isCall(mustache: hbs.AST.MustacheStatement): boolean {
  return mustache.params.length > 0;
}

function asExpression(
  mustache: hbs.AST.MustacheStatement,
  names: Names,
  depth: number,
): Expression {
  rewriteCall(mustache, names, depth);
  return {
    type: 'SubExpression',
    path: mustache.path as hbs.AST.PathExpression,
    params: mustache.params,
    hash: mustache.hash,
    loc: mustache.loc,
  } as hbs.AST.SubExpression;
}

function rewriteCall(called: Call, names: Names, depth: number): void {
  const name = isPath(called.path) ? called.path.original : '';
  names.helpers.add(name);
  const [first] = called.params;
  const constant =
    first?.type === 'StringLiteral' ? (first as hbs.AST.StringLiteral).value : undefined;
  if (Object.hasOwn(controllerHelpers, name)) {
    names.controllerCalls.push({ helper: name, constant });
  } else if (name === 'lookup' && constant !== undefined) {
    throw new TemplateError(`"lookup" reads a value of a map or list, not of "${constant}".`, {
      hint: 'Use {{env "NAME"}} or {{file "NAME"}} to read the controller.',
    });
  } else if (!Object.hasOwn(helpers, name) && !blocks.has(name)) {
    throw new UnknownHelper(`Unknown helper "${name}".`, {
      hint: 'List the helpers with: runner doc helpers.',
    });
  }
  called.params = called.params.map((param, index) => {
    if (param.type === 'SubExpression') {
      rewriteCall(param as hbs.AST.SubExpression, names, depth);
      return param;
    }
    if (index === 0 && lenient.has(name) && isPath(param) && !param.data && param.depth === 0) {
      if (param.parts[0] !== undefined) names.optional.add(param.parts[0]);
      return call('__maybe', [text(param.parts.join('\u0000'))]);
    }
    return defined(param, names, depth);
  });
}

/**
 * Replaces a name with a lookup that throws if it is undefined. Does not change literals, `this`
 * and loop data.
 */
function defined(expression: Expression, names: Names, depth: number): Expression {
  if (!isPath(expression) || isThis(expression.original)) return expression;
  if (expression.data) {
    const [root, name] = expression.parts;
    if (root === 'root' && name !== undefined) names.optional.add(name);
    return expression;
  }
  const root = expression.parts[0];
  if (root !== undefined && expression.depth === depth) names.required.add(root);
  return call('__defined', [expression, text(expression.original)]);
}

function isPath(expression: Expression): expression is hbs.AST.PathExpression {
  return expression.type === 'PathExpression';
}

const loc = { start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

function path(name: string): hbs.AST.PathExpression {
  return {
    type: 'PathExpression',
    data: false,
    depth: 0,
    parts: [name],
    original: name,
    loc,
  } as unknown as hbs.AST.PathExpression;
}

function text(value: string): Expression {
  return { type: 'StringLiteral', value, original: value, loc } as unknown as Expression;
}

function call(helper: string, params: Expression[]): Expression {
  return { type: 'SubExpression', path: path(helper), params, loc } as unknown as Expression;
}

/** Reads own properties only, never the prototype. */
function lookUp(value: unknown, [part, ...rest]: string[]): unknown {
  if (part === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return lookUp((value as Record<string, unknown>)[part], rest);
}
