import { stringify } from '@iarna/toml';
import type { JsonObject } from '../core/json.ts';
import { isIneffective, type Row } from './convert/row.ts';
import { isDefault, rowOf } from './convert/table.ts';
import type { Conversion } from './convert/types.ts';
import { isOff, setPath, withoutSecrets } from './convert/values.ts';
import type { Mke3Config } from './mke3-config.ts';
import { notSupportedByMkectl } from './mkectl-report.ts';

/** Every setting of an MKE 3 configuration, grouped by the result of the conversion. */
export interface Compatibility {
  unsupported: JsonObject;
  supported: JsonObject;
  disabled: JsonObject;
}

/** @param source the configuration after its conversion: settings that the conversion has read are supported */
export function compatibility(source: Mke3Config, conversion: Conversion): Compatibility {
  const problems = [...conversion.unconverted, ...conversion.refusals].map(({ key }) => key);
  const unread = new Set(source.unread().map(([path]) => path));
  const result: Compatibility = { unsupported: {}, supported: {}, disabled: {} };
  for (const [path, value] of source.entries()) {
    const troubled = problems.some((key) => key === path || key.startsWith(`${path}.`));
    const kind = kindOf(source, path, { troubled, unread: unread.has(path) });
    setPath(result[kind], path, withoutSecrets(path, value));
  }
  return result;
}

function kindOf(
  source: Mke3Config,
  path: string,
  { troubled, unread }: { troubled: boolean; unread: boolean },
): keyof Compatibility {
  const value = source.peek(path) ?? '';
  const row = rowOf(path);
  const byMkectl = isConverted(row) ? undefined : notSupportedByMkectl(path);
  if (byMkectl === 'always') return 'unsupported';
  if (row !== undefined && isIneffective(row, source)) return 'disabled';
  const whileOn = byMkectl !== undefined && source.peek(byMkectl.whileOn) === true;
  if (troubled || whileOn) return 'unsupported';
  if (isOff(value) || (unread && isDefault(path, value))) return 'disabled';
  return unread ? 'unsupported' : 'supported';
}

/** Whether runner converts a setting to MKE 4 or k0s. */
export function isConverted(row: Row | undefined): boolean {
  return row !== undefined && ('to' in row || 'flag' in row || 'elsewhere' in row);
}

/** The MKE 3 configuration as TOML with secrets masked. */
export function shownConfig(source: Mke3Config): string {
  const shown: JsonObject = {};
  for (const [path, value] of source.entries()) setPath(shown, path, withoutSecrets(path, value));
  return stringify(shown as Parameters<typeof stringify>[0]);
}

const banners: [keyof Compatibility, string][] = [
  ['unsupported', 'Not supported'],
  ['supported', 'Supported'],
  ['disabled', 'Disabled (skipped)'],
];

/** The report as text: TOML under headings, in the format of `mkectl check mke3`. */
export function compatibilityText(report: Compatibility): string {
  const line = '='.repeat(60);
  const sections = banners.map(
    ([kind, title]) => `${line}\n${title}\n${line}\n${stringify(sorted(report[kind])).trim()}\n`,
  );
  return `MKE3->MKE4 Compatibility Checks\n\n${sections.join('\n')}`;
}

function sorted(value: JsonObject): JsonObject & Parameters<typeof stringify>[0] {
  const entries = Object.entries(value)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, item]) => [
      key,
      typeof item === 'object' && item !== null && !Array.isArray(item) ? sorted(item) : item,
    ]);
  return Object.fromEntries(entries) as JsonObject & Parameters<typeof stringify>[0];
}
