import { printableJson } from './json.ts';
import { blocks, type PreflightReport, type ReportedFinding } from './report.ts';
import { effectOf, headlineOf, oneLine } from './words.ts';

/** Formats the report as preflight.md. Text from hosts is escaped. */
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

/** A template of the file for --acknowledge. It is not accepted until the reasons and dates are filled in. */
function skeletonOf(open: readonly ReportedFinding[]): string[] {
  const entries = open.flatMap(({ id, object }) => [
    `- id: ${id}`,
    `  object: ${printableJson(object)}`,
    `  reason: ''`,
    `  until: ''`,
  ]);
  return [
    'To accept findings, copy their entries to a file, fill in the reason and the last day, and use `--acknowledge FILE`:',
    '',
    '```yaml',
    ...entries,
    '```',
  ];
}

/** Escapes Markdown and HTML, so that text cannot contain links, images or a cell separator. */
function plain(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#!@$]/g, String.raw`\$&`)
    .replaceAll('://', String.raw`:\//`)
    .replaceAll(/www\./gi, (word) => word.replace('.', String.raw`\.`));
}

/** Formats a code span in a table cell. The fence is longer than any in the text, and "|" is escaped. */
function code(text: string): string {
  const line = oneLine(text);
  if (line === '') return '';
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line.replaceAll('|', String.raw`\|`)}${pad}${fence}`;
}
