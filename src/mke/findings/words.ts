import { plural, printable } from '../../util/text.ts';
import { blocks, type PreflightReport, type ReportedFinding } from './report.ts';

/** The value of the column "blocks". */
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

/** Control characters outside ASCII, zero-width characters, and characters that change the text direction. */
const invisible = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Formats text from a host as one line without control characters. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\u2028\u2029]+/g, ' ').trim();
  return escapeInvisible(printable(line));
}

/** Replaces invisible characters with escapes. */
export function escapeInvisible(text: string): string {
  return text.replaceAll(
    invisible,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
