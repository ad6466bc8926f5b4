import { plural, printable } from '../../util/text.ts';
import { blocks, type PreflightReport, type ReportedFinding } from './report.ts';

/** What a finding does to the upgrade, in a word. */
export function effectOf(finding: ReportedFinding): string {
  if (finding.acknowledged !== undefined) return 'acknowledged';
  return blocks(finding) ? 'yes' : 'no';
}

export function headlineOf({ counts, findings }: PreflightReport): string {
  if (findings.length === 0) return 'no findings';
  const rest = findings.length - counts.blocking - counts.acknowledged;
  const parts = [
    ...(counts.blocking > 0
      ? [
          `${plural(counts.blocking, 'finding')} ${counts.blocking === 1 ? 'blocks' : 'block'} the upgrade`,
        ]
      : ['nothing blocks the upgrade']),
    ...(counts.acknowledged > 0 ? [`${String(counts.acknowledged)} acknowledged`] : []),
    ...(rest > 0 ? [`${String(rest)} not blocking`] : []),
  ];
  return parts.join(', ');
}

/** Characters that change the direction of text, or have no width: what is read must be what is there. */
const invisible = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Text of a host in one line, with nothing in it that a terminal would obey. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\u2028\u2029]+/g, ' ').trim();
  return printable(line).replaceAll(invisible, escaped);
}

export function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
