import ts from 'typescript';
import { dirname, join } from 'node:path';

/** Lines that a class or function may have. */
export const limits = { classes: 250, functions: 60 } as const;

/** What `npm run lint` found when the check was introduced. It can only become less. */
export interface Exceptions {
  /** Imports that are part of a cycle, as `FILE > FILE`. */
  cycles: string[];
  /** Lines by `FILE NAME`. */
  classes: Record<string, number>;
  functions: Record<string, number>;
}

/** Files and their texts, by path from the root of the repository. */
export type Sources = ReadonlyMap<string, string>;

/** All exceptions that the sources need. */
export function measure(sources: Sources): Exceptions {
  const sizes = { classes: {}, functions: {} };
  for (const [path, text] of sources) measureFile(path, text, sizes);
  return { cycles: cyclicImports(sources), ...sizes };
}

/** Imports that lead back to their own file. A type is imported like a value here, and so is what is imported later. */
export function cyclicImports(sources: Sources): string[] {
  const imports = new Map([...sources].map(([path, text]) => [path, importsOf(path, text)]));
  return [...imports]
    .flatMap(([from, targets]) => targets.map((to) => ({ from, to })))
    .filter(({ from, to }) => reachable(imports, to).has(from))
    .map(({ from, to }) => `${from} > ${to}`)
    .sort();
}

function importsOf(path: string, text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const relative = importedFiles.filter(({ fileName }) => fileName.startsWith('.'));
  return [...new Set(relative.map(({ fileName }) => join(dirname(path), fileName)))];
}

function reachable(imports: ReadonlyMap<string, string[]>, start: string): Set<string> {
  const seen = new Set([start]);
  // A set is walked in the order of insertion, including what is inserted on the way.
  for (const path of seen) for (const next of imports.get(path) ?? []) seen.add(next);
  return seen;
}

function measureFile(
  path: string,
  text: string,
  sizes: Pick<Exceptions, 'classes' | 'functions'>,
): void {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node, outer: readonly string[]): void => {
    const kind = kindOf(node);
    const names = kind === undefined ? outer : [...outer, nameOf(node)];
    if (kind !== undefined) {
      const lines = line(node.end) - line(node.getStart(file)) + 1;
      const key = `${path} ${names.join('.')}`;
      // Of several callbacks in one function, the longest counts.
      if (lines > limits[kind]) sizes[kind][key] = Math.max(lines, sizes[kind][key] ?? 0);
    }
    ts.forEachChild(node, (child) => {
      visit(child, names);
    });
  };
  visit(file, []);
}

function kindOf(node: ts.Node): keyof typeof limits | undefined {
  if (ts.isClassLike(node)) return 'classes';
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
    ? 'functions'
    : undefined;
}

function nameOf(node: ts.Node): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const named = node as ts.Node & { name?: ts.Node };
  if (named.name) return named.name.getText();
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent))
    return parent.name.getText();
  return 'callback';
}

/** Where the sources and the list of exceptions disagree, each with what helps. Empty when they agree. */
export function problems(found: Exceptions, allowed: Exceptions): string[] {
  const known = new Set(allowed.cycles);
  const needed = new Set(found.cycles);
  return [
    ...found.cycles
      .filter((edge) => !known.has(edge))
      .map((edge) => `Import cycle: ${edge}. Move what both files need into a third one.`),
    ...allowed.cycles
      .filter((edge) => !needed.has(edge))
      .map((edge) => `No longer part of a cycle: ${edge}. ${lower}`),
    ...sizeProblems(found.classes, allowed.classes, limits.classes),
    ...sizeProblems(found.functions, allowed.functions, limits.functions),
  ];
}

const lower = 'Run "npm run lint:structure -- --lower".';

function sizeProblems(
  found: Record<string, number>,
  allowed: Record<string, number>,
  limit: number,
): string[] {
  const keys = [...new Set([...Object.keys(found), ...Object.keys(allowed)])].sort();
  return keys.flatMap((key) => {
    const [lines, bound] = [found[key] ?? 0, allowed[key] ?? 0];
    if (lines > Math.max(bound, limit))
      return `Too long: ${key} has ${String(lines)} lines, at most ${String(Math.max(bound, limit))} are allowed. Split it by what it does.`;
    if (lines < bound)
      return lines === 0
        ? `No longer above ${String(limit)} lines, or renamed: ${key}. ${lower}`
        : `Shorter than its exception: ${key} has ${String(lines)} lines, not ${String(bound)}. ${lower}`;
    return [];
  });
}

/** The exceptions that are still needed. Nothing is added, and no bound rises. */
export function lowered(found: Exceptions, allowed: Exceptions): Exceptions {
  const sizes = (kind: 'classes' | 'functions') =>
    Object.fromEntries(
      Object.entries(allowed[kind]).flatMap(([key, bound]): [string, number][] => {
        const lines = found[kind][key];
        return lines === undefined ? [] : [[key, Math.min(lines, bound)]];
      }),
    );
  return {
    cycles: allowed.cycles.filter((edge) => found.cycles.includes(edge)),
    classes: sizes('classes'),
    functions: sizes('functions'),
  };
}
