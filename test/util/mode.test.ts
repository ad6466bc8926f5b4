import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODE_PATTERN, octalMode } from '../../src/util/mode.ts';

const kinds = ['file', 'directory'];
const befores = [0o644, 0o755, 0o600, 0o700, 0o000, 0o2750, 0o4711, 0o1777];

let directory: string;

const modeOf = (path: string): string =>
  (statSync(path).mode & 0o7777).toString(8).padStart(4, '0');

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'runner-mode-'));
  for (const kind of kinds) mkdirSync(join(directory, kind));
  for (const before of befores) {
    writeFileSync(join(directory, 'file', before.toString(8)), '');
    mkdirSync(join(directory, 'directory', before.toString(8)));
  }
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const wanted = [
  '755',
  '0640',
  'u+x',
  '+x',
  '+w',
  'a+w',
  '-x',
  'go-rwx',
  'u=rw,go=',
  'u=rwX,g=rX,o=',
  'a+X',
  'u+s,g+s',
  '+t',
  'o+t',
  'u+t',
  'g=u',
  'o=g-w',
  'a=',
  '=',
  'u=rwx,g=s',
  'ug=rw+x',
];

describe('a mode in the symbols of chmod', () => {
  it.each(wanted)('%s has the same result as in chmod(1)', (mode) => {
    expect(mode).toMatch(new RegExp(MODE_PATTERN));
    const cases = kinds.flatMap((kind) =>
      befores.map((before) => {
        const path = join(directory, kind, before.toString(8));
        chmodSync(path, before);
        return { kind, path, before: modeOf(path) };
      }),
    );
    // Octal digits clear set-id bits of directories only where there are five.
    const given = /^\d/.test(mode) ? `0${mode.padStart(4, '0')}` : mode;
    const script = 'umask 022; mode=$1; shift; chmod -- "$mode" "$@"';
    execFileSync('sh', ['-c', script, 'sh', given, ...cases.map(({ path }) => path)]);
    for (const { kind, path, before } of cases)
      expect([mode, kind, before, octalMode(mode, before, kind === 'directory')]).toEqual([
        ...[mode, kind, before, modeOf(path)],
      ]);
  });

  it.each(['u+q', '89', '0o644', 'u', '', '+x,', 'z=r'])('%s is not a valid mode', (mode) => {
    expect(mode).not.toMatch(new RegExp(MODE_PATTERN));
  });

  it('starts from the mode of a new file or directory', () => {
    expect(octalMode('g+w', '', false)).toBe('0664');
    expect(octalMode('g+w', '', true)).toBe('0775');
  });
});
