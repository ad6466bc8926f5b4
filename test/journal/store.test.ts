import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFile } from '../../src/journal/disk-file.ts';
import { RunStore } from '../../src/journal/store.ts';
import { systemRandom } from '../../src/util/random.ts';
import { Redactor } from '../../src/util/redact.ts';

let folder: string;
let store: RunStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runner-store-'));
  store = new RunStore(folder, systemRandom);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const begin = (at: string) => {
  const id = store.create(new Date(at));
  writeFileSync(store.journalPath(id), 'record\n');
  return id;
};

describe('the ids of runs', () => {
  it('sort by when the runs began, within a second too', () => {
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

  it('are given once, until the millisecond has none left', () => {
    const at = '2026-03-01T10:00:00.999Z';
    const begun = Array.from({ length: 65 }, () => begin(at));
    expect(new Set(begun).size).toBe(65);
    expect(() => begin(at)).toThrow('Too many runs');
  });
});

it('draws the id of a run below 65', () => {
  const drawn = (number: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return new RunStore(folder, { bytes: () => bytes }).create(new Date(1));
  };
  expect(drawn(64)).toBe(`19700101-000000-${(65 + 64).toString(16).padStart(4, '0')}`);
  expect(drawn(65)).toBe(`19700101-000000-${(65).toString(16).padStart(4, '0')}`);
});

describe('the copies of files of hosts', () => {
  const copy = { copyOf: '/etc/a', unit: 1 };

  it.each(['utf8', 'latin1', 'utf16le'] as const)(
    'are not kept with a secret in them, whatever its letters, in %s',
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

describe('the copies of files that a run reads', () => {
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

  it('are on disk with all that leads to them before a record names them', () => {
    const id = store.create(new Date('2026-03-01T10:00:00.000Z'));
    const path = join(folder, 'own.mjs');
    writeFileSync(path, 'export default 1;');
    const [file] = store.pin(id, [path]);
    DiskFile.create(store.journalPath(id)).close();
    const directory = store.directory(id);
    const wanted = [dirname(directory), directory, join(directory, 'files')];
    expect(synced).toEqual(
      expect.arrayContaining([...wanted, join(directory, file?.pinned ?? '')]),
    );
    // The entry of the journal is made after that of the other files.
    expect(synced.at(-1)).toBe(directory);
  });

  it('are read from the file itself where a copy is damaged and the file is the same', () => {
    const id = store.create(new Date('2026-03-01T10:00:00.000Z'));
    const path = join(folder, 'own.mjs');
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
  it('is no run when its journal is empty', () => {
    const id = begin('2026-03-01T10:00:00.000Z');
    writeFileSync(store.journalPath(id), '');
    expect(store.ids()).toEqual([]);
    expect(store.openRuns()).toEqual([]);
  });

  it('is named, with its directory, when the record is torn', () => {
    const id = begin('2026-03-01T10:00:00.000Z');
    writeFileSync(store.journalPath(id), '1 {"t":"run"');
    expect(() => store.read(id)).toThrow(`Run ${id} was interrupted before its first record`);
  });
});
