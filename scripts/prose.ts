import { extname } from 'node:path';
import ts from 'typescript';
import { Parser, type CST } from 'yaml';

/**
 * A copy of a text that keeps only its prose. It has the same length, so positions are those of the text. Everything between two
 * pieces of prose is `apart`, code inside a piece is `hole`, and a line break inside a piece is a space.
 */
export type Prose = string;

const apart = '\0';
const hole = '\u0001';

type Language = (text: string) => Prose;

interface Range {
  start: number;
  end: number;
}

/** The prose of a file; `undefined` if the lint does not read files of this kind. */
export function proseOf(path: string, text: string): Prose | undefined {
  return languageOf(path)?.(text);
}

function languageOf(path: string): Language | undefined {
  if (/^src\/lab\/(stand-ins|real)\/\w+$|^\.ci\/run$/.test(path)) return shell;
  if (path.endsWith('.json')) return path.endsWith('package.json') ? yaml : undefined;
  return languages[extname(path).slice(1)];
}

const languages: Partial<Record<string, Language>> = {
  ts: typescript,
  js: typescript,
  mjs: typescript,
  yml: yaml,
  yaml,
  sh: shell,
  md: markdown,
};

/** Collects the prose of one text. */
class Page {
  private readonly text: string;
  private readonly characters: string[];

  constructor(text: string) {
    this.text = text;
    this.characters = Array.from({ length: text.length }, () => apart);
  }

