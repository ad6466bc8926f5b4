/** Words of a simple command; undefined for text with shell syntax other than quotes. */
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

/** Commands of a pipeline. */
export function pipeline(text: string): string[] {
  const parts = [''];
  for (const [piece] of text.matchAll(/'[^']*'|"[^"]*"|\\.| \| |[^'"\\ ]+| /g)) {
    if (piece === ' | ') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts;
}

/**
 * A pattern that matches scripts of runner and captures their variable parts: each mark becomes a
 * named group with the given expression. So the model stays in sync with the scripts.
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

/** Expression for a group of words. */
export const WORDS = '[^\\n]*?';
