import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exec } from '../../src/core/action.ts';
import { commandFailure } from '../../src/core/failure.ts';
import { encodeRecord } from '../../src/journal/codec.ts';
import { parseJournal, readJournal } from '../../src/journal/journal-file.ts';
import type { JournalFile } from '../../src/core/ports.ts';
import { DiskFile } from '../../src/journal/disk-file.ts';
import { Log } from '../../src/journal/log.ts';
import { readRun, type RecordedRun } from '../../src/journal/recorded-run.ts';
import type { IntentRecord, JournalRecord, LearntRecord } from '../../src/journal/records.ts';
import { reveal } from '../../src/journal/stored.ts';
import type { Signal } from '../../src/journal/signals.ts';
import { systemRandom } from '../../src/util/random.ts';
import { Redactor } from '../../src/util/redact.ts';
import { Sealer } from '../../src/util/seal.ts';
import { runRecord } from '../helpers/records.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-log-'));
  path = join(dir, 'journal');
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const become = { enabled: false, user: 'root', method: 'sudo' as const };
const intent = (unit: number, step: number, host: string): IntentRecord => ({
  ...{ t: 'intent', unit, step, host, target: host, module: 'copy', actions: ['write /etc/a'] },
  ...{ args: { dest: '/etc/a' }, become },
  undo: {
    body: { kind: 'auto', calls: [{ module: 'restore_path', args: { path: `/etc/${host}` } }] },
    on: ['changed', 'failed', 'unknown'],
    when: [],
    error: 'block',
    captured: { text: 'x' },
  },
});
const info = (number: number) => ({
  ...{ id: `play/${String(number)}`, number, play: 'p', name: 'n', module: 'copy' },
  ...{ at: { file: 'p.yml', line: 1, column: 1 }, handler: false },
});

const facts = [{ hosts: ['h1'], values: { out: { rc: 0 } } }];

/** A run with one record of each type that changes its state. */
const history: JournalRecord[] = [
  runRecord({ hosts: ['h1', 'h2'] }),
  { t: 'lock', host: 'h1', become },
  { t: 'play', id: 'p', batches: [['h1', 'h2']] },
  { t: 'rollback-policy', play: '', settleSeconds: 5, tasks: [] },
  { t: 'step', step: info(1), hosts: ['h1', 'h2'], key: 'k1' },
  intent(1, 1, 'h1'),
  intent(2, 1, 'h2'),
  { t: 'result', unit: 1, step: 1, host: 'h1', state: 'changed', durationMs: 1, value: { rc: 0 } },
  { t: 'result', unit: 2, step: 1, host: 'h2', state: 'unreachable', durationMs: 1 },
  { t: 'learnt', step: 1, host: 'h1', joined: ['web'], facts },
  { t: 'commit', name: 'c', key: 'c', unit: 0, irreversible: false },
  { t: 'step', step: info(2), hosts: ['h1'], key: 'k2' },
  { ...intent(3, 2, 'h1'), block: { until: 99, replace: true } },
  { t: 'block-end', unit: 3, upTo: 3 },
  { t: 'rescue', failed: 'k1', hosts: ['h2'] },
  { t: 'result', unit: 4, step: 2, host: 'h1', state: 'ok', durationMs: 1, index: 0, item: 'a' },
  { t: 'secret', name: 's', env: 'S' },
  { t: 'file', path: '/p/x.yml', sha256: 'aa', pinned: 'files/aa' },
  { t: 'rollback', reason: 'failed', attempt: 1 },
  { t: 'resolved', unit: 2, state: 'planned' },
  { t: 'undo-intent', unit: 1 },
  { t: 'undo-result', unit: 1, state: 'undone', durationMs: 1 },
  { t: 'recovered' },
  { t: 'end', outcome: 'rolled_back', exitCode: 3, message: 'm', at: '2026-01-01T00:00:00Z' },
  { t: 'resume', pid: 7, bootId: 'b' },
];

/** A state as plain data, including the records that are read from the file. */
const plain = (run: RecordedRun): unknown => {
  const open = (value: unknown): unknown => {
    if (typeof value === 'function') return open((value as () => unknown)());
    if (value instanceof Map) return [...value].map(open);
    if (value instanceof Set) return [...value];
    if (Array.isArray(value)) return value.map(open);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, open(one)]));
  };
  return JSON.parse(JSON.stringify(open(run)));
};

