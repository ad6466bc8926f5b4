/** Lines and columns count from one. */
export interface Place {
  line: number;
  column: number;
}

/** A key, or the header of a table. */
export interface Entry extends Place {
  /** Dotted path, without the indexes of items in arrays of tables. */
  path: string;
  kind: 'key' | 'table' | 'item';
}

export interface Token extends Place {
  text: string;
}

/** Positions of keys and values in a TOML text. */
export interface Places {
  entries: Entry[];
  /** Values without quotes: numbers, dates, true and false. */
  bare: Token[];
}

const patterns = {
  skip: /(?:[ \t\r]|#[^\n]*)+/y,
  key: /"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s"'#=.[\]{},]+/y,
  string:
    /"""(?:\\[\s\S]|(?!""")[^\\])*"{3,5}|'''(?:(?!''')[\s\S])*'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'/y,
  bare: /[^\s"'#[\]{},=]+/y,
};

/**
 * Finds the positions of keys and values in a TOML text, which the parser does not return. It never fails, because it also
 * reads text that the parser has rejected.
 */
export function placesIn(text: string): Places {
  return new Scanner(text).run();
}

class Scanner {
  readonly #text: string;
  readonly #found: Places = { entries: [], bare: [] };
  #at = 0;
  #table = '';
  /** The line that begins at `#lineStart`. Positions are only requested in ascending order. */
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Places {
    while (this.#at < this.#text.length) {
      this.#take(patterns.skip);
      if (this.#char() === '[') this.#header();
      else if (this.#char() !== '\n') this.#assignment();
      this.#at += 1;
    }
    return this.#found;
  }

  #char(): string {
    return this.#text[this.#at] ?? '\n';
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #place(): Place {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#lineStart);
      if (end < 0 || end >= this.#at) break;
      this.#line += 1;
      this.#lineStart = end + 1;
    }
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #header(): void {
    const place = this.#place();
    const kind = this.#text.startsWith('[[', this.#at) ? 'item' : 'table';
    this.#at += kind === 'item' ? 2 : 1;
    const path = this.#path();
    this.#table = path;
    this.#found.entries.push({ path, kind, ...place });
    this.#endLine();
  }

  #assignment(): void {
    const place = this.#place();
    const name = this.#path();
    const path = this.#table === '' ? name : `${this.#table}.${name}`;
    if (name !== '') this.#found.entries.push({ path, kind: 'key', ...place });
    if (this.#char() === '=') this.#value();
    this.#endLine();
  }

  /** Reads a dotted key: `a."b c".d` becomes `a.b c.d`. */
  #path(): string {
    const parts: string[] = [];
    for (;;) {
      this.#take(patterns.skip);
      const part = this.#take(patterns.key);
      if (part !== undefined) parts.push(part.replace(/^(["'])(.*)\1$/, '$2'));
      this.#take(patterns.skip);
      if (part === undefined || this.#char() !== '.') return parts.join('.');
      this.#at += 1;
    }
  }

  /** Reads a value up to the end of the line, or to the closing bracket. */
  #value(): void {
    let depth = 0;
    for (this.#at += 1; this.#at < this.#text.length;) {
      this.#take(patterns.skip);
      const char = this.#char();
      if (char === '\n' && depth === 0) return;
      if (char === '[' || char === '{') depth += 1;
      if (char === ']' || char === '}') depth -= 1;
      const place = this.#place();
      const bare = this.#take(patterns.string) === undefined ? this.#take(patterns.bare) : '';
      if (bare === undefined) this.#at += 1;
      else if (bare !== '') this.#found.bare.push({ text: bare, ...place });
    }
  }

  #endLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }
}
