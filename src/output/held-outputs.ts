import type { JournalRecord } from '../journal/records.ts';
import type { Signal } from '../journal/signals.ts';
import type { Redactor } from '../util/redact.ts';

type Entry = JournalRecord | Signal;
type Output = Extract<Signal, { t: 'output' }>;

/** Entries that end all pending outputs. */
const endsAll: ReadonlySet<Entry['t']> = new Set([
  'undo-step-end',
  'fingerprint',
  'verified',
  'over',
]);

/**
 * Regroups the pieces of an output so that no secret is split between two pieces, which would
 * prevent masking. Text that may be the start of a secret is held back until the next piece or the
 * end of the output.
 */
export class HeldOutputs {
  readonly #redactor: Redactor;
  /** The last piece of each output, with the text that is held back. */
  readonly #held = new Map<string, Output>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /**
   * Returns the entries to show now. Output that the given entry completes comes before the entry
   * itself.
   */
  pass(entry: Entry): Entry[] {
    if (entry.t !== 'output') return [...this.#endedBy(entry), entry];
    const shown = this.#take(entry);
    return shown.text === '' ? [] : [shown];
  }

  #take(piece: Output): Output {
    const { reach } = this.#redactor;
    const before = this.#held.get(piece.of)?.text ?? '';
    // Text before this piece was dropped. Its first characters may be the rest of a secret, so drop
    // them, too.
    const whole = piece.isCut ? piece.text.slice(reach) : before + piece.text;
    const sure = this.#redactor.sureLength(whole);
    this.#held.set(piece.of, { ...piece, text: whole.slice(sure) });
    return { ...piece, text: whole.slice(0, sure) };
  }

  #endedBy(entry: Entry): Output[] {
    if (entry.t === 'details' || entry.t === 'result' || entry.t === 'undo-result') {
      const unit = `${String(entry.unit)}.`;
      return this.#release(({ of }) => of.startsWith(unit));
    }
    if (entry.t === 'step-end')
      return this.#release(({ step }) => step.number === entry.step.number);
    return endsAll.has(entry.t) ? this.#release(() => true) : [];
  }

  #release(isOver: (output: Output) => boolean): Output[] {
    const over = [...this.#held].filter(([, output]) => isOver(output));
    for (const [of] of over) this.#held.delete(of);
    return over.map(([, output]) => output).filter(({ text }) => text !== '');
  }
}
