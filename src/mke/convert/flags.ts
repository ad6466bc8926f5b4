export interface FlagProblem {
  flag: string;
  reason: string;
}

/** Flags whose value is the path of a file in an MKE 3 container. */
const pathFlags = /(-file|-config|-dir|-path|-cert|-key|-ca)$/;

/** Flags with a list as value, which can be repeated. */
const listFlags = new Set([
  'admission-control',
  'disable-admission-plugins',
  'enable-admission-plugins',
  'feature-gates',
  'node-labels',
  'runtime-config',
  'tls-cipher-suites',
]);

/** Canonical name of a flag: `audit-log-path` for `--audit_log_path=x`. */
export function flagName(flag: string): string {
  return (/^--?([^=]*)/.exec(flag.trim())?.[1] ?? '').replaceAll('_', '-');
}

/**
 * Converts `["--a=b", "--c"]` to a map: leading dashes are removed, the value is the text after the first "=", and a flag
 * without a value is "true". Flags that a map cannot represent are reported.
 */
export function flagsToMap(flags: readonly string[]): {
  map: Record<string, string>;
  problems: FlagProblem[];
} {
  const map: Record<string, string> = {};
  const problems: FlagProblem[] = [];
  for (const flag of flags) {
    const parts = /^--?[A-Za-z0-9][A-Za-z0-9._-]*(?:=([\s\S]*))?$/.exec(flag.trim());
    const name = flagName(flag);
    const value = parts?.[1] ?? 'true';
    if (parts === null) problems.push({ flag, reason: 'expected the form --name=value' });
    else if (map[name] !== undefined && listFlags.has(name)) map[name] = `${map[name]},${value}`;
    else if (map[name] !== undefined)
      problems.push({ flag, reason: 'the flag is given twice, and MKE 4 accepts one value' });
    else if (pathFlags.test(name) && value.startsWith('/'))
      problems.push({ flag, reason: 'its value is the path of a file in an MKE 3 container' });
    else map[name] = value;
  }
  return { map, problems };
}
