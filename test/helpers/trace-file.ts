import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { structuredPatch } from 'diff';
import { packageRoot } from '../../src/util/package.ts';
import { plural } from '../../src/util/text.ts';

const heading = '=== ';
const notice = '# Written by "npm run traces"; see docs/contributing.md.';

/** Maximum number of lines that a failed comparison shows. */
const SHOWN = 30;

/** The committed traces of a group of cases: a section for each case. `UPDATE_TRACES=1` rewrites them. */
export class TraceFile {
  readonly #path: string;
  readonly #updates: boolean;
  readonly #committed: ReadonlyMap<string, readonly string[]>;
  readonly #cases = new Set<string>();
  readonly #found = new Map<string, readonly string[]>();

  constructor(
    name: string,
    {
      directory = join(packageRoot(), 'test', 'traces'),
      updates = process.env['UPDATE_TRACES'] === '1',
    } = {},
  ) {
    this.#path = join(directory, `${name}.txt`);
    this.#updates = updates;
    this.#committed = existsSync(this.#path)
      ? readSections(readFileSync(this.#path, 'utf8'))
      : new Map();
  }

  /** Registers a case before any of them runs, so that sections of removed cases are detected. */
  add(title: string): void {
    if (this.#cases.has(title)) throw new Error(`Two cases have the title "${title}".`);
    this.#cases.add(title);
  }

  /** @throws Error with the first lines that differ from the committed trace */
  compare(title: string, lines: readonly string[]): void {
    this.#found.set(title, lines);
    if (this.#updates) return;
    const file = relative(packageRoot(), this.#path);
    const help = 'If the change is intended, run "npm run traces" and review the diff.';
    const committed = this.#committed.get(title);
    if (!committed) throw new Error(`${file} has no trace of "${title}". ${help}`);
    const difference = firstDifference(committed, lines);
    if (difference === undefined) return;
    throw new Error(`The trace of "${title}" differs from ${file}:\n${difference}\n${help}`);
  }

  /** Sections whose case was removed or renamed. */
  leftOver(): string[] {
    return this.#updates
      ? []
      : [...this.#committed.keys()].filter((title) => !this.#cases.has(title));
  }

  /** With `UPDATE_TRACES=1`, writes the traces of the cases that ran; cases that did not run keep theirs. */
  save(): void {
    if (!this.#updates) return;
    const sections = [...this.#cases].flatMap((title) => {
      const lines = this.#found.get(title) ?? this.#committed.get(title);
      return lines ? [`${heading}${title}`, ...lines, ''] : [];
    });
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, [notice, '', ...sections].join('\n'));
  }
}

function readSections(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith(heading)) {
      lines = [];
      sections.set(line.slice(heading.length), lines);
    } else if (line !== '') lines.push(line);
  }
  return sections;
}

function firstDifference(wanted: readonly string[], found: readonly string[]): string | undefined {
  const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
  const { hunks } = structuredPatch('', '', text(wanted), text(found), '', '', { context: 2 });
  const [first] = hunks;
  if (!first) return undefined;
  const at = first.lines.findIndex((line) => !line.startsWith(' '));
  const differing = hunks.flatMap(({ lines }) => lines.filter((line) => !line.startsWith(' ')));
  return [
    `first at line ${String(first.oldStart + at)} of its section, ${plural(differing.length, 'line')} removed (-) or added (+) in all`,
    ...first.lines.slice(0, SHOWN),
  ].join('\n');
}
