import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Exchange } from '../../src/core/host.ts';
import type { HostPath } from '../../src/core/host-path.ts';
import { fileState } from '../../src/facts/file.ts';
import { localShell, shells, type LocalShell } from '../helpers/local-shell.ts';
import { describeWith } from '../helpers/programs.ts';

const limits = { timeoutMs: 20_000 };
const lock = { owner: 'me@here', leaseSeconds: 60 };

for (const { program, argv } of shells) {
  describeWith(program)(`An exchange with ${argv.join(' ')}`, () => {
    let dir: string;
    let shell: LocalShell;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'runner-exchange-'));
      shell = localShell(argv, dir);
    });
    afterEach(() => {
      shell.close();
      rmSync(dir, { recursive: true });
    });

    const exchange = (request: Exchange) => shell.session.exchange(request, limits);

    it('answers control requests, reads and a change in one round trip', async () => {
      const made = join(dir, 'made');
      const answer = await exchange({
        control: { lock, fence: true, unit: 4, renew: true },
        reads: [{ script: 'echo one; exit 3' }, { script: 'echo two' }],
        change: {
          unit: 4,
          actions: [
            { kind: 'exec', argv: ['echo', 'done'] },
            { kind: 'write', path: made, content: 'x' },
          ],
        },
      });
      expect(answer).toEqual({
        control: { lock: 'held', renew: 'held', fence: 'clear', unit: { state: 'never_started' } },
        reads: [
          { code: 3, stdout: 'one\n', stderr: '' },
          { code: 0, stdout: 'two\n', stderr: '' },
        ],
        change: {
          outputs: [
            { code: 0, stdout: 'done\n', stderr: '' },
            { code: 0, stdout: '', stderr: '' },
          ],
        },
      });
      expect(existsSync(made)).toBe(true);
      expect(await exchange({ control: { unit: 4, unlock: true } })).toEqual({
        control: { unit: { state: 'finished', code: 0 }, unlock: 'done' },
        reads: [],
      });
    });

    it('returns small copies by their path', async () => {
      const path = join(dir, 'file');
      writeFileSync(path, 'before\n');
      const { change } = await exchange({
        change: {
          unit: 1,
          copies: [path, join(dir, 'absent')],
          actions: [{ kind: 'write', path, content: 'after' }],
        },
      });
      expect(change?.outputs).toHaveLength(1);
      expect(change?.copies).toEqual(new Map([[path, Buffer.from('before\n')]]));
    });

    it('finds and restores the copy of a unit, and reports a copy that does not exist', async () => {
      const path = join(dir, 'a "file"');
      const copy = { copyOf: path, unit: 1 };
      const state = async (of: HostPath) => {
        const { reads } = await exchange({ reads: [fileState.command(of)] });
        const [output] = reads;
        return output && fileState.parse(output, of);
      };
      expect(await state(copy)).toMatchObject({ type: 'absent' });
      writeFileSync(path, 'before\n', { mode: 0o640 });
      const before = await state(path);
      await exchange({
        change: {
          ...{ unit: 1, copies: [path] },
          actions: [{ kind: 'write', path, content: 'after' }],
        },
      });
      expect(await state(copy)).toEqual(before);
      expect(await state({ copyOf: path, unit: 2 })).toMatchObject({ type: 'absent' });
      await exchange({ change: { actions: [{ kind: 'copy', from: copy, path }] } });
      expect(await state(path)).toEqual(before);
      expect(readFileSync(path, 'utf8')).toBe('before\n');
    });

    it.each(['file', 'directory', 'link'])(
      'a retry keeps the copy of a %s from the first attempt',
      async (kind) => {
        const path = join(dir, kind);
        const set = (text: string) => {
          rmSync(path, { recursive: true, force: true });
          if (kind === 'link') symlinkSync(text, path);
          else if (kind === 'file') writeFileSync(path, text);
          else {
            mkdirSync(path);
            writeFileSync(join(path, 'inside'), text);
          }
        };
        const get = () => {
          if (kind === 'link') return readlinkSync(path);
          return readFileSync(kind === 'file' ? path : join(path, 'inside'), 'utf8');
        };
        const attempt = { change: { unit: 7, copies: [path], actions: [] } };
        set('before');
        await exchange(attempt);
        set('half done');
        await exchange(attempt);
        const copy = { copyOf: path, unit: 7 };
        await exchange({ change: { actions: [{ kind: 'copy', from: copy, path }] } });
        expect(get()).toBe('before');
      },
    );

    it('answers reads but makes no change if the record of the change cannot be written', async () => {
      writeFileSync(join(dir, 'runner'), 'not a directory');
      chmodSync(join(dir, 'runner'), 0o400);
      const answer = await exchange({
        reads: [{ script: 'echo asked' }],
        change: { unit: 1, actions: [{ kind: 'mkdir', path: join(dir, 'never') }] },
      });
      expect(answer.reads).toEqual([{ code: 0, stdout: 'asked\n', stderr: '' }]);
      expect(answer.change?.outputs).toEqual([]);
      expect(answer.change?.refused).toMatch(/runner/);
      expect(existsSync(join(dir, 'never'))).toBe(false);
    });

    it('returns the output of detached commands that end immediately', async () => {
      for (let unit = 1; unit <= 25; unit++) {
        const actions = [{ kind: 'exec' as const, argv: ['echo', String(unit)] }];
        const { change } = await exchange({ change: { unit, detach: true, actions } });
        expect(change?.outputs).toEqual([{ code: 0, stdout: `${String(unit)}\n`, stderr: '' }]);
      }
      expect(shell.opened()).toBe(1);
    });

    it('reports the run that holds the lock, and the run that took it over', async () => {
      const other = localShell(argv, dir, 'other');
      try {
        await exchange({ control: { lock } });
        const ask = (replaced?: string) =>
          other.session.exchange({ control: { lock: { ...lock, replaced } } }, limits);
        expect((await ask()).control.lock).toMatchObject({
          ...{ run: 'test', owner: 'me@here', leaseSeconds: 60 },
        });
        expect((await ask('test')).control.lock).toBe('held');
        expect((await exchange({ control: { renew: true } })).control.renew).toEqual({
          lostTo: 'other',
        });
      } finally {
        other.close();
      }
    });

    it('fails if the lock cannot be written', async () => {
      writeFileSync(join(dir, 'runner'), 'not a directory');
      await expect(exchange({ control: { lock } })).rejects.toThrow(/^The host cannot be locked: /);
    });
  });
}
