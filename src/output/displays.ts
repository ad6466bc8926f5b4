import type { EventSink, RunEvent } from '../core/events.ts';
import type { StepSummary } from './step-summary.ts';
import type { TextWriter } from './text.ts';

export interface Display {
  sink: EventSink;
  /** Made for programs: nobody who reads it could answer a question. */
  forPrograms?: true;
  /** Leaves the screen to somebody else until the function it gives is called. */
  hold?(): () => void;
  /** Resolves when everything is on the screen. */
  finish(): Promise<void>;
}

export type WriteText = (text: string) => void;

/** One line per finished step, for logs, pipes and small terminals. */
export function plainDisplay(text: TextWriter, write: WriteText): Display {
  const steps = new StepCollector();
  return {
    sink(event) {
      const summary = steps.collect(event);
      const lines =
        event.type === 'step-end' && summary
          ? text.stepLines(summary, event.durationMs)
          : text.lines(event);
      if (lines.length > 0) write(`${lines.join('\n')}\n`);
    },
    finish: () => Promise.resolve(),
  };
}

/** One versioned event per line, and nothing else. */
export function jsonDisplay(write: WriteText): Display {
  return {
    forPrograms: true,
    sink(event) {
      write(`${JSON.stringify({ v: 1, at: new Date().toISOString(), ...event })}\n`);
    },
    finish: () => Promise.resolve(),
  };
}

/** Gathers the units of each step. */
export class StepCollector {
  readonly #steps = new Map<number, StepSummary>();

  /** The step the event belongs to; a step that ends is forgotten. */
  collect(event: RunEvent): StepSummary | undefined {
    if (event.type === 'step-start') {
      const summary = { step: event.step, hosts: event.hosts, ends: [] };
      this.#steps.set(event.step.number, summary);
      return summary;
    }
    if (!('step' in event)) return undefined;
    const summary = this.#steps.get(event.step.number);
    if (event.type === 'unit-end') summary?.ends.push(event);
    if (event.type === 'step-end') this.#steps.delete(event.step.number);
    return summary;
  }
}
