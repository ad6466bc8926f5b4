import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Action } from '../../src/core/action.ts';
import { localShell, shells, type LocalShell } from '../helpers/local-shell.ts';
import { describeWith } from '../helpers/programs.ts';
import { execute, look, perform, unitRecord } from '../helpers/exchange.ts';

const limit = { timeoutMs: 20_000 };

/** Scripts that modify the shell that runs them. */
const hostile: [what: string, text: string][] = [
  ['exits', 'exit 3'],
  ['returns', 'return 3'],
  ['replaces the shell', 'exec true'],
  ['defines functions of the session shell', 'rn_end() { echo forged; }; rn_file_state() { :; }'],
  ['removes functions of the session shell', 'unset -f rn_end rn_next rn_done rn_file_state'],
  ['sets variables of the session shell', 'rn_nonce=x; rn_code=5; rn_umask=777; rn_dir=/x'],
  ['removes variables of the session shell', 'unset rn_nonce rn_ending rn_dir rn_code'],
  ['makes variables read-only', 'readonly rn_code rn_ending rn_shared IFS'],
  ['defines functions with names of programs', 'printf() { :; }; stat() { :; }; cat() { :; }'],
  ['defines aliases', "alias printf=false; alias rn_end=:; alias '['=false"],
  ['sets traps', "trap 'echo trapped; exit 9' EXIT TERM HUP"],
  ['ignores signals', "trap '' TERM HUP PIPE"],
  ['sets shell options', 'set -eufC; set -o noglob'],
  ['traces', 'set -xv 2>/dev/null'],
  ['sets positional parameters', 'set -- a b c; shift 2'],
  ['changes the directory', 'cd /'],
  ['changes the umask', 'umask 777'],
  ['lowers limits', 'ulimit -n 4; ulimit -f 0'],
  ['redirects its output', 'exec >/dev/null 2>&1'],
  ['closes its streams', 'exec <&- >&- 2>&-'],
  ['removes PATH', 'unset PATH; PATH=/nonexistent'],
  ['changes IFS', 'IFS=rn_0123456789/'],
  ['changes the locale', 'LC_ALL=de_DE.UTF-8; export LC_ALL'],
  ['exports variables', 'export BASH_ENV=/nonexistent ENV=/nonexistent CDPATH=/usr'],
  ['leaves a loop', 'break 9; continue 9'],
  ['reads the input of the shell', 'read x; read y; cat'],
  ['has an open quote', "echo 'open"],
  ['has an open block', 'if true; then {'],
  ['closes a block that it did not open', '} ; ) ; fi ; done'],
  ['has an open here-document', 'cat <<EOF'],
  ['ends with a comment', 'true # )'],
  ['signals its process group', 'kill 0; kill -HUP 0; kill -INT 0; kill -QUIT 0; kill -USR1 0'],
  ['ends its own process', "kill -9 $(exec sh -c 'echo $PPID')"],
];

for (const { program, argv } of shells) {
  describeWith(program)(`With ${argv.join(' ')} as session shell`, () => {
    let dir: string;
    let shell: LocalShell;
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'runner-isolation-'));
      mkdirSync(join(dir, 'work'));
      shell = localShell(argv, dir);
    });
    afterAll(() => {
      shell.close();
      rmSync(dir, { recursive: true });
    });

    const run = (...words: string[]) => execute(shell.session, ...words);

    /** The state of the session shell that a script could change. */
    const state = async (): Promise<unknown> => {
      const path = join(dir, 'work', 'file');
      rmSync(path, { force: true });
      const write: Action = { kind: 'write', path, content: 'text' };
      const { outputs, refused } = await perform(
        shell.session,
        {
          actions: [write, { kind: 'exec', argv: ['sh', '-c', 'umask; trap; ulimit -n'] }],
          copies: ['/etc/passwd'],
          unit: 1,
        },
        limit,
      );
      const record = await unitRecord(shell.session, 1);
      const questions = await look(
        shell.session,
        'echo "$$ $# $PATH $IFS $rn_dir $rn_umask"; pwd; umask; trap; set -o; alias; ulimit -n; ulimit -f',
        'env; rn_file_state /etc/passwd',
      );
      const mode = statSync(path).mode.toString(8);
      const text = readFileSync(path, 'utf8');
      return { outputs, refused, record, questions, mode, text, opened: shell.opened() };
    };

    let before: unknown;
    beforeAll(async () => {
      before = await state();
      expect(before).toMatchObject({ refused: undefined, mode: '100644', text: 'text' });
    });

    it.each(hostile)(
      'a fact or command that %s does not affect later commands',
      async (_what, text) => {
        const answers = await look(shell.session, text, 'echo next');
        expect(answers[1]).toEqual({ code: 0, stdout: 'next\n', stderr: '' });
        await run('sh', '-c', text);
        expect(await run('eval', text)).toMatchObject({ code: 127 });
        expect(await state()).toEqual(before);
      },
    );

    it.each([
      ['rn_done', ''],
      ['exit', '3'],
      ['set', '-e'],
      ['umask', '777'],
      ['cd', '/'],
    ])('a command never runs a builtin or function of the session shell: %s', async (...words) => {
      expect(await run(...words)).toMatchObject({ code: 127 });
    });

    it('a validation command that exits does not affect the session shell', async () => {
      const path = join(dir, 'work', 'validated');
      const write: Action = { kind: 'write', path, content: 'x', validate: 'cd /; exit 0 # %s' };
      const { outputs } = await perform(shell.session, { actions: [write] }, limit);
      expect(outputs).toEqual([{ code: 0, stdout: '', stderr: '' }]);
      expect(readFileSync(path, 'utf8')).toBe('x');
      expect(await state()).toEqual(before);
    });

    it('a detached command that signals its process group returns its exit code and does not affect later commands', async () => {
      const { outputs } = await perform(
        shell.session,
        {
          actions: [{ kind: 'exec', argv: ['sh', '-c', 'echo began; kill 0; sleep 5'] }],
          unit: 2,
          detach: true,
        },
        limit,
      );
      expect(outputs).toEqual([
        { code: 143, stdout: 'began\n', stderr: expect.any(String) as string },
      ]);
      expect(await unitRecord(shell.session, 2)).toEqual({
        state: 'finished',
        code: 143,
      });
      expect(await state()).toEqual(before);
    });

    it('environment variables of a command do not affect later commands', async () => {
      const env = { rn_code: '5', PATH: '/usr/bin:/bin', IFS: 'a', LC_ALL: 'x' };
      const { outputs } = await perform(
        shell.session,
        {
          actions: [{ kind: 'exec', argv: ['sh', '-c', 'echo "$rn_code $LC_ALL"'], env, cwd: '/' }],
        },
        limit,
      );
      expect(outputs[0]?.stdout).toBe('5 x\n');
      expect(await state()).toEqual(before);
    });
  });
}
