import { forTarget, type Row } from './convert/row.ts';
import { rows } from './convert/table.ts';
import { k0sPlaceOf } from './k0s-places.ts';
import { notSupportedByMkectl } from './mkectl-report.ts';
import { isConverted } from './report.ts';

/** The reference page on the conversion: every documented MKE 3 setting and its counterpart. */
export function settingsPage(): string {
  const listed = rows.filter((row) => byMkectl(row) !== undefined).length;
  const lines = rows.map(
    (row) => `| \`${row.key}\` | ${inMke4(row)} | ${inK0s(row)} | ${remark(row)} |`,
  );
  return `# MKE 3 settings

For operators who prepare an upgrade: how \`runner init\` and the upgrade convert each documented MKE 3 setting. The columns show its field in "spec" of the MKE 4 configuration, its field in "spec" of k0s.yaml, and a remark,
which the conversion reports if the setting does not have its default. "active with MKE 4" means that the setting takes effect when \`mkectl apply\` applies the configuration.

The page is generated from the conversion tables in the source. Some k0s fields are computed from several settings (audit log, flags and admission plugins of kube-apiserver, etcd quota, kubelet, kube-proxy). For these, a test
checks that the field changes with the setting.

"mkectl: no" marks ${String(listed)} settings that \`mkectl check mke3\` reports as "Not supported", according to the vendor's page on compatibility checks, and that runner does not convert either. The report of runner lists
them as well, even if they are off. "mkectl: no, while on" marks settings of features that mkectl skips while they are off. In the vendor's sample, a default MKE 3 configuration, 44 settings are "Not supported": 43 of those
marked here, and \`calico_kdd = false\`, which prevents the upgrade. The other marks are from the vendor's second list, or their settings are not in such a configuration.

| setting | MKE 4 | k0s | remark |
| --- | --- | --- | --- |
${lines.join('\n')}
`;
}

/** The path in "spec" of the MKE 4 configuration, which can differ between releases. */
function inMke4(row: Row): string {
  const [older, newer] = [pathOf(row, '4.0'), pathOf(row, '4.1')];
  if (older === newer) return older === undefined ? '' : `\`${older}\``;
  return [older, newer]
    .flatMap((path, index) =>
      path === undefined ? [] : [`\`${path}\` (${index === 0 ? '4.0' : '4.1'})`],
    )
    .join(', ');
}

function pathOf(row: Row, target: '4.0' | '4.1'): string | undefined {
  const flag = 'flag' in row ? row.flag : undefined;
  return forTarget(row.to, target) ?? (flag && `${flag.of}.${flag.name}`);
}

function inK0s(row: Row): string {
  if (row.elsewhere !== undefined) return row.elsewhere;
  const path = pathOf(row, '4.0') ?? pathOf(row, '4.1');
  const place = path === undefined ? undefined : k0sPlaceOf(path);
  if (place !== undefined) return `\`${place}\``;
  return path === undefined ? '' : 'active with MKE 4';
}

function byMkectl(row: Row): string | undefined {
  const found = isConverted(row) ? undefined : notSupportedByMkectl(row.key);
  return found && (found === 'always' ? 'mkectl: no' : 'mkectl: no, while on');
}

function remark(row: Row): string {
  const refusal = 'refusal' in row ? row.refusal : undefined;
  if (refusal !== undefined)
    return `prevents the upgrade unless \`${JSON.stringify(refusal.unless)}\`: ${refusal.why}; ${refusal.what}`;
  const advice = forTarget(row.advice, '4.0') ?? forTarget(row.advice, '4.1');
  const needs = row.needs === undefined ? '' : `needs \`${row.needs}\``;
  return [needs, advice === undefined ? '' : `${advice.why}; ${advice.what}`, byMkectl(row) ?? '']
    .filter((part) => part !== '')
    .join('. ')
    .replaceAll('|', '\\|');
}
