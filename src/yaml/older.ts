import type { Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';

/** A value that YAML 1.1 reads in another way than YAML 1.2, such as `yes` and `0644`. */
export interface OlderValue {
  name: string;
  text: string;
  at: SourceRef;
}

const BOOLEAN = /^(yes|no|on|off)$/i;
const OCTAL = /^[-+]?0[0-7]+$/;
const UNDERSCORES = /^[-+]?[1-9]\d*(_\d+)+$/;
const SIXTIES = /^[-+]?[1-9]\d*(:[0-5]?\d)+$/;

/** @param text as it stands in the file, without quotes */
export function isOlder(text: string): boolean {
  return [BOOLEAN, OCTAL, UNDERSCORES, SIXTIES].some((one) => one.test(text));
}

const SHOWN = 4;

/** One note for a file. */
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
      hint: 'Write true or false, or put the value in quotes.',
    },
  ];
}
