import Handlebars from 'handlebars';
import { RunnerError, TemplateError } from '../core/errors.ts';
import { controllerHelpers, type Controller } from './controller-helpers.ts';
import { helpers } from './helpers.ts';
import { expressionHere, jinjaIn } from './jinja.ts';
import { OMIT } from '../core/value.ts';

export interface ParsedTemplate {
  /** Names of variables that must exist for the template to render. */
  readonly roots: ReadonlySet<string>;
  /** Names it reads when they exist. */
  readonly optionalRoots: ReadonlySet<string>;
  /** Helpers it calls that read the controller, with the text they are given first where it is constant. */
  readonly asks: readonly { helper: string; constant: string | undefined }[];
  /**
   * Text, or the value itself when the template is one expression and nothing else.
   * @throws TemplateError when a name is missing.
   */
  render(variables: object, controller?: Controller): unknown;
}

type Node = hbs.AST.Node;
type Expression = hbs.AST.Expression;

const blocks = new Set(['if', 'unless', 'each', 'with', 'lookup']);
/** Helpers that look at whether a value is there, so a missing name must reach them. */
const lenient = new Set(['default', 'required']);

const handlebars = Handlebars.create();
handlebars.unregisterHelper('log');
handlebars.unregisterHelper('helperMissing');
handlebars.unregisterHelper('blockHelperMissing');
/**
 * Helpers that are not registered: each template gets those that it calls, since Handlebars wraps every helper again for
 * each rendering.
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
    throw new TemplateError(`Helper "${name}" reads the controller, which cannot be done here.`, {
      hint: 'Put it in a variable of the play: what an undo needs is recorded with the step.',
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
callable.set('__defined', function (value: unknown, name: string) {
  if (value === undefined) throw new MissingName(name);
  return value;
});
callable.set('__text', function (value: unknown, options: Handlebars.HelperOptions) {
  if (value === null || value === undefined) return '';
  if (value === OMIT) {
    (options.data as { sink: Sink }).sink.omits = true;
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : value;
});

/** Helpers that the rewriting of a template puts into it. */
const own = [...callable.keys()].filter((name) => name.startsWith('__'));

/** What a template gives besides its text. */
interface Sink {
  /** The value of a template that is one expression. */
  value: unknown;
  /** It has `omit` in its text. */
  omits: boolean;
}

class MissingName extends Error {}
class UnknownHelper extends TemplateError {}

const compiled = new Map<string, ParsedTemplate>();

/** @throws TemplateError when the text does not parse or calls an unknown helper. */
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
      hint: expressionHere(source),
    });
  }
  const jinja = jinjaIn(source);
  if (jinja !== undefined) throw jinjaError(jinja);
  const names: Names = {
    required: new Set(),
    optional: new Set(),
    asks: [],
    helpers: new Set(own),
  };
  const single = singleExpression(program);
  try {
    rewriteProgram(program, names, 0);
  } catch (error) {
    // Such as {{ "a" if x else "b" }}, which reads as a call.
    const hint = expressionHere(source);
    if (!(error instanceof UnknownHelper) || hint === undefined) throw error;
    throw new TemplateError(error.message, { hint });
  }
  if (single) {
    single.path = path('__value');
  }
  // Our own tree, made from text: objects of a playbook never get here.
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
  return {
    roots: names.required,
    optionalRoots: names.optional,
    asks: names.asks,
    render(variables, controller) {
      const sink: Sink = { value: undefined, omits: false };
      try {
        const text = run(variables, { data: { sink, controller }, helpers: called });
        if (single) return sink.value;
        if (!sink.omits) return text;
        if (text.trim() === '') return OMIT;
        throw new TemplateError('"omit" leaves out a whole argument. It cannot be part of a text.');
      } catch (error) {
        throw templateError(source, error);
      }
    },
  };
}

function templateError(source: string, error: unknown): RunnerError {
  if (error instanceof RunnerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  if (error instanceof MissingName) {
    const gathered = message.includes('ansible_facts')
      ? 'If the facts of that host were not gathered, in this run or an earlier one: let a play on it say "gather_facts: true". '
      : '';
    return new TemplateError(`"${message}" is not defined in template "${shown}".`, {
      hint: `${gathered}Define it, or give a fallback: {{default ${message} "…"}}.`,
    });
  }
  return new TemplateError(`Template "${shown}" failed: ${message}`, { cause: error });
}

/** Text of another language would be left standing in what is written. */
export function jinjaError(found: string): TemplateError {
  return new TemplateError(`Template has "${found}", which means nothing here.`, {
    hint: found.startsWith('{#')
      ? 'A comment is {{!-- this --}}.'
      : 'Use {{#if}}…{{else}}…{{/if}} and {{#each}}…{{/each}}. If it is meant as it stands, quote it: {{"{% … %}"}}.',
  });
}

/** Without the list of what the parser would have taken instead. */
function parseMessage(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  return lines
    .filter((line) => !/^-*\^$/.test(line.trim()) && !line.startsWith('Expecting '))
    .join(' ')
    .trim()
    .slice(0, 200);
}

/** The one mustache of a template that has nothing else in it. */
function singleExpression(program: hbs.AST.Program): hbs.AST.MustacheStatement | undefined {
  const only = program.body.length === 1 ? program.body[0] : undefined;
  return only?.type === 'MustacheStatement' ? (only as hbs.AST.MustacheStatement) : undefined;
}

interface Names {
  required: Set<string>;
  optional: Set<string>;
  asks: { helper: string; constant: string | undefined }[];
  /** Helpers it calls. */
  helpers: Set<string>;
}

/**
 * Handlebars' strict mode leaves holes: names given to blocks and to helpers may be missing in silence. Here each
 * name becomes a look-up that throws, unless the helper is one that asks whether it is there.
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
    throw new TemplateError('Partials are for template files: {{> name}} takes one beside them.');
  }
}

interface Call {
  path: hbs.AST.PathExpression | hbs.AST.Literal;
  params: Expression[];
}

/** A bare name is always a variable, even where a helper has the same name. */
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
    names.asks.push({ helper: name, constant });
  } else if (name === 'lookup' && constant !== undefined) {
    throw new TemplateError(`"lookup" finds a value in a map or list, not in "${constant}".`, {
      hint: 'Read the controller with {{env "NAME"}} and {{file "NAME"}}.',
    });
  } else if (!Object.hasOwn(helpers, name) && !blocks.has(name)) {
    throw new UnknownHelper(`Unknown helper "${name}".`, {
      hint: 'List them with: runner doc helpers.',
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

/** A name as a look-up that throws when it is missing. Literals, `this` and loop data stay as they are. */
function defined(expression: Expression, names: Names, depth: number): Expression {
  if (!isPath(expression) || expression.data || expression.original.startsWith('this'))
    return expression;
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

/** Own properties only, so that nothing of the prototype is reached. */
function lookUp(value: unknown, [part, ...rest]: string[]): unknown {
  if (part === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return lookUp((value as Record<string, unknown>)[part], rest);
}