  /** Takes over a range of the text. Code spans and `{{ … }}` are holes. */
  add({ start, end }: Range, newline = ' '): void {
    const piece = this.text
      .slice(start, end)
      .replace(/`[^`\n]+`|\{\{.*?\}\}/g, (code) => hole.repeat(code.length))
      .replace(/\n/g, newline)
      .replace(/[\t\r]/g, ' ');
    this.put(start, piece);
  }

  put(start: number, piece: string): void {
    for (let index = 0; index < piece.length; index++)
      this.characters[start + index] = piece.charAt(index);
  }

  fill({ start, end }: Range, character: string): void {
    this.put(start, character.repeat(end - start));
  }

  /** Adds comments of one line. Those on lines that follow each other are one piece. */
  addComments(ranges: readonly Range[], mark: '//' | '#'): void {
    let previous: Range | undefined;
    for (const { start, end } of [...ranges].sort((one, other) => one.start - other.start)) {
      const own = { start: start + mark.length, end };
      this.add(own);
      const between = previous && { start: previous.end, end: start };
      if (between && /^\n[ \t]*$/.test(this.text.slice(between.start, between.end)))
        this.fill({ start: between.start, end: own.start }, ' ');
      previous = { start, end };
    }
  }

  get prose(): Prose {
    return this.characters.join('');
  }
}

/** Comments, and strings and templates of several words: a single word is a name or a value. */
function typescript(text: string): Prose {
  const page = new Page(text);
  const file = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const comments = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) addString(page, node, file);
    else if (ts.isTemplateExpression(node)) addTemplate(page, node, file);
    const children = node.getChildren(file).filter((child) => !ts.isJSDoc(child));
    if (children.length === 0)
      for (const range of [
        ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
        ...(ts.getTrailingCommentRanges(text, node.end) ?? []),
      ])
        comments.set(range.pos, range);
    children.forEach(visit);
  };
  visit(file);
  const lines: Range[] = [];
  for (const { kind, pos: start, end } of comments.values())
    if (kind === ts.SyntaxKind.SingleLineCommentTrivia) lines.push({ start, end });
    else addBlock(page, text, { start, end });
  page.addComments(lines, '//');
  return page.prose;
}

function addString(page: Page, node: ts.StringLiteralLike, file: ts.SourceFile): void {
  const source = node.getText(file).slice(1, -1);
  if (/\s|\\n/.test(source)) page.put(node.getStart(file) + 1, unescaped(source));
}

function addTemplate(page: Page, node: ts.TemplateExpression, file: ts.SourceFile): void {
  page.fill({ start: node.getStart(file) + 1, end: node.end - 1 }, hole);
  for (const part of [node.head, ...node.templateSpans.map(({ literal }) => literal)]) {
    const source = part.getText(file).replace(/^[`}]|(\$\{|`)$/g, '');
    page.put(part.getStart(file) + 1, unescaped(source));
  }
}

/** Line breaks in strings separate pieces. */
function unescaped(source: string): string {
  return source
    .replace(/\\[nrt]/g, apart.repeat(2))
    .replace(/\s/g, (s) => (s === '\n' ? apart : ' '));
}

function addBlock(page: Page, text: string, { start, end }: Range): void {
  page.add({ start: start + 2, end: end - 2 });
  for (const { index, 0: margin } of text.slice(start, end).matchAll(/\n[ \t]*\*?/g)) {
    // An empty line, a list item or a tag begins a new piece.
    const begins = /^[ \t]*(\n|- |\d+\. |@)/.test(text.slice(start + index + margin.length, end));
    const from = start + index;
    page.fill({ start: from, end: from + margin.length }, begins ? apart : ' ');
  }
}

/** Comments, and values of several words; keys are names. */
function yaml(text: string): Prose {
  const page = new Page(text);
  const comments: Range[] = [];
  const visit = (value: unknown, key = false): void => {
    if (Array.isArray(value)) for (const each of value) visit(each);
    if (typeof value !== 'object' || value === null) return;
    if (isSource(value)) {
      const { type, source, offset: start } = value;
      const range = { start, end: start + source.length };
      if (type === 'comment') comments.push(range);
      else if (!key && type.endsWith('scalar') && source.includes(' '))
        addScalar(page, range, type);
    }
    for (const [name, part] of Object.entries(value)) visit(part, name === 'key');
  };
  visit([...new Parser().parse(text)]);
  page.addComments(comments, '#');
  return page.prose;
}

function isSource(value: object): value is CST.SourceToken | CST.FlowScalar {
  return 'type' in value && 'offset' in value && 'source' in value;
}

/** A block scalar can be a program, so its lines are separate pieces. */
function addScalar(page: Page, range: Range, type: string): void {
  page.add(range, type === 'block-scalar' ? apart : ' ');
}

/** Comments, strings of several words, and here-documents. */
function shell(text: string): Prose {
  const page = new Page(text);
  const comments: Range[] = [];
  for (const match of text.matchAll(shellTokens)) {
    const start = match.index;
    const end = start + match[0].length;
    const { comment, string, document } = match.groups ?? {};
    if (comment !== undefined) comments.push({ start: end - comment.length, end });
    else if (string?.includes(' ')) page.add({ start: start + 1, end: end - 1 }, apart);
    else if (document !== undefined) page.add({ start, end }, apart);
  }
  page.addComments(comments, '#');
  return page.prose;
}

const shellTokens =
  /\\[^]|<<-?[ \t]*(?<quote>['"]?)(?<mark>\w+)\k<quote>.*\n(?<document>[^]*?)\n[ \t]*\k<mark>(?=\n|$)|(?<string>'[^']*'|"(?:\\[^]|[^"\\])*")|(?<=^|\s)(?<comment>#.*)/gm;

/** All text except code, addresses of links and code blocks. A block in a supported language contributes its own prose. */
function markdown(text: string): Prose {
  const page = new Page(text);
  page.add({ start: 0, end: text.length });
  for (const { index, 0: found, groups } of text.matchAll(markdownParts)) {
    const range = { start: index, end: index + found.length };
    const { language, code } = groups ?? {};
    page.fill(range, apart);
    if (code === undefined || language === undefined) continue;
    const inner = languages[language]?.(code);
    if (inner !== undefined) page.put(index + found.indexOf(code), inner);
  }
  return page.prose;
}

/** Code blocks, addresses of links, separators of paragraphs, list items, headings and table cells. */
const markdownParts =
  /^(?<indent>[ \t]*)```(?<language>\w*).*\n(?<code>[^]*?)^\k<indent>```|\]\([^)\s]*\)|\n[ \t]*(?=\n|[-*#|] |\d+\. )|\|/gm;
