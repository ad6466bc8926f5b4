import { describe, expect, it } from 'vitest';
import { Log } from '../../src/journal/log.ts';
import type { RunEvent } from '../../src/output/events.ts';
import { plainDisplay, TextWriter, type TextOptions } from '../../src/output/plain.ts';
import { Redactor } from '../../src/util/redact.ts';
import { failedRun, showEntries } from '../helpers/entries.ts';

const same = (text: string): string => text;
const palette = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

function linesOf(events: readonly RunEvent[], options: Partial<TextOptions> = {}): string[] {
  let text = '';
  const quiet = { diff: false, undo: false, verbose: false };
  const display = plainDisplay(new TextWriter({ palette, ...quiet, ...options }), (more) => {
    text += more;
  });
  for (const event of events) display.show(event);
  return text.trimEnd().split('\n');
}

const events = () => showEntries(Log.inMemory(new Redactor()), failedRun);

describe('the plain display', () => {
  it('shows a run that failed and was rolled back', () => {
    expect(linesOf(events())).toEqual([
      'Run r1: playbook, 2 hosts',
      '',
      'Play (batch 1 of 2): h1, h2',
      '  not run on h3: failed earlier and rolled back',
      '  failed   s1: h2 failed; h1 changed',
      '           h2: no',
      '  ── commit point: gate ──',
      'warning: careful',
      '',
      'all of it',
      '',
      'Rolling back run r1 after a failure: 1 change',
      '  undone   s1: h1',
      '  DIFFERS  Ports on h1',
      '      --- h1: Ports',
      '      +++ h1: Ports',
      '      @@ -1,1 +1,1 @@',
      '      -port 22',
      '      +port 23',
      '',
      'Failed. (20ms)',
      'Next:',
      '  runner show r1',
    ]);
  });

  it('shows predicted changes in check mode', () => {
    const planned = events().map((event) =>
      event.type === 'run-start' ? { ...event, check: true } : event,
    );
    const lines = linesOf(planned);
    expect(lines[0]).toBe('Plan: playbook, 2 hosts');
    expect(lines).toContain('  failed        s1: h2 failed; h1 would change');
  });

  it('shows output, retries and verified states with --verbose, and undos in a plan', () => {
    const lines = linesOf(events(), { verbose: true });
    expect(lines).toContain('    h1: attempt 1 of 3: not yet');
    expect(lines).toContain('           h1| done');
    expect(lines).toContain('  verified 1 automatic undo on h1');
    expect(linesOf(events(), { undo: true })).toContain(
      '           h1: write /etc/a  [undo: auto]',
    );
  });
});
