import type { Plan } from '../core/module.ts';
import { quote } from '../util/shell.ts';

/** Arguments of modules that wait on the host until something is as it should be. */
export const gateProperties = {
  timeout: { type: 'integer', minimum: 0, description: 'Seconds to wait at most. Default: 300.' },
  sleep: { type: 'integer', minimum: 1, description: 'Seconds between two looks. Default: 5.' },
} as const;

/** Arguments of modules that call a program which may need words in front, such as `k0s kubectl`. */
export const programProperty = (name: string) =>
  ({
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
    ],
    description: `How ${name} is called, as text that is split at blanks or as words. Default: ${name}.`,
  }) as const;

export function programWords(given: string | string[] | undefined, name: string): string[] {
  if (given === undefined) return [name];
  return typeof given === 'string' ? given.trim().split(/\s+/) : given;
}

/**
 * Looks again and again until the shell text `look` succeeds; what it said last is the output, or the error when time is
 * up. `$left` is the number of seconds that are left, at least 1.
 */
export function waitUntil(
  look: string,
  { timeout = 300, sleep = 5 }: { timeout?: number; sleep?: number },
  words: readonly string[] = [],
): Plan {
  const script = `end=$(($(date +%s) + ${String(timeout)}))
while :; do
  left=$((end - $(date +%s)))
  [ "$left" -ge 1 ] || left=1
  if said=$(${look} 2>&1); then printf '%s\\n' "$said"; exit 0; fi
  if [ "$(($(date +%s) + ${String(sleep)}))" -gt "$end" ]; then
    printf '%s\\n' "$said" ${quote(`(waited ${String(timeout)} s)`)} >&2
    exit 1
  fi
  sleep ${String(sleep)}
done`;
  return {
    actions: [{ kind: 'exec', argv: ['/bin/sh', '-c', script, 'sh', ...words] }],
    readOnly: true,
  };
}
