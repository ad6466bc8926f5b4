import type { LogReader } from '../journal/log.ts';
import { mapTexts, type Redactor } from '../util/redact.ts';
import { printable } from '../util/text.ts';
import { HeldOutputs } from './held-outputs.ts';
import { eventReader, type RunEvent } from './events.ts';

export interface Display {
  show(event: RunEvent): void;
  /** The output is read by a program, so runner does not prompt. */
  forPrograms?: true;
  /** Stops drawing until the returned function is called. */
  hold?(): () => void;
  /** Resolves when everything is drawn. */
  finish(): Promise<void>;
}

export type WriteText = (text: string) => void;

/**
 * Connects a display to a log. Entries contain plain secrets and arbitrary text from hosts. The
 * display gets them with masked secrets and, unless a program reads the output, with escaped
 * control characters.
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

/**
 * In file contents, carriage returns are shown too: two versions may differ only in their line
 * ends.
 */
function visible(text: string, field: string): string {
  const isContent = field === 'before' || field === 'after';
  return printable(isContent ? text.replaceAll('\r', String.raw`\r`) : text);
}
