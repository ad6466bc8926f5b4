import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal, readJournal } from '../../src/journal/journal.ts';
import { Redactor } from '../../src/util/redact.ts';
import { Sealer } from '../../src/util/seal.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-journal-'));
  path = join(dir, 'journal');
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function write(count: number, redactor = new Redactor()): Promise<void> {
  const journal = Journal.create(path, redactor);
  const records = Array.from({ length: count }, (_, unit) => ({ t: 'undo-intent' as const, unit }));
  await Promise.all(records.map((record) => journal.append(record)));
  await journal.close();
}

describe('a journal', () => {
  it('gives back what was written, in order', async () => {
    await write(50);
    expect(readJournal(path).records).toEqual(
      Array.from({ length: 50 }, (_, unit) => ({ t: 'undo-intent', unit })),
    );
  });

  it('cut at any byte keeps every whole record', async () => {
    await write(6);
    const bytes = readFileSync(path);
    const ends = [...bytes.entries()]
      .filter(([, byte]) => byte === 0x0a)
      .map(([index]) => index + 1);
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      const { records, validBytes } = readJournal(path);
      expect(records).toHaveLength(ends.filter((end) => end <= length).length);
      expect(validBytes).toBeLessThanOrEqual(length);
    }
  });

  it('damaged in the middle names the byte', async () => {
    await write(3);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf(0x0a) + 5] = 0x58;
    writeFileSync(path, bytes);
    expect(() => readJournal(path)).toThrow(`byte ${String(bytes.indexOf(0x0a) + 1)}`);
  });

  it('goes on after a torn record', async () => {
    await write(3);
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    const { journal, records } = Journal.reopen(path, new Redactor());
    expect(records).toHaveLength(2);
    await journal.append({ t: 'undo-intent', unit: 9 });
    await journal.close();
    expect(readJournal(path).records.at(-1)).toEqual({ t: 'undo-intent', unit: 9 });
  });

  it('that cannot be written refuses everything from then on', async () => {
    const journal = Journal.create(path, new Redactor());
    await journal.close();
    await expect(journal.append({ t: 'undo-intent', unit: 1 })).rejects.toMatchObject({
      code: 'JOURNAL',
    });
    await expect(journal.append({ t: 'undo-intent', unit: 2 })).rejects.toMatchObject({
      code: 'JOURNAL',
    });
  });

  it('holds secrets as references only, and resolves them when they are given again', async () => {
    const redactor = new Redactor();
    redactor.add('admin_password', 'pa"ss wörd');
    const journal = Journal.create(path, redactor);
    const message = `x pa"ss wörd y ${Buffer.from('pa"ss wörd').toString('base64')}`;
    await journal.append({ t: 'undo-result', unit: 1, state: 'undone', message, durationMs: 1 });
    await journal.close();
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain('wörd');
    expect(text).not.toContain(Buffer.from('pa"ss wörd').toString('base64').replace(/=+$/, ''));
    const [record] = readJournal(path).records;
    expect(redactor.resolveAll(record as never)).toMatchObject({
      message: expect.stringContaining('pa"ss wörd') as string,
    });
    expect(() => new Redactor().resolveAll(record as never)).toThrow('"admin_password"');
  });
});

describe('a sealer', () => {
  it('opens with the same secrets only', () => {
    const sealed = new Sealer(['a', 'b'], 'run').seal('hidden');
    expect(sealed).not.toContain('hidden');
    expect(new Sealer(['b', 'a'], 'run').open(sealed)).toBe('hidden');
    expect(new Sealer(['a'], 'run').open(sealed)).toBeUndefined();
    expect(new Sealer(['a', 'b'], 'other').open(sealed)).toBeUndefined();
  });
});
