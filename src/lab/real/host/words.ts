// Parses a command line like the command line library of k0s and kubectl.

/** Ends the program like the originals: with a line on standard error and code 1. */
export function stop(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

export interface FlagTable {
  booleans: readonly string[];
  values: readonly string[];
}

/** @param hint text printed after "unknown flag" */
export function parseFlags(
  words: readonly string[],
  { booleans, values }: FlagTable,
  short: Readonly<Record<string, string>>,
  hint = '',
): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, letter, long, value] = /^(?:-([a-zA-Z])|--([^=]+)(?:=(.*))?)$/s.exec(word) ?? [];
    const name = letter === undefined ? long : (short[letter] ?? letter);
    if (name === undefined) rest.push(word);
    else if (booleans.includes(name)) flags.set(name, value ?? 'true');
    else if (!values.includes(name))
      stop(
        letter === undefined
          ? `Error: unknown flag: --${name}${hint}`
          : `Error: unknown shorthand flag: '${letter}' in -${letter}${hint}`,
      );
    else if (value !== undefined) flags.set(name, value);
    else {
      const next = words[++index];
      if (next === undefined) stop(`Error: flag needs an argument: ${word}`);
      flags.set(name, next);
    }
  }
  return { flags, rest };
}
