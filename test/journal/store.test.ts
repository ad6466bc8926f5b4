import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFile } from '../../src/journal/disk-file.ts';
import { RunStore } from '../../src/journal/store.ts';
import { systemRandom } from '../../src/util/random.ts';
import { Redactor } from '../../src/util/redact.ts';

let directory: string;
let store: RunStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'runner-store-'));
  store = new RunStore(directory, systemRandom);
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const begin = (at: string) => {
  const id = store.create(new Date(at));
  writeFileSync(store.journalPath(id), 'record\n');
  return id;
};

describe('the IDs of runs', () => {
  it('sort by start time, also within a second', () => {
    const times = [
      '2026-03-01T10:00:00.004Z',
      '2026-03-01T10:00:00.005Z',
      '2026-03-01T10:00:00.999Z',
    ];
    const begun = times.map(begin);
    expect(store.ids()).toEqual(begun.toReversed());
    expect(store.find(undefined)).toBe(begun.at(-1));
    for (const id of begun) expect(id).toMatch(/^20260301-100000-[\da-f]{4}$/);
  });

  it('are unique, and at most 65 per millisecond', () => {
    const at = '2026-03-01T10:00:00.999Z';
    const begun = Array.from({ length: 65 }, () => begin(at));
    expect(new Set(begun).size).toBe(65);
    expect(() => begin(at)).toThrow('Too many runs');
  });
});

it('adds a random number below 65 to the ID of a run', () => {
  const drawn = (number: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return new RunStore(directory, { bytes: () => bytes }).create(new Date(1));
  };
  expect(drawn(64)).toBe(`19700101-000000-${(65 + 64).toString(16).padStart(4, '0')}`);
  expect(drawn(65)).toBe(`19700101-000000-${(65).toString(16).padStart(4, '0')}`);
});

describe('copies of files of hosts', () => {
  const copy = { copyOf: '/etc/a', unit: 1 };

  it.each(['utf8', 'latin1', 'utf16le'] as const)(
    'are not stored if they contain a secret, in %s',
    (encoding) => {
      const redactor = new Redactor();
      redactor.add('password', 'påsswörd');
      const copies = store.copies(begin('2026-03-01T10:00:00.000Z'), redactor);
      copies.keep(copy, Buffer.from('key = påsswörd\n', encoding));
      expect(copies.read(copy)).toBeUndefined();
      const other = Buffer.from('key = pässword\n', encoding);
      copies.keep(copy, other);
      expect(copies.read(copy)).toEqual(other);
    },
  );
});

describe('copies of files that a run reads', () => {
  const synced: string[] = [];
  const { fsyncSync } = fs;
  beforeEach(() => {
    fs.fsyncSync = (file) => {
      synced.push(fs.readlinkSync(`/proc/self/fd/${String(file)}`));
      fsyncSync(file);
    };
    syncBuiltinESMExports();
  });
  afterEach(() => {
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
  });

  it('are synced with their directories before a record names them', () => {
    const id = store.create(new Date('2026-03-01T10:00:00.000Z'));
    const path = join(directory, 'own.mjs');
    writeFileSync(path, 'export default 1;');
    const [file] = store.pin(id, [path]);
    DiskFile.create(store.journalPath(id)).close();
    const runDirectory = store.directory(id);
    const wanted = [dirname(runDirectory), runDirectory, join(runDirectory, 'files')];
    expect(synced).toEqual(
      expect.arrayContaining([...wanted, join(runDirectory, file?.pinned ?? '')]),
    );
    // The directory entry of the journal is synced last.
    expect(synced.at(-1)).toBe(runDirectory);
  });

  it('are read from the original file if the copy is damaged and the file is unchanged', () => {
    const id = store.create(new Date('2026-03-01T10:00:00.000Z'));
    const path = join(directory, 'own.mjs');
    writeFileSync(path, 'export default 1;');
    const [file] = store.pin(id, [path]);
    if (!file) throw new Error('Nothing was pinned.');
    writeFileSync(join(store.directory(id), file.pinned), '');
    expect(store.pinnedText(id, file)).toBe('export default 1;');
    writeFileSync(path, 'export default 2;');
    expect(() => store.pinnedText(id, file)).toThrow('is damaged');
  });
});

describe('a run that was killed before its first record', () => {
  it('is not listed if its journal is empty', () => {
    const id = begin('2026-03-01T10:00:00.000Z');
    writeFileSync(store.journalPath(id), '');
    expect(store.ids()).toEqual([]);
    expect(store.openRuns()).toEqual([]);
  });

  it('is reported if the record is torn', () => {
    const id = begin('2026-03-01T10:00:00.000Z');
    writeFileSync(store.journalPath(id), '1 {"t":"run"');
    expect(() => store.read(id)).toThrow(`Run ${id} was interrupted before its first record`);
  });
});
