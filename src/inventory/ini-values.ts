import { parseDocument, visit } from 'yaml';
import type { JsonValue } from '../core/json.ts';
import type { Source } from '../core/value.ts';
import { readTexts } from '../template/read-text.ts';

/**
 * Splits the line of a host into words by the rules of Python's shlex, as Ansible does: quotes
 * anywhere in a word, a backslash before any character, a comment after `#`. Returns a message if
 * the line is invalid.
 */
export function iniWords(line: string): string[] | string {
  const words: string[] = [];
  const part = /(\s+)|(#)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\#]+)/y;
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    part.lastIndex = at;
    const match = part.exec(line);
    if (!match) return 'A quote is not closed.';
    at = part.lastIndex;
    const [, space, comment, single, double, escaped, plain] = match;
    if (comment !== undefined) {
      if (word === undefined) break;
      return `"${word}#": in Ansible, "#" starts a comment. Add a space before it, or quote the value.`;
    }
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const inner = double?.replaceAll(/\\(["\\])/g, (_, one: string) => one);
    word = `${word ?? ''}${single ?? inner ?? escaped ?? plain ?? ''}`;
  }
  return word === undefined ? words : [...words, word];
}

/**
 * Converts a value of an INI inventory. As in Ansible, Python literals are converted, without a
 * comment after them, and everything else is text, including a comment. `true`, `false` and `null`
 * are converted, too, as in YAML.
 */
export function iniValue(text: string): Source {
  for (let end = text.length; end !== -1; end = text.lastIndexOf('#', end - 1)) {
    const value = literal(text.slice(0, end).trim());
    if (value !== undefined) return readTexts(value);
    if (end === 0) break;
  }
  return readTexts(text);
}

const words: Readonly<Record<string, JsonValue>> = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  null: null,
};
const NUMBER =
  /^[-+]?(?:0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|(?:0|[1-9][\d_]*)(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)$/;

/** Undefined if the text is not a literal, such as `0644` and `{{ name }}`. */
function literal(text: string): JsonValue | undefined {
  if (Object.hasOwn(words, text)) return words[text];
  if (NUMBER.test(text)) {
    const sign = text.startsWith('-') ? -1 : 1;
    const number = sign * Number(text.replaceAll('_', '').replace(/^[-+]/, ''));
    // Larger numbers would lose digits.
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? undefined : number;
  }
  if (/^('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")$/.test(text)) return unescaped(text.slice(1, -1));
  return /^(\[.*\]|\{(?![{%]).*\})$/.test(text) ? collection(text) : undefined;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const unescaped = (text: string): string =>
  text.replaceAll(/\\([\\'"ntr])/g, (_, one: string) => escapes[one] ?? one);

/** Parses a list or map with quoted strings, as in JSON and Python. */
function collection(text: string): JsonValue | undefined {
  const document = parseDocument(text.replaceAll(/\bNone\b/g, 'null'), { logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  const bare: string[] = [];
  visit(document, {
    Scalar: (_, { type, value }) => {
      if (type === 'PLAIN' && typeof value === 'string') bare.push(value);
    },
  });
  return bare.length === 0 ? (document.toJS() as JsonValue) : undefined;
}
