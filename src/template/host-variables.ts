import type { ASTNode } from '@marcbachmann/cel-js';
import { isObject } from '../core/json.ts';

/**
 * Finds the variables of other hosts that an expression reads through `hostvars`, so that the record of an undo contains
 * these and not all variables of all hosts, whose size grows with the square of their number.
 */

/** Stands for all variables of all hosts. */
export const ALL = '*';

const ROOT = 'hostvars';

/** Such as "name" of `{{hostvars.web.name}}` and `{{get (get hostvars item) "name"}}`. */
export function hostVariablesInTemplate(program: hbs.AST.Program): Set<string> {
  const found = new Set<string>();
  visitTemplate(program, found);
  return found;
}

type Node = hbs.AST.Node;

function visitTemplate(part: unknown, found: Set<string>): void {
  if (Array.isArray(part)) {
    for (const one of part) visitTemplate(one, found);
    return;
  }
  if (!isTemplateNode(part)) return;
  const read = readByTemplate(part);
  if (read === undefined) {
    for (const inner of Object.values(part)) visitTemplate(inner, found);
    return;
  }
  const [host, name, ...more] = read;
  found.add(typeof name === 'string' ? name : ALL);
  visitTemplate([host, name, ...more], found);
}

function isTemplateNode(part: unknown): part is Node {
  return isObject(part) && typeof part['type'] === 'string';
}

/** The keys that a path or a call of `get` reads below `hostvars`. Constant keys are texts, others expressions. */
function readByTemplate(node: Node): (string | Node)[] | undefined {
  if (node.type === 'PathExpression') {
    const { data, parts } = node as hbs.AST.PathExpression;
    const [root, ...keys] = data && parts[0] === 'root' ? parts.slice(1) : parts;
    return root === ROOT ? keys : undefined;
  }
  const { path, params } = node as Partial<hbs.AST.SubExpression>;
  if (path?.type !== 'PathExpression' || path.original !== 'get' || !params) return undefined;
  const [from, ...keys] = params;
  const outer = from && readByTemplate(from);
  return outer && [...outer, ...keys.map(constantOf)];
}

function constantOf(node: Node): string | Node {
  return node.type === 'StringLiteral' ? (node as hbs.AST.StringLiteral).value : node;
}

/** Such as "name" of `hostvars[item].name`. */
export function hostVariablesInCondition(ast: ASTNode): Set<string> {
  const found = new Set<string>();
  visitCondition(ast, found);
  return found;
}

function visitCondition(part: unknown, found: Set<string>): void {
  if (Array.isArray(part)) {
    for (const one of part) visitCondition(one, found);
    return;
  }
  if (!isConditionNode(part)) return;
  if (isRoot(part)) {
    found.add(ALL);
    return;
  }
  const [host, name] = accessOf(part) ?? [];
  const [root, key] = accessOf(host) ?? [];
  if (isRoot(root)) {
    found.add(typeof name === 'string' ? name : ALL);
    visitCondition([key, name], found);
    return;
  }
  visitCondition(part.args, found);
}

function isConditionNode(part: unknown): part is ASTNode {
  return isObject(part) && typeof part['op'] === 'string';
}

/** The target and the key of `target.key` and `target[key]`. A constant key is a text. */
function accessOf(part: unknown): [target: unknown, key: unknown] | undefined {
  if (!isObject(part) || (part['op'] !== '.' && part['op'] !== '[]')) return undefined;
  const [target, key] = part['args'] as [unknown, unknown];
  const isConstant = isObject(key) && key['op'] === 'value' && typeof key['args'] === 'string';
  return [target, isConstant ? key['args'] : key];
}

function isRoot(part: unknown): boolean {
  return isObject(part) && part['op'] === 'id' && part['args'] === ROOT;
}
