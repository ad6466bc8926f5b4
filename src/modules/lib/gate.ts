import type { Plan } from '../../core/module.ts';
import { quote } from '../../util/shell.ts';

/** Arguments of modules that wait on the host for a condition. */
export const gateProperties = {
  timeout: {
    type: 'integer',
    minimum: 0,
    description: 'Maximum time to wait in seconds. Default: 300.',
  },
  sleep: { type: 'integer', minimum: 1, description: 'Seconds between two checks. Default: 5.' },
} as const;

/** Argument of modules that wait for a service on the same host. */
export const unitProperty = {
  type: 'string',
  pattern: '^[A-Za-z0-9@_.:-]+$',
  description:
    'systemd unit on the same host that provides the service. If it fails, the wait ends at once and shows the last errors in its journal.',
} as const;

export const unitRestartsProperty = {
  type: 'integer',
  minimum: 0,
  description:
    'With unit: number of restarts by systemd after which a failure ends the wait. Default: 0.',
} as const;

/** Argument for a program that may be the subcommand of another one, as in `k0s kubectl`. */
export const programProperty = (name: string) =>
  ({
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
    ],
    description: `Command to run ${name}: text that is split at spaces, or a list of words. Default: ${name}.`,
  }) as const;

export function programWords(given: string | string[] | undefined, name: string): string[] {
  if (given === undefined) return [name];
  return typeof given === 'string' ? given.trim().split(/\s+/) : given;
}

/** Arguments that define how the host connects to the API of a cluster. */
export const kubectlProperties = {
  kubectl: programProperty('kubectl'),
  kubeconfig: { type: 'string', pattern: '^/', description: 'Path of the kubeconfig on the host.' },
  context: { type: 'string', minLength: 1, description: 'Context in the kubeconfig.' },
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
 * Shell functions for a unit that systemd may restart a number of times. `broken` succeeds and prints the reason if the unit has
 * failed, has ended, or waits for a restart after a failure. `errors` prints errors from its journal: k0s restarts a failing
 * kubelet again and again, while the unit of k0s never fails. Errors precede the last lines, because a failing service ends
 * with messages about its shutdown. Messages that differ only in numbers are printed once. "connection refused" is left out,
 * because other components log it while the broken one is down.
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
  echo "The unit $unit is not running: $(field ActiveState) ($(field SubState)), result $(field Result), exit status $(field ExecMainStatus)."
  errors
  printf 'Last lines:\\n%s\\n' "$(printf '%s\\n' "$log" | tail -n 3)"
  echo "More: journalctl -u $unit"
}`;

/**
 * Repeats the shell text `look` until it succeeds. Its last output is the output of the action or, after the timeout, the
 * error. `look` may use `$left`, the number of remaining seconds, which is at least 1.
 * @param options `once`: run `look` once, without waiting
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
      : `    { printf 'The unit %s is running. ' "$unit"; errors; printf 'More: journalctl -u %s\\n' "$unit"; } >&2
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
