import { effectOf, headlineOf, oneLine } from './words.ts';
import type { PreflightReport, ReportedFinding } from './report.ts';

const WIDTH = 100;
const GAP = '  ';
const head = ['SEVERITY', 'BLOCKS', 'CHECK', 'OBJECT'];

/** Formats the report for a terminal with 100 columns. A remedy is never wrapped, so that it can be copied. */
export function findingsTable(report: PreflightReport): string {
  const { findings, notes, counts } = report;
  const rows = findings.map((finding) => [
    ...[finding.severity, effectOf(finding), finding.id, oneLine(finding.object)],
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const lines = [
    `Pre-upgrade checks: ${headlineOf(report)}.`,
    ...(findings.length > 0 ? ['', ...rowLines(head, widths)] : []),
    ...findings.flatMap((finding, index) => [
      ...rowLines(rows[index] ?? [], widths),
      ...detailLines(finding),
    ]),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => wrap(`Note: ${oneLine(note)}`, WIDTH)),
    ...(counts.blocking > 0 ? ['', ...wrap(nextSteps, WIDTH)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

const nextSteps =
  'Apply the remedies, then run the checks again. To accept a finding, add its check and object to a file and use --acknowledge FILE.';

function rowLines(cells: readonly string[], widths: readonly number[]): string[] {
  const left = widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(GAP) + GAP;
  const [first = '', ...more] = wrap(cells.at(-1) ?? '', Math.max(20, WIDTH - left.length));
  return [`${left}${first}`, ...more.map((line) => `${' '.repeat(left.length)}${line}`)];
}

function detailLines({ evidence, remedy, acknowledged }: ReportedFinding): string[] {
  const accepted =
    acknowledged && `Acknowledged until ${acknowledged.until}: ${oneLine(acknowledged.reason)}`;
  return [
    ...wrap(oneLine(evidence), WIDTH - 4),
    ...(accepted === undefined ? [`Remedy: ${oneLine(remedy)}`] : wrap(accepted, WIDTH - 4)),
  ].map((line) => `    ${line}`);
}

/** Wraps text at spaces, and inside words that are longer than a line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, width: number): string[] {
  return word.match(new RegExp(`.{1,${String(width)}}`, 'gu')) ?? [];
}
