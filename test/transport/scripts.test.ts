import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Action, DownloadAction, WriteAction } from '../../src/core/action.ts';
import type { Change, Control } from '../../src/core/host.ts';
import { fileState } from '../../src/facts/file.ts';
import { actionScript } from '../../src/transport/action-scripts.ts';
import { FrameReader, type Frame } from '../../src/transport/frames.ts';
import { copyName } from '../../src/util/copy-name.ts';
import { controlScripts } from '../../src/transport/control.ts';
import { readRuntime } from '../../src/transport/runtime.ts';
import {
  always,
  endShellScript,
  requestScript,
  sections,
  startText,
  type Script,
} from '../../src/transport/scripts.ts';
import { shellEnvironment, shells } from '../helpers/local-shell.ts';
import { describeWith } from '../helpers/programs.ts';

const textOf = (script: Script): string =>
  sections(script)
    .map(({ text }) => text)
    .join('');

const write: WriteAction = { kind: 'write', path: '/etc/a b', content: "it's $HOME" };

const change = (request: Change): Script => requestScript({ change: request }, 'r');
const questions = (...scripts: string[]): Script =>
  requestScript({ reads: scripts.map((script) => ({ script })) }, 'r');
const requests = (...list: [run: string, control: Control][]): Script => ({
  commands: list.flatMap(([run, control]) => controlScripts(control, run)).map(always),
});

describe('The script of an action', () => {
  const cases: [title: string, action: Parameters<typeof actionScript>[0], text: string][] = [
    [
      'runs a program with exec in a subshell, without input',
      { kind: 'exec', argv: ['echo', "it's", '$x'] },
      String.raw`(exec echo 'it'\''s' '$x') </dev/null`,
    ],
    [
      'sets the directory and environment in the subshell',
      { kind: 'exec', argv: ['x'], cwd: '/a b', env: { A: '1 2' } },
      "(cd '/a b' || exit 1; export A='1 2'; exec x) </dev/null",
    ],
    [
      'passes input',
      { kind: 'exec', argv: ['cat'], stdin: '-n $x' },
      "printf %s '-n $x' | (exec cat)",
    ],
    [
      'does not pass a program name that begins with "-" as an option of exec',
      { kind: 'exec', argv: ['-a', 'b'] },
      '(exec env -- -a b) </dev/null',
    ],
    [
      'writes to a private temporary file in the same directory, and removes it after a failure',
      { ...write, mode: '0600' },
      String.raw`{ umask 077; printf %s 'it'\''s $HOME' >'/etc/a b.runner-tmp'; rn_wrote $? && rn_publish '/etc/a b.runner-tmp' '/etc/a b' 0600 '' '' || rn_fail $? '/etc/a b.runner-tmp'; }`,
    ],
    [
      'validates the temporary file in a separate shell',
      { kind: 'write', path: '/a', content: 'YQ==', encoding: 'base64', validate: 'check %s' },
      "{ umask 077; printf %s YQ== | base64 -d >/a.runner-tmp; rn_wrote $? && (exec /bin/sh -c 'check /a.runner-tmp') >&2 </dev/null && rn_publish /a.runner-tmp /a '' '' '' || rn_fail $? /a.runner-tmp; }",
    ],
    [
      'receives the announced number of bytes',
      { kind: 'upload', path: '/a', from: '/x', size: 3, checksum: 'ab', owner: 'root' },
      "{ rn_receive /a.runner-tmp 3 ab && rn_publish /a.runner-tmp /a '' root '' || rn_fail $? /a.runner-tmp; }",
    ],
    ['prints a fetched file', { kind: 'fetch', path: '/a b', to: '/x' }, "cat '/a b' </dev/null"],
    ['makes a directory', { kind: 'mkdir', path: '/a' }, 'mkdir -p /a'],
    ['removes a path', { kind: 'remove', path: '/a' }, 'rn_remove_tree /a'],
    ['links', { kind: 'symlink', path: '/a', target: 'b' }, 'ln -sfn b /a'],
    ['copies', { kind: 'copy', from: '/a', path: '/b' }, 'rn_remove_tree /b && cp -a /a /b'],
    [
      'restores the copy of a unit from the state directory of the shell',
      { kind: 'copy', from: { copyOf: '/a b', unit: 3 }, path: '/a b' },
      `rn_remove_tree '/a b' && cp -a "$rn_dir"/runs/r/captures/${copyName({ copyOf: '/a b', unit: 3 })} '/a b'`,
    ],
    [
      'copies only the content',
      { kind: 'copy', from: '/a', path: '/b', contentOnly: true },
      "{ umask 077; cat </a >/b.runner-tmp; rn_wrote $? && rn_publish /b.runner-tmp /b '' '' '' || rn_fail $? /b.runner-tmp; }",
    ],
    [
      'sets the mode with five digits',
      { kind: 'chmod', path: '/a', mode: '755' },
      'chmod -- 00755 /a',
    ],
    [
      'sets the owner of a link, not of its target',
      { kind: 'chown', path: '/a', owner: 'u', group: 'g', recurse: true },
      'chown -h -R u:g /a',
    ],
  ];
  it.each(cases)('%s', (_title, action, text) => {
    expect(actionScript(action, { run: 'r' })).toBe(text);
  });

  it('starts the program of a detached unit in its own session', () => {
    expect(actionScript({ kind: 'exec', argv: ['x'] }, { run: 'r', detach: true })).toBe(
      '(exec $rn_setsid x) </dev/null',
    );
  });

  it('does not pass credentials as arguments', () => {
    const download: DownloadAction = {
      ...{ kind: 'download', path: '/a', url: 'https://x/y', timeoutSeconds: 5 },
      login: { user: 'u', password: 'p"w' },
    };
    const text = actionScript(download, { run: 'r' });
    expect(text).toContain(String.raw`printf '%s\n' 'url = "https://x/y"`);
    expect(text).toContain(String.raw`user = "u:p\"w"' | curl`);
    expect(text).not.toContain('wget');
  });
});

