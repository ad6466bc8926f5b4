export interface FlagProblem {
  flag: string;
  reason: string;
}

/** Flags whose value names a file of MKE 3's containers. */
const pathFlags = /(-file|-config|-dir|-path|-cert|-key|-ca)$/;

/** Flags whose value is a list, which may be given several times. */
const listFlags = new Set([
  'admission-control',
  'disable-admission-plugins',
  'enable-admission-plugins',
  'feature-gates',
  'node-labels',
  'runtime-config',
  'tls-cipher-suites',
]);

/** Name of a flag as its component knows it: `--audit_log_path=x` is `audit-log-path`. */
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
    if (parts === null) problems.push({ flag, reason: 'it is not of the form --name=value' });
    else if (map[name] !== undefined && listFlags.has(name)) map[name] = `${map[name]},${value}`;
    else if (map[name] !== undefined)
      problems.push({ flag, reason: 'it is given twice, and a map holds one value' });
    else if (pathFlags.test(name) && value.startsWith('/'))
      problems.push({ flag, reason: 'it names a file of an MKE 3 container' });
    else map[name] = value;
  }
  return { map, problems };
}
