import type { PreflightReport } from './report.ts';
import { escapeInvisible } from './words.ts';

/** JSON that may be printed: a program reads the same values. JSON.stringify escapes control characters of ASCII. */
export function printableJson(value: unknown, indent?: number): string {
  return escapeInvisible(JSON.stringify(value, undefined, indent));
}

/** The report as preflight.json. */
export function findingsJson(report: PreflightReport): string {
  return `${printableJson(report, 2)}\n`;
}
