import { forTarget, type Row } from './convert/row.ts';
import { rows } from './convert/table.ts';
import { k0sPlaceOf } from './k0s-places.ts';
import { notSupportedByMkectl } from './mkectl-report.ts';
import { isConverted } from './report.ts';

/** The table of the conversion as a page: every documented setting of MKE 3, and where it goes. */
export function settingsPage(): string {
  const listed = rows.filter((row) => byMkectl(row) !== undefined).length;
  const lines = rows.map(
    (row) => `| \`${row.key}\` | ${inMke4(row)} | ${inK0s(row)} | ${remark(row)} |`,
  );
  return `# Settings of MKE 3

What becomes of each documented setting of MKE 3: its field in "spec" of MKE 4, and its place in "spec" of k0s.yaml. Made from the tables by which \`runner init\` and the upgrade convert: one gives MKE 4 its fields and
the report its remarks, the other copies them to k0s. Where k0s takes more than a value (audit log, flags and admission plugins of kube-apiserver, quota of etcd, kubelet, kube-proxy), a test checks that the place changes with the setting. What waits for MKE 4
takes effect when \`mkectl apply\` applies the configuration. A remark is reported where the setting was changed.

"mkectl: no" marks the ${String(listed)} settings that \`mkectl check mke3\` calls "Not supported", by the vendor's page on compatibility checks, and that runner does not convert either. The report of runner does so, too, also where
they are off; "while on" is for parts that mkectl skips while they are off. Of a dump of MKE 3 with its defaults, 44 settings of the vendor's sample are among them: 43 that are marked, and \`calico_kdd = false\`, which is
refused. The other marks come from the vendor's second list, or are not in such a dump.

| setting | MKE 4 | k0s | remark |
| --- | --- | --- | --- |
${lines.join('\n')}
`;
}

/** The path in "spec", which can differ between releases. */
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
  return path === undefined ? '' : 'waits for MKE 4';
}

function byMkectl(row: Row): string | undefined {
  const found = isConverted(row) ? undefined : notSupportedByMkectl(row.key);
  return found && (found === 'always' ? 'mkectl: no' : 'mkectl: no, while on');
}

function remark(row: Row): string {
  const refusal = 'refusal' in row ? row.refusal : undefined;
  if (refusal !== undefined)
    return `refused unless \`${JSON.stringify(refusal.unless)}\`: ${refusal.why}; ${refusal.what}`;
  const advice = forTarget(row.advice, '4.0') ?? forTarget(row.advice, '4.1');
  const needs = row.needs === undefined ? '' : `needs \`${row.needs}\``;
  return [needs, advice === undefined ? '' : `${advice.why}; ${advice.what}`, byMkectl(row) ?? '']
    .filter((part) => part !== '')
    .join('. ')
    .replaceAll('|', '\\|');
}