describe('a log', () => {
  it('has the same state after each record as a reader of its file', async () => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    const memory = Log.inMemory(new Redactor());
    for (const [index, record] of history.entries()) {
      log.write(record);
      memory.write(record);
      // Also before the record is in the file.
      const before = plain(log.state);
      await log.sync();
      const { records } = readJournal(path);
      expect(records).toHaveLength(index + 1);
      for (const state of [before, plain(log.state), plain(memory.state)])
        expect(state).toEqual(plain(readRun(records)));
    }
    await log.close();
    const again = Log.reopen(DiskFile.open(path), new Redactor());
    expect(plain(again.state)).toEqual(plain(memory.state));
    expect(again.state.units.get(1)).toMatchObject({ undo: 'undone', state: 'changed' });
    await again.close();
  });

  it('does not keep the undo of a unit in memory if it has a file', async () => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    for (const record of history) log.write(record);
    await log.sync();
    const unit = log.state.units.get(1);
    expect(JSON.stringify(unit)).not.toContain('restore_path');
    expect(unit?.whole().undo.body).toEqual(intent(1, 1, 'h1').undo.body);
    await log.close();
  });

  it.each([
    [{ version: 1 }, 'format 1', 'from before the first release'],
    [{ format: 99, runner: '9.1.0' }, 'format 99', 'Use runner 9.1.0'],
  ])('refuses a journal with the header %j', (other, format, version) => {
    const header = Object.entries(runRecord({ run: 'old' })).filter(
      ([name]) => name !== 'format' && name !== 'runner',
    );
    const line = encodeRecord(1, { ...Object.fromEntries(header), ...other });
    writeFileSync(path, line);
    const open = () => Log.reopen(DiskFile.open(path), new Redactor());
    expect(open).toThrow(`run old has ${format}; this version of runner reads format 5 only.`);
    expect(open).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(version) as string }),
    );
    expect(readFileSync(path, 'utf8')).toBe(line);
  });

  it('has no state before the run record', () => {
    const log = Log.inMemory(new Redactor());
    expect(() => log.state).toThrow('does not start with a run record');
    expect(() => {
      log.write({ t: 'recovered' });
    }).toThrow('does not start with a run record');
    expect(log.hasIntents).toBe(false);
  });

  it('appends records after a torn one, and reads the records before and after it', async () => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    for (const record of history.slice(0, 7)) log.write(record);
    await log.close();
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    const again = Log.reopen(DiskFile.open(path), new Redactor());
    expect([...again.state.units.keys()]).toEqual([1]);
    await again.append(intent(9, 1, 'h2'));
    expect(again.state.units.get(1)?.whole().host).toBe('h1');
    expect(again.state.units.get(9)?.whole().host).toBe('h2');
    await again.close();
    expect(readJournal(path).records.at(-1)).toMatchObject({ t: 'intent', unit: 9 });
  });

  it('refuses all further records after a failed write', async () => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    await log.append(runRecord());
    await log.close();
    await expect(log.append(intent(1, 1, 'h1'))).rejects.toMatchObject({ code: 'JOURNAL' });
    await expect(log.append(intent(2, 1, 'h1'))).rejects.toMatchObject({ code: 'JOURNAL' });
    expect([...log.state.units.keys()]).toEqual([1]);
  });

  it('stores references instead of secrets, and resolves them when the secrets are supplied again', async () => {
    const redactor = new Redactor();
    redactor.add('admin_password', 'pa"ss wörd');
    const log = Log.create(DiskFile.create(path), redactor);
    const text = `x pa"ss wörd y ${Buffer.from('pa"ss wörd').toString('base64')} ${JSON.stringify('pa"ss wörd')}`;
    const values = { text, 'pa"ss wörd': ['⟦secret:admin_password⟧', { $text: [text] }] };
    log.write(runRecord());
    log.write({ ...history[9], facts: [{ hosts: ['h1'], values }] } as JournalRecord);
    const last = commandFailure(exec('login', text), { code: 1, stdout: '', stderr: text });
    const until = { kind: 'condition', of: 'until', text, tries: 2, last } as const;
    const result = { t: 'result', unit: 1, step: 1, host: 'h1', durationMs: 1 } as const;
    log.write({ ...result, state: 'failed', failed: until });
    log.write({ ...result, state: 'ok', why: text });
    const at = '2026-01-01T00:00:00Z';
    await log.append({ t: 'end', outcome: 'done', exitCode: 0, message: text, at });
    expect(log.state.end?.message).toContain('x [secret admin_password] y [secret admin_password]');
    await log.close();
    const [, learnt] = readJournal(path).records as [unknown, LearntRecord<'stored'>];
    const stored = learnt.facts?.[0]?.values;
    expect(stored && reveal(stored, redactor)).toEqual(values);
    expect(() => stored && reveal(stored, new Redactor())).toThrow('"admin_password"');
    const file = readFileSync(path, 'utf8');
    expect(file).not.toContain('wörd');
    expect(file).not.toContain(Buffer.from('pa"ss wörd').toString('base64').replace(/=+$/, ''));
  });
});

