import type { RunEvent } from '../../src/output/events.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import type { StoredRecord } from '../../src/journal/records.ts';

export interface Recording {
  events: readonly RunEvent[];
  records: readonly StoredRecord[];
  /** Text of the playbook, which shows whether hosts and loop items run in any order. */
  playbook: string;
  /** Texts that are specific to this run, such as its directory, with their placeholders. */
  placeholders: ReadonlyMap<string, string>;
}

/** One line of a trace before it is printed. */
interface Line {
  /** First word: the type of the event or record. */
  type: string;
  step: number | undefined;
  /** Host of the line; undefined for all hosts. */
  hosts: readonly string[] | undefined;
  item: string | undefined;
  /** Lines of the same group and of different hosts happen in any order. */
  group: string | undefined;
  rest: JsonObject;
}

/**
 * Prints the events and the records of a run, one per line, so that two runs of the same playbook
 * have the same text. Lines of a host keep their order. If hosts work in parallel, their lines are
 * ordered by host name.
 */
export function printTrace(recording: Recording): string[] {
  const free = /\bstrategy: free\b/.test(recording.playbook);
  const order = { free, parallelItems: /\bparallel: /.test(recording.playbook) };
  const records = sortFreeParts(recordLines(recording.records), order);
  const events = sortFreeParts(eventLines(recording.events), order);
  const steps = numbering([...records, ...events].flatMap(({ step }) => step ?? []));
  const units = numbering(
    records.flatMap(({ type, rest }) =>
      type === 'intent' || type === 'result' ? Number(rest['unit']) : [],
    ),
  );
  const print = (line: Line) => printLine(line, { steps, units }, recording.placeholders);
  return [
    ...(events.length > 0 ? ['events', ...events.map(print)] : []),
    ...(records.length > 0 ? ['records', ...records.map(print)] : []),
  ];
}

function eventLines(events: readonly RunEvent[]): Line[] {
  const hostsOf = new Map<number, string[]>();
  let current: number | undefined;
  const lines = events.map((event): Line => {
    const { type } = event;
    const rest = without(event, ['type', ...(type === 'step-start' ? [] : ['step'])]);
    if (event.type === 'step-start') {
      hostsOf.set(event.step.number, event.hosts);
      current = event.step.number;
    }
    const step = 'step' in event ? event.step.number : undefined;
    const wholeStep = type === 'step-start' || type === 'step-end';
    // Any running host may have sent a message, so it can be anywhere among their lines.
    if (event.type === 'message')
      return {
        ...nothing,
        type,
        hosts: [`~${event.text}`],
        group: `step ${String(current)}`,
        rest,
      };
    return {
      type,
      step,
      hosts: 'host' in event ? [event.host] : wholeStep ? hostsOf.get(step ?? 0) : undefined,
      item: 'item' in event ? event.item : undefined,
      group: wholeStep ? undefined : step === undefined ? type : `step ${String(step)}`,
      rest,
    };
  });
  return joinOutput(lines);
}

const without = (map: object, keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));

const nothing = { step: undefined, hosts: undefined, item: undefined, group: undefined };

/** Output arrives in pieces of any size. */
function joinOutput(lines: readonly Line[]): Line[] {
  const joined: Line[] = [];
  for (const line of lines) {
    const before = joined.findLast(
      ({ step, hosts }) => step === line.step && hosts?.[0] === line.hosts?.[0],
    );
    if (line.type === 'output' && before?.type === 'output')
      before.rest['text'] = `${String(before.rest['text'])}${String(line.rest['text'])}`;
    else joined.push(line);
  }
  return joined;
}

