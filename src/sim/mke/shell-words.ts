/** Words of a simple command; undefined for text that needs more of a shell than quotes. */
export function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    let word = '';
    for (;;) {
      const part =
        /^'([^']*)'/.exec(rest) ??
        /^"([^"$`\\]*)"/.exec(rest) ??
        /^\\(.)/.exec(rest) ??
        /^([^\s'"\\|&;<>()$`]+)/.exec(rest);
      if (!part) break;
      word += part[1] ?? '';
      rest = rest.slice(part[0].length);
    }
    if (rest !== '' && !/^\s/.test(rest)) return undefined;
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}

/** Parts of a pipeline. */
export function pipeline(text: string): string[] {
  const parts = [''];
  for (const [piece] of text.matchAll(/'[^']*'|"[^"]*"|\\.| \| |[^'"\\ ]+| /g)) {
    if (piece === ' | ') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts;
}

/**
 * Finds text again that the product has made, and what it has put in: each mark becomes a named group of the given expression. So
 * the model follows the text of the product, whatever it is.
 */
export function patternOf(text: string, marks: Readonly<Record<string, string>>): RegExp {
  const names = Object.keys(marks);
  const seen = new Set<string>();
  const source = text.split(new RegExp(`(${names.join('|')})`)).map((part) => {
    const group = marks[part];
    if (group === undefined) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    if (seen.has(part)) return String.raw`\k<${part}>`;
    seen.add(part);
    return `(?<${part}>${group})`;
  });
  return new RegExp(`^${source.join('')}$`);
}

/** Words of a pattern's group. */
export const WORDS = '[^\\n]*?';
