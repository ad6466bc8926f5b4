import type { PreflightReport } from './report.ts';
import { escaped } from './words.ts';

/** Beyond ASCII, characters that a terminal obeys or that cannot be seen. JSON.stringify escapes the others. */
const unsafe = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** JSON that may be printed: a program reads the same values. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(unsafe, escaped);
}

/** The report as preflight.json. */
export function findingsJson(report: PreflightReport): string {
  return `${printableJson(report, 2)}\n`;
}
