import ts from 'typescript';
import { dirname, join } from 'node:path';

/** Maximum number of lines of a class or function. */
export const limits = { classes: 250, functions: 60 } as const;

/** Findings that are still allowed. They only decrease. */
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

/** Imports that lead back to their own file, type imports and dynamic imports included. */
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
  // The iteration over a set includes entries that are added during it.
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
      // The longest of several callbacks in one function is reported.
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

/** Differences between the sources and the exceptions, each with a hint. */
export function problems(found: Exceptions, allowed: Exceptions): string[] {
  const known = new Set(allowed.cycles);
  const needed = new Set(found.cycles);
  return [
    ...found.cycles
      .filter((edge) => !known.has(edge))
      .map((edge) => `Import cycle: ${edge}. Move the code that both files need into a third one.`),
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
