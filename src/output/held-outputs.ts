import type { JournalRecord } from '../journal/records.ts';
import type { Signal } from '../journal/signals.ts';
import type { Redactor } from '../util/redact.ts';

type Entry = JournalRecord | Signal;
type Output = Extract<Signal, { t: 'output' }>;

/** No output goes on over them. */
const endsAll: ReadonlySet<Entry['t']> = new Set([
  'undo-step-end',
  'fingerprint',
  'verified',
  'over',
]);

/**
 * Cuts outputs that come in pieces anew, so that each secret is whole in a piece, and can be masked. What may be the
 * beginning of one waits for the next piece, or for the end of the output.
 */
export class HeldOutputs {
  readonly #redactor: Redactor;
  /** By output: its last piece, with the text that waits. */
  readonly #held = new Map<string, Output>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** What can be shown now that there is this entry: in its place for an output, before it for all others. */
  pass(entry: Entry): Entry[] {
    if (entry.t !== 'output') return [...this.#endedBy(entry), entry];
    const shown = this.#take(entry);
    return shown.text === '' ? [] : [shown];
  }

  #take(piece: Output): Output {
    const { reach } = this.#redactor;
    const before = this.#held.get(piece.of)?.text ?? '';
    // Of a secret that the cut goes through, neither part is known for one.
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