function recordLines(records: readonly StoredRecord[]): Line[] {
  const intents = new Map<number, { host: string; step: number }>();
  return records.map((record): Line => {
    const { t: type } = record;
    const rest = without(record, ['t', ...(type === 'step' ? [] : ['step'])]);
    if (record.t === 'intent') intents.set(record.unit, record);
    const intent = 'unit' in record ? intents.get(record.unit) : undefined;
    const step =
      record.t === 'step'
        ? record.step.number
        : 'step' in record
          ? record.step
          : record.t.startsWith('undo-')
            ? intent?.step
            : undefined;
    const host = 'host' in record ? record.host : record.t === 'commit' ? undefined : intent?.host;
    return {
      type,
      step,
      hosts: record.t === 'step' ? record.hosts : host === undefined ? undefined : [host],
      item: 'item' in record ? JSON.stringify(record.item) : undefined,
      group: record.t === 'step' ? undefined : step === undefined ? type : `step ${String(step)}`,
      rest,
    };
  });
}

interface Order {
  /** Hosts do not wait for each other between steps. */
  free: boolean;
  /** Items of a loop run at the same time on one host. */
  parallelItems: boolean;
}

/** The smallest of all orders in which dependent lines keep their order. */
function sortFreeParts(lines: readonly Line[], order: Order): Line[] {
  const rest = [...lines];
  const sorted: Line[] = [];
  while (rest.length > 0) {
    let best = 0;
    for (const [index, line] of rest.entries()) {
      if (rest.slice(0, index).some((earlier) => depends(earlier, line, order))) {
        // No later line can move before a line of all hosts.
        if (line.hosts === undefined) break;
        continue;
      }
      if (keyOf(line) < keyOf(rest[best]!)) best = index;
    }
    sorted.push(...rest.splice(best, 1));
  }
  return sorted;
}

const keyOf = ({ hosts = [''], item = '' }: Line): string => `${hosts.join(' ')} ${item}`;

function depends(a: Line, b: Line, { free, parallelItems }: Order): boolean {
  if (a.hosts === undefined || b.hosts === undefined) return true;
  if (!free && (a.group === undefined || a.group !== b.group)) return true;
  if (!a.hosts.some((host) => b.hosts?.includes(host))) return false;
  return !(
    parallelItems &&
    a.group === b.group &&
    a.item !== undefined &&
    b.item !== undefined &&
    a.item !== b.item
  );
}

/** Numbers from 1 in the order of their first appearance. */
function numbering(numbers: readonly number[]): Map<number, number> {
  return new Map([...new Set(numbers)].map((number, index) => [number, index + 1]));
}

interface Numbers {
  steps: ReadonlyMap<number, number>;
  units: ReadonlyMap<number, number>;
}

function printLine(
  { type, step, rest }: Line,
  { steps, units }: Numbers,
  placeholders: ReadonlyMap<string, string>,
): string {
  const values = without(rest, ['unit', 'durationMs', 'pid', 'bootId']);
  const number = step === undefined ? [] : [`#${String(steps.get(step) ?? step)}`];
  const unitOf = (unit: JsonValue) => units.get(Number(unit)) ?? Number(unit);
  /** Of a unit that represents itself and all earlier ones. */
  const lastOf = (last: JsonValue) =>
    Math.max(0, ...[...units].flatMap(([unit, now]) => (unit <= Number(last) ? now : [])));
  const { unit, upTo, block } = rest;
  if (unit !== undefined && type === 'commit') values['unit'] = lastOf(unit);
  else if (unit !== undefined) number.push(`u${String(unitOf(unit))}`);
  if (upTo !== undefined) values['upTo'] = lastOf(upTo);
  if (isMap(block)) values['block'] = { ...block, until: lastOf(block['until'] ?? 0) };
  if (isMap(values['step'])) values['step'] = without(values['step'], ['number']);
  return [type, ...number, replaceAll(JSON.stringify(values, shortened), placeholders)].join(' ');
}

/** Places in files as `FILE:LINE:COLUMN`. */
function shortened(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('column' in value)) return value;
  const { file, line, column } = value as { file: string; line: number; column: number };
  return `${file}:${String(line)}:${String(column)}`;
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function replaceAll(text: string, placeholders: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [found, placeholder] of placeholders) result = result.replaceAll(found, placeholder);
  return result;
}
