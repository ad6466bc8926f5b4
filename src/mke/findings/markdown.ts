import { printableJson } from './json.ts';
import { blocks, type PreflightReport, type ReportedFinding } from './report.ts';
import { effectOf, headlineOf, oneLine } from './words.ts';

/** The report as preflight.md. Texts of hosts are data: nothing in them is markup. */
export function findingsMarkdown(report: PreflightReport): string {
  const { date, findings, notes, checks } = report;
  const open = findings.filter(blocks);
  const sections = [
    ['# Pre-upgrade checks'],
    [`${date}: ${headlineOf(report)}.`],
    ...(findings.length > 0 ? [tableOf(findings)] : []),
    ...(notes.length > 0 ? [notes.map((note) => `- ${plain(note)}`)] : []),
    ...(open.length > 0 ? [skeletonOf(open)] : []),
    [`Checks: ${plain(checks.join(', '))}.`],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const head = ['severity', 'blocks', 'check', 'object', 'evidence', 'remedy'];

function tableOf(findings: readonly ReportedFinding[]): string[] {
  const rows = findings.map((finding) => {
    const { severity, id, object, evidence, remedy, acknowledged } = finding;
    const effect = acknowledged
      ? `acknowledged until ${acknowledged.until}: ${plain(acknowledged.reason)}`
      : effectOf(finding);
    return [severity, effect, plain(id), plain(object), plain(evidence), code(remedy)];
  });
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

/** What an operator would write to accept the findings. Without a reason and a date it is refused. */
function skeletonOf(open: readonly ReportedFinding[]): string[] {
  const entries = open.flatMap(({ id, object }) => [
    `- id: ${id}`,
    `  object: ${printableJson(object)}`,
    `  reason: ''`,
    `  until: ''`,
  ]);
  return [
    'To accept findings, give those entries a reason and a last day, and name the file with `--acknowledge FILE`:',
    '',
    '```yaml',
    ...entries,
    '```',
  ];
}

/** Text without markup: no link, no image, no HTML, no end of the cell. */
function plain(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#!@$]/g, String.raw`\$&`)
    .replaceAll('://', String.raw`:\//`)
    .replaceAll(/www\./gi, (word) => word.replace('.', String.raw`\.`));
}

/** A code span in a cell: a longer fence than any inside, and no end of the cell. */
function code(text: string): string {
  const line = oneLine(text);
  if (line === '') return '';
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line.replaceAll('|', String.raw`\|`)}${pad}${fence}`;
}
