/** Quotes text for a shell command. No other code does this. */
export function quote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function quoteAll(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** The words of a text as a POSIX shell splits them, without expansion; undefined for an unclosed quote. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)/y;
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (!match) return undefined;
    at = part.lastIndex;
    const [, single, double, escaped, plain] = match;
    const piece =
      single ?? double?.replaceAll(/\\(["\\$`\n])/g, (_, one: string) => one) ?? escaped ?? plain;
    if (piece === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${piece}`;
  }
  return word === undefined ? words : [...words, word];
}

/**
 * Shell function `mounts_below DIRECTORY [BEFORE [SELF]]`: prints each mount point below DIRECTORY on its own line, prefixed with BEFORE. With SELF, it includes DIRECTORY itself. Mounted files do not belong to the directory.
 */
export const MOUNTS_BELOW = `mounts_below() {
  rw=$1
  if [ -d "$1" ] && [ ! -L "$1" ]; then rw=$(cd "$1" && pwd -P) || return 1; fi
  rw=$rw before=\${2-} self=\${3-} awk '{
    point = $5
    gsub(/\\\\040/, " ", point); gsub(/\\\\011/, "\\t", point); gsub(/\\\\134/, "\\\\", point)
    if (index(point, ENVIRON["rw"] "/") == 1 || (ENVIRON["self"] != "" && point == ENVIRON["rw"])) print ENVIRON["before"] point
  }' /proc/self/mountinfo
}`;