describe('a log on a full disk', () => {
  const noSpace = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

  /** A file whose calls fail on request. */
  function fullDisk(): { file: JournalFile; fails: Set<keyof JournalFile>; text: () => string } {
    let bytes = Buffer.alloc(0);
    const fails = new Set<keyof JournalFile>();
    const fail = (call: keyof JournalFile): void => {
      if (fails.has(call)) throw noSpace();
    };
    const later = (work: () => void) => new Promise<void>((done) => setImmediate(done)).then(work);
    return {
      fails,
      text: () => bytes.toString('utf8'),
      file: {
        path: '/full/journal',
        get size() {
          return bytes.length;
        },
        read: (offset, length) => bytes.subarray(offset, offset + length),
        gather: () => later(() => undefined),
        append: (added) =>
          later(() => {
            const fits = fails.has('append') ? 9 : added.length;
            bytes = Buffer.concat([bytes, added.subarray(0, fits)]);
            fail('append');
          }),
        sync: () => later(() => undefined),
        cut: (size) => {
          fail('cut');
          bytes = bytes.subarray(0, size);
        },
        reserve: () => {
          fail('reserve');
        },
        releaseReserve: () => {
          fail('releaseReserve');
        },
        close: () => undefined,
      },
    };
  }

  it.each([0, 1, 2, 3])(
    'refuses pending records if the reserve for a rollback does not fit, %d turns after they were queued',
    async (turns) => {
      const { file, fails } = fullDisk();
      const log = Log.create(file, new Redactor());
      await log.append(runRecord({ hosts: ['h1', 'h2'] }));
      const first = log.append(intent(1, 1, 'h1')).catch((error: unknown) => error);
      for (let turn = 0; turn < turns; turn++) await new Promise((done) => setImmediate(done));
      fails.add('reserve');
      await expect(log.append(intent(2, 1, 'h2'))).rejects.toThrow('Cannot write the journal');
      const settled = await first;
      // A pending write may have succeeded.
      if (settled !== undefined) expect(settled).toMatchObject({ code: 'JOURNAL' });
      await log.recover();
      await log.append({ t: 'rollback', reason: 'failed', attempt: 1 });
      expect(log.state.units.size).toBe(1);
    },
  );

  it('removes the torn line and continues after recovery', async () => {
    const { file, fails, text } = fullDisk();
    const log = Log.create(file, new Redactor());
    await log.append(runRecord({ hosts: ['h1'] }));
    fails.add('append').add('releaseReserve');
    await expect(log.append(intent(1, 1, 'h1'))).rejects.toThrow('no space left');
    fails.delete('append');
    await log.recover();
    await log.close();
    const types = parseJournal(Buffer.from(text()), '').records.map(({ t }) => t);
    expect(types).toEqual(['run', 'intent', 'recovered']);
  });

  it('writes nothing after a torn line that it cannot remove', async () => {
    const { file, fails, text } = fullDisk();
    const log = Log.create(file, new Redactor());
    await log.append(runRecord({ hosts: ['h1'] }));
    fails.add('append').add('cut');
    await expect(log.append(intent(1, 1, 'h1'))).rejects.toThrow('no space left');
    fails.delete('append');
    const torn = text();
    await expect(log.recover()).rejects.toMatchObject({ code: 'JOURNAL' });
    await expect(log.append({ t: 'recovered' })).rejects.toMatchObject({ code: 'JOURNAL' });
    expect(text()).toBe(torn);
    fails.delete('cut');
    await log.recover();
    expect(parseJournal(Buffer.from(text()), '').records).toHaveLength(3);
  });
});

