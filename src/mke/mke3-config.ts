import { parse } from '@iarna/toml';
import { RunnerError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';

/** The TOML is no TOML. */
export class TomlError extends RunnerError {
  readonly code = 'TOML_INVALID';
}

/** @throws TomlError with file, line and column */
export function parseMke3Config(text: string, file: string): Mke3Config {
  try {
    return new Mke3Config(toJson(parse(text)) as JsonObject);
  } catch (error) {
    const { line, col } = error as { line?: number; col?: number };
    const message =
      (error instanceof Error ? error.message : String(error))
        .split('\n')[0]
        ?.replace(/ at row .*/, '') ?? '';
    throw new TomlError(`Not valid TOML: ${message}.`, {
      // The parser counts from zero.
      at: { file, line: (line ?? 0) + 1, column: (col ?? 0) + 1 },
      cause: error,
    });
  }
}

function toJson(value: unknown): JsonValue {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  return value as JsonValue;
}

/** Keys that dumps and documentation spell differently (mke-upgrade.md §5): documentation first. */
const spellings: [string, string][] = [
  ['auth.external_identity_provider.clientID', 'auth.external_identity_provider.clientId'],
  [
    'cluster_config.KubeAPIServerCustomAuditPolicyYaml',
    'cluster_config.kube_api_server_custom_audit_policy_yaml',
  ],
  [
    'cluster_config.KubeAPIServerEnableCustomAuditPolicy',
    'cluster_config.kube_api_server_enable_custom_audit_policy',
  ],
  [
    'cluster_config.ingress_controller.config_map',
    'cluster_config.ingress_controller.ingress_config_map',
  ],
  ['backup_schedule_config.notification-delay', 'backup_schedule_config.notification_delay'],
  ['backup_schedule_config.backup_limits', 'backup_schedule_config.backups_limit'],
  ['hardening_configuration.pid_limit', 'hardening_configuration.pids_limit_k8s'],
  [
    'hardening_configuration.pid_limit_unspecified',
    'hardening_configuration.pids_limit_unspecified_k8s',
  ],
  [
    'audit_log_configuration.support_dump_include_audit_logs',
    'audit_log_configuration.support_bundle_include_audit_logs',
  ],
];

/** Tables whose keys are the operator's own, so they are values as a whole. */
const freeTables = new Set([
  'cluster_config.custom_kubelet_flags_profiles',
  'cluster_config.ingress_controller.ingress_node_affinity',
  'cluster_config.ingress_controller.ingress_config_map',
  'cluster_config.ingress_controller.ingress_tcp_services',
  'cluster_config.ingress_controller.ingress_udp_services',
]);

/** An MKE 3 configuration, keys as dotted paths. Empty text counts as not set. */
export class Mke3Config {
  readonly #values = new Map<string, JsonValue>();
  readonly #read = new Set<string>();
  readonly #mistyped = new Map<string, string>();

  constructor(source: JsonObject) {
    this.#flatten(source, '');
    for (const [documented, dumped] of spellings) {
      const value = this.#values.get(documented);
      if (value === undefined) continue;
      if (!this.#values.has(dumped)) this.#values.set(dumped, value);
      this.#values.delete(documented);
    }
  }

  #flatten(source: JsonObject, prefix: string): void {
    for (const [key, value] of Object.entries(source)) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      if (isJsonObject(value) && !freeTables.has(path)) this.#flatten(value, path);
      else this.#values.set(path, value);
    }
  }

  get(path: string): JsonValue | undefined {
    this.#read.add(path);
    const value = this.#values.get(path);
    return value === '' ? undefined : value;
  }

  /** Whether the configuration has the key, if only without a value. */
  has(path: string): boolean {
    return this.#values.has(path);
  }

  text(path: string): string | undefined {
    const value = this.get(path);
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    this.#not(path, value, 'text');
    return undefined;
  }

  number(path: string): number | undefined {
    const value = this.get(path);
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && /^-?\d+$/.test(value)) return Number(value);
    this.#not(path, value, 'a number');
    return undefined;
  }

  flag(path: string): boolean {
    const value = this.get(path);
    if (typeof value === 'boolean') return value;
    this.#not(path, value, 'true or false');
    return false;
  }

  list(path: string): JsonValue[] {
    const value = this.get(path);
    if (Array.isArray(value)) return value;
    this.#not(path, value, 'a list');
    return [];
  }

  table(path: string): JsonObject {
    const value = this.get(path);
    if (isJsonObject(value)) return value;
    this.#not(path, value, 'a table');
    return {};
  }

  #not(path: string, value: JsonValue | undefined, wanted: string): void {
    if (value !== undefined) this.#mistyped.set(path, wanted);
  }

  /** Values that were not of the type they were asked for, with what was wanted. */
  mistyped(): [path: string, value: JsonValue, wanted: string][] {
    return [...this.#mistyped].map(([path, wanted]) => [
      path,
      this.#values.get(path) ?? null,
      wanted,
    ]);
  }

  /** All keys with their values, in the order of the file. */
  entries(): [string, JsonValue][] {
    return [...this.#values];
  }

  /** Keys that were asked for, whether they have a value or not. */
  asked(): string[] {
    return [...this.#read];
  }

  /** Keys nobody asked for, with their values. */
  unread(): [string, JsonValue][] {
    return [...this.#values].filter(([path]) => !this.#read.has(path));
  }
}
