import type { Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';

/** A value that YAML 1.1 and YAML 1.2 read differently, such as `yes` and `0644`. */
export interface OlderValue {
  name: string;
  text: string;
  at: SourceRef;
}

const BOOLEAN = /^(yes|no|on|off)$/i;
const OCTAL = /^[-+]?0[0-7]+$/;
const UNDERSCORES = /^[-+]?[1-9]\d*(_\d+)+$/;
const SIXTIES = /^[-+]?[1-9]\d*(:[0-5]?\d)+$/;

/** @param text as in the file, without quotes */
export function isOlder(text: string): boolean {
  return [BOOLEAN, OCTAL, UNDERSCORES, SIXTIES].some((one) => one.test(text));
}

const SHOWN = 4;

/** One note per file. */
export function olderNote(values: readonly OlderValue[]): Problem[] {
  const [first] = values;
  if (!first) return [];
  const shown = values.slice(0, SHOWN).map(({ name, text }) => `"${name}: ${text}"`);
  const rest = values.length - shown.length;
  const more = rest > 0 ? ` and ${String(rest)} more` : '';
  return [
    {
      message: `Ansible reads YAML 1.1, and runner YAML 1.2, in which yes, no, on and off are text and 0644 is 644: ${shown.join(', ')}${more}.`,
      at: first.at,
      hint: 'Use true or false, or quote the value.',
    },
  ];
}