describe('a reader of a log', () => {
  const message = (text: string): Signal => ({ t: 'message', level: 'info', text });
  const unexpected = (error: unknown): void => {
    throw error;
  };

  it('gets records and signals in order, each record with the resulting state', () => {
    const log = Log.inMemory(new Redactor());
    const seen: unknown[] = [];
    log.subscribe((entry, state) => seen.push([entry.t, state?.units.size]), unexpected);
    log.signal(message('early'));
    log.write(runRecord({ hosts: ['h1'] }));
    log.write({ t: 'step', step: info(1), hosts: ['h1'], key: 'k1' });
    log.write(intent(1, 1, 'h1'));
    log.signal({ t: 'step-end', step: info(1), durationMs: 1 });
    expect(seen).toEqual([
      ['message', undefined],
      ['run', 0],
      ['step', 0],
      ['intent', 1],
      ['step-end', 1],
    ]);
  });

  it('gets only records written after the journal was opened, which contains no signals', async () => {
    const first = Log.create(DiskFile.create(path), new Redactor());
    for (const record of history.slice(0, 7)) first.write(record);
    first.signal(message('not stored'));
    await first.close();
    const log = Log.reopen(DiskFile.open(path), new Redactor());
    const seen: unknown[] = [];
    log.subscribe((entry, state) => seen.push([entry.t, state?.units.size]), unexpected);
    log.write({ t: 'undo-intent', unit: 1 });
    expect(seen).toEqual([['undo-intent', 2]]);
    await log.close();
    expect(readFileSync(path, 'utf8')).not.toContain('not stored');
  });

  it('is reported and removed after it throws, without effect on other readers', async () => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    const faults: unknown[] = [];
    const seen: string[] = [];
    const broken = (): void => {
      throw new Error('broken display');
    };
    log.subscribe(broken, (error) => faults.push((error as Error).message));
    log.subscribe(broken.bind(undefined), unexpected);
    log.subscribe(({ t }) => seen.push(t), unexpected);
    await log.append(runRecord({ hosts: ['h1'] }));
    await log.append(intent(1, 1, 'h1'));
    log.signal(message('m'));
    expect(faults).toEqual(['broken display']);
    expect(seen).toEqual(['run', 'intent', 'message']);
    await log.close();
    expect(readJournal(path).records).toHaveLength(2);
  });

  it('may write a record, which all readers get after the current one', () => {
    const log = Log.inMemory(new Redactor());
    const lost = { output: 'standard output', code: 'EIO', reason: 'closed', at: '' };
    const seen: string[] = [];
    log.subscribe(
      ({ t }) => {
        if (t === 'lock') throw new Error('closed');
      },
      () => {
        log.write({ t: 'output-lost', ...lost });
      },
    );
    log.subscribe(({ t }) => seen.push(t), unexpected);
    log.write(runRecord({ hosts: ['h1'] }));
    log.write({ t: 'lock', host: 'h1', become });
    expect(seen).toEqual(['run', 'lock', 'output-lost']);
    expect(log.state.lostOutputs).toEqual([lost]);
  });
});

describe('a journal file', () => {
  const write = async (count: number): Promise<void> => {
    const log = Log.create(DiskFile.create(path), new Redactor());
    log.write(runRecord());
    for (let unit = 1; unit < count; unit++) log.write({ t: 'undo-intent', unit });
    await log.close();
  };

  it('contains the written records in order', async () => {
    await write(50);
    const units = readJournal(path).records.slice(1);
    expect(units).toEqual(
      Array.from({ length: 49 }, (_, index) => ({ t: 'undo-intent', unit: index + 1 })),
    );
  });

  it('keeps every complete record if it is truncated at any byte', async () => {
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

  it('reports the position of damage in the middle', async () => {
    await write(3);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf(0x0a) + 5] = 0x58;
    writeFileSync(path, bytes);
    expect(() => readJournal(path)).toThrow(`byte ${String(bytes.indexOf(0x0a) + 1)}`);
  });
});

describe('a sealer', () => {
  it('decrypts only with the same secrets and run', () => {
    const sealed = new Sealer(['a', 'b'], 'run', systemRandom).seal('hidden');
    expect(sealed).not.toContain('hidden');
    expect(new Sealer(['b', 'a'], 'run', systemRandom).open(sealed)).toBe('hidden');
    expect(new Sealer(['a'], 'run', systemRandom).open(sealed)).toBeUndefined();
    expect(new Sealer(['a', 'b'], 'other', systemRandom).open(sealed)).toBeUndefined();
  });
});
