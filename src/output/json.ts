import type { Display, WriteText } from './display.ts';

/** Prints one versioned event per line, and nothing else. */
export function jsonDisplay(write: WriteText): Display {
  return {
    forPrograms: true,
    show(event) {
      write(`${JSON.stringify({ v: 1, at: new Date().toISOString(), ...event })}\n`);
    },
    finish: () => Promise.resolve(),
  };
}
