import type { LogReader } from '../journal/log.ts';
import type { Redactor } from '../util/redact.ts';
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

/** How a display reads a log. Entries hold secrets in plain; what the display gets to see is masked. */
export function readerFor(display: Display, redactor: Redactor): LogReader {
  return eventReader((event) => {
    display.show(redactor.maskAll(event));
  });
}
