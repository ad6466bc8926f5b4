import type { PreflightReport } from './report.ts';
import { escapeInvisible } from './words.ts';

/** JSON that is safe to print. JSON.stringify escapes ASCII control characters; the others are escaped here. */
export function printableJson(value: unknown, indent?: number): string {
  return escapeInvisible(JSON.stringify(value, undefined, indent));
}

/** Formats the report as preflight.json. */
export function findingsJson(report: PreflightReport): string {
  return `${printableJson(report, 2)}\n`;
}
