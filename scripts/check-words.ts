import type { Prose } from './prose.ts';
import { rules, type Rule } from './words.ts';

/** A banned word or phrase in a file. */
export interface Finding {
  path: string;
  /** Both count from 1. */
  line: number;
  column: number;
  phrase: string;
  use: string;
}

/** The allowed number of findings per file. It only decreases. */
export type Exceptions = Record<string, number>;

/** All findings in one file, in the order of the text. */
export function findings(path: string, prose: Prose, text: string): Finding[] {
  return rules
    .filter(({ paths }) => paths?.test(path) ?? true)
    .flatMap((rule) => matches(rule, prose).map((match) => ({ match, rule })))
    .sort((one, other) => one.match.index - other.match.index)
    .map(({ match, rule }) => {
      const before = text.slice(0, match.index).split('\n');
      return {
        path,
        line: before.length,
        column: (before.at(-1)?.length ?? 0) + 1,
        phrase: match[0].replace(/ +/g, ' '),
        use: rule.use,
      };
    });
}

function matches({ find, except }: Rule, prose: Prose): RegExpExecArray[] {
  const allowed = except ? [...prose.matchAll(everywhere(except))] : [];
  return [...prose.matchAll(wholeWords(find))].filter(
    ({ index, 0: { length } }) =>
      !allowed.some((each) => each.index < index + length && index < each.index + each[0].length),
  );
}

function wholeWords(pattern: RegExp): RegExp {
  return everywhere(new RegExp(`(?<![\\w-])(?:${pattern.source})(?![\\w-])`, pattern.flags));
}

/** In prose, a line break with indentation is a run of spaces. A phrase does not extend beyond its piece. */
function everywhere({ source, flags }: RegExp): RegExp {
  const spaces = source.replace(/ (?![*?+])/g, ' +').replaceAll('\\S', '[^\\s\\0]');
  return new RegExp(spaces, `${flags}g`);
}

/** The findings of files that exceed their allowed number. */
export function excess(found: readonly Finding[], allowed: Exceptions): Finding[] {
  const counts = countsOf(found);
  return found.filter(({ path }) => (counts[path] ?? 0) > (allowed[path] ?? 0));
}

/** The exceptions that are still needed. Nothing is added, and no count rises. */
export function lowered(found: readonly Finding[], allowed: Exceptions): Exceptions {
  const counts = countsOf(found);
  return Object.fromEntries(
    Object.entries(allowed).flatMap(([path, count]): [string, number][] => {
      const needed = Math.min(counts[path] ?? 0, count);
      return needed === 0 ? [] : [[path, needed]];
    }),
  );
}

function countsOf(found: readonly Finding[]): Exceptions {
  const counts: Exceptions = {};
  for (const { path } of found) counts[path] = (counts[path] ?? 0) + 1;
  return counts;
}
