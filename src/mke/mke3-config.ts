import { parse } from '@iarna/toml';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { SourceRef } from '../core/source.ts';
import { refuseOtherFormats, TomlError } from './config-text.ts';
import { placesIn, type Place, type Places } from './toml-places.ts';

/** @throws TomlError with file, line and column */
export function parseMke3Config(source: string, file: string): Mke3Config {
  const text = source.replace(/^\ufeff/, '');
  refuseOtherFormats(text, file);
  const places = placesIn(text);
  const values = readToml(text, file, places);
  for (const token of places.bare) checkNumber(token.text, { file, ...token });
  if (Object.keys(values).length === 0) refuseOtherFormats('', file);
  const lines = new Map(
    places.entries.filter(({ kind }) => kind === 'key').map((entry) => [entry.path, entry]),
  );
  return new Mke3Config(values, (path) => {
    const place = lines.get(path);
    return place && { file, line: place.line, column: place.column };
  });
}

function readToml(text: string, file: string, places: Places): JsonObject {
  try {
    return toJson(parse(text)) as JsonObject;
  } catch (error) {
    const { line = 0, col = 0 } = error as { line?: number; col?: number };
    const raw = error instanceof Error ? error.message : String(error);
    const message = raw.split('\n')[0]?.replace(/ at row .*/, '') ?? '';
    // The parser counts lines and columns from zero.
    const place = { line: line + 1, column: col + 1 };
    const known = explain(text, place, /redefine/.test(message) ? places : undefined);
    const at = { file, line: known?.line ?? place.line, column: known?.column ?? place.column };
    throw new TomlError(`Not valid TOML: ${known?.message ?? message}.`, {
      at,
      hint: known?.hint,
      cause: error,
    });
  }
}

interface Explained extends Place {
  message: string;
  hint: string;
}

/** Explains frequent mistakes for which the parser's message is not helpful. */
function explain(
  text: string,
  { line, column }: Place,
  repeated: Places | undefined,
): Explained | undefined {
  const words = text.split('\n')[line - 1] ?? '';
  // The parser stops inside or after "//".
  const comment = words.indexOf('//', Math.max(0, column - 3)) + 1;
  if (comment > 0 && comment <= column + 1)
    return {
      line,
      column: comment,
      message: 'comments begin with "#", not "//"',
      hint: 'Replace "//" with "#".',
    };
  const flag = /^\s*(--?[A-Za-z][\w-]*.*?)\s*$/.exec(words)?.[1];
  if (flag !== undefined)
    return {
      line,
      column: words.indexOf(flag) + 1,
      message: `"${flag}" is a flag of a component`,
      hint: `Add it to a list of [cluster_config], such as custom_kubelet_flags = ["--NAME=VALUE"].`,
    };
  return repeated && explainRepeated(repeated, line);
}

function explainRepeated({ entries }: Places, line: number): Explained | undefined {
  const second = entries.find((one) => one.line === line);
  const first = entries.find(({ path, kind }) => path === second?.path && kind === second.kind);
  if (second === undefined || first === undefined || first === second) return undefined;
  const isKey = second.kind === 'key';
  return {
    line,
    column: second.column,
    message: `${isKey ? `"${second.path}"` : `the table [${second.path}]`} is defined twice, first in line ${String(first.line)}`,
    hint: isKey ? 'Remove one of the two.' : 'Move its keys to the first table.',
  };
}

/** Refuses numbers that other tools would round, and infinity and NaN. */
function checkNumber(text: string, at: { file: string; line: number; column: number }): void {
  const digits = /^[+-]?(\d[\d_]*|0x[\da-f_]+|0o[0-7_]+|0b[01_]+)$/i.exec(text)?.[1];
  const tooLarge =
    digits !== undefined && BigInt(digits.replaceAll('_', '')) > BigInt(Number.MAX_SAFE_INTEGER);
  if (tooLarge || /^[+-]?(inf|nan)$/.test(text))
    throw new TomlError(
      tooLarge
        ? `The number ${text} is too large: the maximum is 2^53 - 1.`
        : `"${text}" is not a valid number for a setting.`,
      { at: { file: at.file, line: at.line, column: at.column } },
    );
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

/** Keys that the documentation and dumps spell differently; the spelling of the documentation comes first. */
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

/** Tables with user-defined keys. Each is one value. */
export const freeTables: ReadonlySet<string> = new Set([
  'cluster_config.custom_kubelet_flags_profiles',
  'cluster_config.ingress_controller.ingress_node_affinity',
  'cluster_config.ingress_controller.ingress_config_map',
  'cluster_config.ingress_controller.ingress_tcp_services',
  'cluster_config.ingress_controller.ingress_udp_services',
]);

/** An MKE 3 configuration. Keys are dotted paths; empty text counts as not set. It records which keys were read. */
export class Mke3Config {
  /** The position of a key in the file; undefined if the configuration is not from a file. */
  readonly placeOf: (path: string) => SourceRef | undefined;
  readonly #values = new Map<string, JsonValue>();
  readonly #read = new Set<string>();
  readonly #mistyped = new Map<string, string>();

  /** @param placeOf returns the position of a key in the file */
  constructor(
    source: JsonObject,
    placeOf: (path: string) => SourceRef | undefined = () => undefined,
  ) {
    this.placeOf = placeOf;
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

  /** Whether the configuration has the key, even with an empty value. */
  has(path: string): boolean {
    return this.#values.has(path);
  }

  /** The value as it is in the file, without marking it as read. */
  peek(path: string): JsonValue | undefined {
    return this.#values.get(path);
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

  /** Values that were read as another type than they have, with the expected type. */
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

  /** Removes a field from a table and returns its value. */
  withdraw(path: string, field: string): JsonValue | undefined {
    const table = this.#values.get(path);
    if (!isJsonObject(table)) return undefined;
    const { [field]: value, ...others } = table;
    this.#values.set(path, others);
    return value;
  }

  /** Keys that were read, with or without a value. */
  asked(): string[] {
    return [...this.#read];
  }

  /** Keys that were not read, with their values. */
  unread(): [string, JsonValue][] {
    return [...this.#values].filter(([path]) => !this.#read.has(path));
  }
}
