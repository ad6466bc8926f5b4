import type { Plan } from '../../core/module.ts';
import { quote } from '../../util/shell.ts';

/** Arguments of modules that wait on the host until something is as it should be. */
export const gateProperties = {
  timeout: { type: 'integer', minimum: 0, description: 'Seconds to wait at most. Default: 300.' },
  sleep: { type: 'integer', minimum: 1, description: 'Seconds between two looks. Default: 5.' },
} as const;

/** For modules that wait for what a service of the same host provides. */
export const unitProperty = {
  type: 'string',
  pattern: '^[A-Za-z0-9@_.:-]+$',
  description:
    'systemd unit on the same host that provides this. If it fails, the wait ends at once and shows the last errors of its journal.',
} as const;

export const unitRestartsProperty = {
  type: 'integer',
  minimum: 0,
  description:
    'With unit: how often systemd may have started it again before its failure ends the wait. Default: 0.',
} as const;

/** Arguments of modules that call a program which may need words in front, such as `k0s kubectl`. */
export const programProperty = (name: string) =>
  ({
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
    ],
    description: `How ${name} is called, as text that is split at spaces, or as a list of words. Default: ${name}.`,
  }) as const;

export function programWords(given: string | string[] | undefined, name: string): string[] {
  if (given === undefined) return [name];
  return typeof given === 'string' ? given.trim().split(/\s+/) : given;
}

/** Arguments that say how the API of a cluster is reached from the host. */
export const kubectlProperties = {
  kubectl: programProperty('kubectl'),
  kubeconfig: { type: 'string', pattern: '^/', description: 'Configuration on the host.' },
  context: { type: 'string', minLength: 1, description: 'Context in the configuration.' },
} as const;

export function kubectlCall({
  kubectl,
  kubeconfig,
  context,
}: {
  kubectl?: string | string[];
  kubeconfig?: string;
  context?: string;
}): string[] {
  return [
    ...programWords(kubectl, 'kubectl'),
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
  ];
}

/**
 * Shell functions for a unit that systemd may start again a number of times. `broken` succeeds and says why when it has failed,
 * has ended, or waits to be started again after a failure. `errors` prints those of its journal: k0s starts a kubelet that ends
 * again and again, and its unit never fails. Errors are shown before the very last lines, because a service that gives up ends
 * with messages about its shutdown. Repeated messages differ in their numbers only, and "connection refused" is what other parts
 * say while the broken one is away.
 */
const brokenUnit = (unit: string, restarts: number): string => `unit=${quote(unit)}
errors() {
  log=$(journalctl --no-pager -q -o cat -n 500 -u "$unit" 2>&1 | cut -c1-600)
  errors=$(printf '%s\\n' "$log" | grep -iE 'error|fatal|panic|denied|cannot|failed|invalid|no such' | grep -v 'connection refused' |
    awk '{ key = $0; gsub(/[0-9]+/, "", key); line[NR] = $0; last[key] = NR; of[NR] = key } END { for (i = 1; i <= NR; i++) if (last[of[i]] == i) print line[i] }' | tail -n 8)
  [ -z "$errors" ] || printf 'Errors in its journal:\\n%s\\n' "$errors"
}
broken() {
  shown=$(systemctl show --no-pager -p ActiveState,SubState,Result,ExecMainStatus,NRestarts -- "$unit") || return 1
  field() { printf '%s\\n' "$shown" | sed -n "s/^$1=//p"; }
  case $(field ActiveState)/$(field SubState) in
    failed/* | inactive/*) ;;
    */auto-restart) again=$(field NRestarts); [ "\${again:-0}" -ge ${String(restarts)} ] || return 1 ;;
    *) return 1 ;;
  esac
  echo "The unit $unit does not run: $(field ActiveState) ($(field SubState)), result $(field Result), exit status $(field ExecMainStatus)."
  errors
  printf 'Last lines:\\n%s\\n' "$(printf '%s\\n' "$log" | tail -n 3)"
  echo "More: journalctl -u $unit"
}`;

/**
 * Looks again and again until the shell text `look` succeeds; what it said last is the output, or the error when time is
 * up. `$left` is the number of seconds that are left, at least 1.
 * @param options `once`: there is no wait
 */
export function waitUntil(
  look: string,
  {
    timeout: patience = 300,
    sleep = 5,
    unit,
    unit_restarts: restarts = 0,
    once,
  }: {
    timeout?: number;
    sleep?: number;
    unit?: string;
    unit_restarts?: number;
    once: boolean;
  },
  words: readonly string[] = [],
): Plan {
  const timeout = once ? 0 : patience;
  const watch =
    unit === undefined
      ? ''
      : `  if why=$(broken); then printf '%s\\n' "$why" "$said" >&2; exit 1; fi
`;
  const timeUp =
    unit === undefined
      ? ''
      : `    { printf 'The unit %s runs. ' "$unit"; errors; printf 'More: journalctl -u %s\\n' "$unit"; } >&2
`;
  const script = `${unit === undefined ? '' : `${brokenUnit(unit, restarts)}\n`}end=$(($(date +%s) + ${String(timeout)}))
while :; do
  left=$((end - $(date +%s)))
  [ "$left" -ge 1 ] || left=1
  if said=$(${look} 2>&1); then printf '%s\\n' "$said"; exit 0; fi
${watch}  if [ "$(($(date +%s) + ${String(sleep)}))" -gt "$end" ]; then
    printf '%s\\n' "$said" ${quote(`(waited ${String(timeout)} s)`)} >&2
${timeUp}    exit 1
  fi
  sleep ${String(sleep)}
done`;
  return {
    actions: [{ kind: 'exec', argv: ['/bin/sh', '-c', script, 'sh', ...words] }],
  };
}
