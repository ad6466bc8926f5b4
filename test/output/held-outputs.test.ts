import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../src/journal/signals.ts';
import { Log } from '../../src/journal/log.ts';
import { readerFor } from '../../src/output/display.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { Redactor } from '../../src/util/redact.ts';
import { step } from '../helpers/entries.ts';
import { runRecord, stepRecord } from '../helpers/records.ts';

const redactor = new Redactor();
redactor.add('password', 'päßword');
redactor.add('longer', 'päßword-and-more');
redactor.add('periodic', 'abcab');

type Piece = Pick<Extract<Signal, { t: 'output' }>, 'of' | 'text'> & { isCut?: boolean };

/** The output that a display gets before and after the unit ends. */
function shown(pieces: readonly Piece[]): { before: string[]; after: string } {
  const log = Log.inMemory(redactor);
  const seen: RunEvent[] = [];
  const display = {
    show: (event: RunEvent) => seen.push(event),
    finish: () => Promise.resolve(),
    forPrograms: true as const,
  };
  log.subscribe(readerFor(display, redactor), (error) => {
    throw error;
  });
  log.write(runRecord({ hosts: ['h1'] }));
  log.write(stepRecord(1, ['h1']));
  for (const { of, text, isCut = false } of pieces)
    log.signal({ t: 'output', step, host: 'h1', of, text, isCut });
  const texts = () => seen.flatMap((event) => (event.type === 'output' ? [event.text] : []));
  const before = texts();
  log.write({ t: 'result', unit: 1, step: 1, host: 'h1', state: 'ok', durationMs: 1 });
  expect(seen.at(-1)?.type).toBe('unit-end');
  return { before, after: texts().join('') };
}

describe('an output that arrives in pieces', () => {
  it('is shown completely and in order, with secrets masked that are split between pieces', () => {
    const word = fc.constantFrom(
      'päßword',
      'päßword-and-more',
      'pä',
      'x',
      '\n',
      'abcab',
      'abc',
      'päßword-and',
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(word), sizes, (words, cuts) => {
        const text = words.join('');
        const pieces: Piece[] = [];
        for (let at = 0, index = 0; at < text.length; index++) {
          const size = cuts[index % cuts.length] ?? 1;
          pieces.push({ of: '1.1.stdout', text: text.slice(at, at + size) });
          at += size;
        }
        const { after } = shown(pieces);
        expect(after).not.toContain('päßword');
        expect(after).toBe(redactor.mask(text));
      }),
    );
  });

  it('is held back only if it may be the start of a secret', () => {
    const of = '1.1.stdout';
    expect(shown([{ of, text: 'done\n' }]).before).toEqual(['done\n']);
    expect(shown([{ of, text: 'done pä' }])).toEqual({ before: ['done '], after: 'done pä' });
  });

  it('is not mixed with other outputs of the same or another unit', () => {
    const mixed = shown([
      { of: '1.1.stdout', text: 'päß' },
      { of: '1.1.stderr', text: 'error' },
      { of: '2.1.stdout', text: 'other' },
      { of: '1.1.stdout', text: 'word' },
    ]);
    expect(mixed.after).toBe('errorother***');
  });

  it('shows no part of a truncated secret', () => {
    const of = '1.1.stdout';
    const cut = shown([
      { of, text: 'päß' },
      { of, text: `word-and-more, and${' much more'.repeat(9)} text`, isCut: true },
    ]);
    expect(cut.after).not.toMatch(/päß|word|and/);
    expect(cut.after).toMatch(/more text$/);
  });
});
