import type { LogReader } from '../journal/log.ts';
import { mapTexts, type Redactor } from '../util/redact.ts';
import { printable } from '../util/text.ts';
import { HeldOutputs } from './held-outputs.ts';
import { eventReader, type RunEvent } from './events.ts';

export interface Display {
  show(event: RunEvent): void;
  /** Made for programs: nobody who reads it could answer a question. */
  forPrograms?: true;
  /** Leaves the screen to somebody else until the function it gives is called. */
  hold?(): () => void;
  /** Resolves when everything is on the screen. */
  finish(): Promise<void>;
}

export type WriteText = (text: string) => void;

/**
 * How a display reads a log. Entries hold secrets in plain, and texts of hosts with any characters: what the display gets to
 * see is masked and, unless programs read it, shows control characters instead of sending them to the terminal.
 */
export function readerFor(display: Display, redactor: Redactor): LogReader {
  const held = new HeldOutputs(redactor);
  const read = eventReader((event) => {
    const masked = redactor.maskAll(event);
    display.show(display.forPrograms === true ? masked : mapTexts(masked, visible));
  });
  return (entry, state) => {
    for (const one of held.pass(entry)) read(one, state);
  };
}

/** Before and after a change, the ends of lines may be all that differs. */
function visible(text: string, field: string): string {
  const isContent = field === 'before' || field === 'after';
  return printable(isContent ? text.replaceAll('\r', String.raw`\r`) : text);
}