describe('The script of a request', () => {
  it('runs each read even if others fail', () => {
    expect(textOf(questions('a', 'b "'))).toBe(
      `rn_code=0; rn_shared=0
{ (eval a) </dev/null
rn_end $?; }
{ rn_next
(eval 'b "') </dev/null
rn_end $?; }
rn_done
`,
    );
  });

  it('passes paths to a read as parameters', () => {
    const reads = [{ script: 'cmp "$1" "$2"', paths: ["it's", { copyOf: '/a', unit: 3 }] }];
    const [first] = requestScript({ reads }, 'r 1').commands;
    expect(first?.script).toBe(
      String.raw`(set -- 'it'\''s' "$rn_dir"/runs/'r 1'/captures/${copyName({ copyOf: '/a', unit: 3 })}; eval 'cmp "$1" "$2"') </dev/null`,
    );
  });

  it('runs functions of the session shell without a subshell', () => {
    const reads = [fileState.command("/it's")];
    const [first] = requestScript({ reads }, 'r').commands;
    expect(first?.script).toBe(String.raw`{ set -- '/it'\''s'; rn_file_state "$1"; } </dev/null`);
  });

  it('makes copies, records the start, runs actions in order until one fails, and records the end', () => {
    const actions: Action[] = [
      { kind: 'exec', argv: ['a'] },
      { kind: 'mkdir', path: '/b' },
    ];
    const copies = ['/x y'];
    const name = copyName({ copyOf: '/x y', unit: 1 });
    expect(name).toMatch(/^1\.[0-9a-f]{16}$/);
    expect(textOf(change({ actions, copies, unit: 1 }))).toBe(
      `rn_code=0; rn_shared=0
{ rn_capture r '/x y' ${name} && rn_started r 1
} >/dev/null || rn_refuse $?
[ "$rn_code" = 0 ] && { rn_keep r ${name} </dev/null || true
rn_end $?; }
[ "$rn_code" = 0 ] && { rn_next
rn_begin_foreign
(exec a) </dev/null
rn_end_foreign $?; }
[ "$rn_code" = 0 ] && { rn_next
mkdir -p /b
rn_end $?; }
rn_finished r 1 "$rn_code"
rn_done
`,
    );
  });

  it('makes the change even if a read failed, and reports a failed prologue separately', () => {
    const request = {
      control: { renew: true } as const,
      reads: [{ script: 'a' }],
      change: { actions: [{ kind: 'mkdir', path: '/b' } as const], unit: 1 },
    };
    expect(textOf(requestScript(request, 'r'))).toBe(
      `rn_code=0; rn_shared=0
{ rn_renew r
rn_end $?; }
{ rn_next
(eval a) </dev/null
rn_end $?; }
rn_next
rn_code=0
{ rn_started r 1
} >/dev/null || rn_refuse $?
[ "$rn_code" = 0 ] && { rn_next
mkdir -p /b
rn_end $?; }
rn_finished r 1 "$rn_code"
rn_done
`,
    );
  });

  it('ends a section before the bytes of an uploaded file', () => {
    const upload = { kind: 'upload' as const, path: '/a', from: '/x', size: 3, checksum: 'ab' };
    const parts = sections(change({ actions: [upload, { kind: 'mkdir', path: '/b' }] }));
    expect(parts.map((part) => part.upload)).toEqual([upload, undefined]);
    expect(parts[0]?.text).toMatch(/rn_receive .*\nrn_end \$\?; else printf .* N.*; fi\n$/);
    expect(parts[1]?.text).toMatch(/^\[ "\$rn_code" = 0 \] && \{ rn_next\nmkdir -p \/b\n/);
  });

  it('quotes the arguments of control requests', () => {
    expect(controlScripts({ lock: { owner: "o'x", leaseSeconds: 5 } }, 'r')).toEqual([
      String.raw`rn_lock r 'o'\''x' 5 ''`,
    ]);
    expect(controlScripts({ unit: 7, fence: true }, 'r')).toEqual(['rn_fence r', 'rn_unit r 7']);
    expect(endShellScript(12, 'mark')).toBe('rn_end_shell 12 mark');
  });
});

for (const { program, argv } of shells) {
  describeWith(program)(`In ${argv.join(' ')}`, () => {
    let dir: string;
    let state: string;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'runner-scripts-'));
      state = mkdtempSync(join(tmpdir(), 'runner-scripts-state-'));
    });
    afterEach(() => {
      for (const one of [dir, state]) rmSync(one, { recursive: true });
    });
    const path = (name: string) => join(dir, name);
    const modeOf = (name: string) => (statSync(path(name)).mode & 0o7777).toString(8);

    /** Runs scripts in one shell, without a connection. */
    const answer = (...scripts: Script[]): { code: number; stdout: string; stderr: string }[] => {
      const [command = '', ...args] = argv;
      const input = `${startText('nonce', readRuntime())}${scripts.map(textOf).join('')}`;
      const env = { ...process.env, ...shellEnvironment(state), RUNNER_LINE: 'local' };
      const { stdout, stderr, status } = spawnSync(command, args, { input, env });
      expect(status).toBe(0);
      const framesOf = (bytes: Buffer): Frame[] => {
        const reader = new FrameReader('nonce', { keepBytes: () => 1e6, awaitBegin: true });
        reader.push(bytes);
        expect(reader.done).toBe(true);
        return reader.frames;
      };
      const errors = framesOf(stderr);
      return framesOf(stdout).map(({ code, bytes }, index) => ({
        code,
        stdout: bytes.toString(),
        stderr: errors[index]?.bytes.toString() ?? '',
      }));
    };
    const plain = (...actions: Action[]) => change({ actions });
    const act = (...actions: Action[]) => answer(plain(...actions));

    it('passes any bytes as argument, input, directory and variable', () => {
      const text = fc
        .string({ unit: 'binary', maxLength: 30 })
        .map((one) => one.replaceAll('\u0000', ''))
        .filter((one) => Buffer.from(one).toString() === one);
      mkdirSync(path("a 'b"));
      fc.assert(
        fc.property(text, text, text, (word, stdin, value) => {
          const script = 'printf "%s|%s|" "$1" "$A"; cat; printf "|%s" "$PWD"';
          const [output] = act({
            ...{ kind: 'exec', argv: ['sh', '-c', script, 'sh', word] },
            ...{ stdin, env: { A: value }, cwd: path("a 'b") },
          });
          expect(output?.stdout).toBe(`${word}|${value}|${stdin}|${path("a 'b")}`);
        }),
        { numRuns: 15 },
      );
    });

    it('reports programs that are missing, not executable, or killed', () => {
      writeFileSync(path('plain'), '');
      expect(act({ kind: 'exec', argv: ['/nonexistent/program'] })[0]?.code).toBe(127);
      expect(act({ kind: 'exec', argv: [path('plain')] })[0]?.code).toBe(126);
      expect(act({ kind: 'exec', argv: ['sh', '-c', 'kill -9 $$'] })[0]?.code).toBe(137);
      expect(act({ kind: 'exec', argv: ['true'], cwd: '/nonexistent' })[0]?.code).toBe(1);
    });

    it('writes any bytes with a mode, or keeps the mode of a replaced file', () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const file: Action = {
        ...{ kind: 'write', path: path('a'), mode: '0640' },
        ...{ content: bytes.toString('base64'), encoding: 'base64' },
      };
      expect(act(file)[0]).toEqual({ code: 0, stdout: '', stderr: '' });
      expect([modeOf('a'), readFileSync(path('a')).equals(bytes)]).toEqual(['640', true]);
      act({ kind: 'write', path: path('a'), content: '-n' });
      expect([modeOf('a'), readFileSync(path('a'), 'utf8')]).toEqual(['640', '-n']);
    });

    it('keeps the old file, leaves no temporary file and restores the umask if a write fails', () => {
      writeFileSync(path('a'), 'old');
      mkdirSync(path('directory.runner-tmp'));
      const refused = {
        kind: 'write' as const,
        path: path('a'),
        content: 'new',
        validate: 'grep -q never %s',
      };
      expect(act(refused)[0]?.code).toBe(1);
      expect(act({ kind: 'write', path: path('directory'), content: 'x' })[0]?.code).not.toBe(0);
      expect(readFileSync(path('a'), 'utf8')).toBe('old');
      expect(execFileSync('ls', [dir]).toString()).toBe('a\ndirectory.runner-tmp\n');
      const umask: Action = { kind: 'exec', argv: ['sh', '-c', 'umask'] };
      const [, after] = answer(plain(refused), plain(umask));
      expect(after?.stdout.trim()).toBe(execFileSync('sh', ['-c', 'umask']).toString().trim());
    });

    it('creates, copies, links and removes', () => {
      mkdirSync(path('from'));
      writeFileSync(path('from/x'), 'text', { mode: 0o600 });
      symlinkSync('/nonexistent', path('link'));
      const outputs = act(
        { kind: 'mkdir', path: path('to/below') },
        { kind: 'copy', from: path('from'), path: path('to/below') },
        { kind: 'symlink', path: path('link'), target: 'to' },
        { kind: 'chmod', path: path('to/below'), mode: '0700' },
        { kind: 'copy', from: path('from/x'), path: path('y'), contentOnly: true },
        { kind: 'remove', path: path('from') },
      );
      expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(readFileSync(path('link/below/x'), 'utf8')).toBe('text');
      expect([modeOf('to/below'), modeOf('to/below/x'), modeOf('y')]).toEqual([
        '700',
        '600',
        '644',
      ]);
      expect(execFileSync('ls', [dir]).toString()).toBe('link\nto\ny\n');
    });

    it('stops at the first failed action and records its exit code', () => {
      const outputs = answer(
        change({
          actions: [['true'], ['sh', '-c', 'exit 3'], ['touch', path('never')]].map((words) => ({
            kind: 'exec',
            argv: words,
          })),
          unit: 1,
        }),
      );
      expect(outputs.map(({ code }) => code)).toEqual([0, 3]);
      const state = answer(requests(['r', { unit: 1 }], ['r', { unit: 2 }]));
      expect(state.map(({ stdout }) => stdout)).toEqual(['finished 3\n', 'never_started\n']);
      expect(execFileSync('ls', [dir]).toString()).toBe('');
    });

    it('locks a host once, and takes over a lock only if its run is named', () => {
      const lock = (run: string, replaced?: string): [string, Control] => [
        run,
        { lock: { owner: 'o@m', leaseSeconds: 5, replaced } },
      ];
      const script = requests(
        ...[lock('a'), lock('a'), lock('b')],
        ['b', { renew: true }],
        lock('b', 'a'),
        ['a', { renew: true }],
        ['b', { unlock: true }],
        lock('c'),
      );
      const said = answer(script).map(({ stdout }) => stdout.replace(/\d{9,}\|5 \d+/, 'T|5 S'));
      expect(said).toEqual([
        'held\n',
        'held\n',
        'other a|o@m|T|5 S\n',
        'lost a\n',
        'held\n',
        'lost b\n',
        '',
        'held\n',
      ]);
    });

    /** The answers of several runs that request the lock at the same time, each in its own shell. */
    const race = (requests: readonly NonNullable<Control['lock']>[]): Promise<string[]> => {
      // Once, because a program cannot be run while its file is open for writing.
      const env = { ...process.env, ...shellEnvironment(state) };
      return Promise.all(
        requests.map(async (lock, index) => {
          const [command = '', ...args] = argv;
          const [script = ''] = controlScripts({ lock }, `run${String(index)}`);
          const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
          child.stdin.end(`rn_nonce=nonce\n${readRuntime()}\n${script}\n`);
          let said = '';
          for await (const chunk of child.stdout) said += String(chunk);
          return said.split(' ')[0]?.trim() ?? '';
        }),
      );
    };

    it('gives a free lock to only one of many concurrent requests', async () => {
      const said = await race(Array.from({ length: 8 }, () => ({ owner: 'o@m', leaseSeconds: 5 })));
      expect(said.sort()).toEqual(['held', ...Array.from({ length: 7 }, () => 'other')]);
    });

    it('gives a lock to only one of two concurrent takeovers', async () => {
      answer(requests(['old', { lock: { owner: 'o@m', leaseSeconds: 5 } }]));
      // Each has read the holder of the lock before the other replaces it.
      const slow = '#!/bin/sh\nsleep 0.5\nexec /bin/mv "$@"\n';
      writeFileSync(join(state, 'bin', 'mv'), slow, { mode: 0o755 });
      const takeOver = { owner: 'o@m', leaseSeconds: 5, replaced: 'old' };
      expect((await race([takeOver, takeOver])).sort()).toEqual(['held', 'other']);
      expect(execFileSync('ls', [join(state, 'runner')]).toString()).toBe('lock\n');
    });

    it('takes an empty lock left by a power failure, and continues after a process that died during a takeover', () => {
      const lock = { owner: 'o@m', leaseSeconds: 5 };
      answer(requests(['old', { lock }]));
      const file = join(state, 'runner', 'lock');
      writeFileSync(file, '');
      const taking = `${file}.taking`;
      mkdirSync(taking);
      utimesSync(taking, new Date(0), new Date(0));
      const said = answer(requests(['new', { lock }], ['new', { renew: true }]));
      expect(said.map(({ stdout }) => stdout)).toEqual(['held\n', 'held\n']);
      expect(existsSync(taking)).toBe(false);
    });

    it('runs reads so that they do not affect each other', () => {
      const scripts = ['x=1; exit 3', 'echo "[$x]" >&2', 'if', 'echo end'];
      const outputs = answer(questions(...scripts));
      expect(outputs.map(({ code }) => code)).toEqual([3, 0, expect.any(Number), 0]);
      expect(outputs[1]?.stderr).toBe('[]\n');
      expect(outputs[3]?.stdout).toBe('end\n');
    });
  });
}
