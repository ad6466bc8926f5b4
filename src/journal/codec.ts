import { createHash } from 'node:crypto';
import type { JsonValue } from '../core/json.ts';
import type { JournalRecord } from './records.ts';

/** A record as it stands in the file: its number in front, its checksum behind. */
export function encodeRecord(number: number, stored: JsonValue): string {
  const body = `${String(number)} ${JSON.stringify(stored)}`;
  return `${body} ${checksum(body)}\n`;
}

/** The record with that number in a line without its end; undefined when the line is torn or damaged. */
export function decodeRecord(line: string, number: number): JournalRecord | undefined {
  const start = line.indexOf(' ');
  const end = line.lastIndexOf(' ');
  if (start <= 0 || end <= start) return undefined;
  if (line.slice(end + 1) !== checksum(line.slice(0, end))) return undefined;
  if (Number(line.slice(0, start)) !== number) return undefined;
  return JSON.parse(line.slice(start + 1, end)) as JournalRecord;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
