import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/util/package.ts';
import { quoteAll } from '../../src/util/shell.ts';
import { eventually } from './eventually.ts';
import type { HostsBench } from './hosts.ts';

/** A process of `runner` whose output can be closed while it runs. */
export interface Watched {
  /** Everything that was printed before the output was closed. */
  text: () => string;
  /** Resolves when the text was printed. @throws Error when it is not printed in time */
  shows: (text: string) => Promise<void>;
  /** Types into the terminal; has no effect on pipes and files. */
  press: (keys: string) => void;
  /** Closes the output. Resolves when it is closed. */
  lose: () => Promise<void>;
  /** The exit code, or 128 plus the signal number, like in a shell. */
  ended: () => Promise<number>;
}

export type Output = 'terminal' | 'pipe' | 'full disk';

/**
 * Starts `runner` with standard output and error on a terminal, on pipes, or in a file on a disk
 * that is full after a few bytes. The terminal needs the program `script`. With `nohup`, closing it
 * sends no SIGHUP.
 */
export function watch(
  bench: HostsBench,
  output: Output,
  words: readonly string[],
  { nohup = false } = {},
): Watched {
  const runner = [process.execPath, join(packageRoot(), 'bin', 'runner.js'), ...words];
  if (output === 'terminal') return inTerminal(bench, runner, nohup);
  return output === 'pipe' ? onPipes(bench, runner) : onFullDisk(bench, runner);
}

function start(bench: HostsBench, [program = '', ...args]: readonly string[]): ChildProcess {
  const { cli, lab } = bench;
  return spawn(program, args, {
    cwd: cli.dir,
    env: {
      PATH: process.env['PATH'] ?? '',
      SHELL: '/bin/sh',
      TERM: 'xterm',
      HOME: cli.dir,
      XDG_STATE_HOME: dirname(cli.stateDir),
      RUNNER_KNOWN_HOSTS: lab.files.knownHosts,
    },
  });
}

/** Closes the terminal by killing the process at its other end. */
function inTerminal(bench: HostsBench, runner: readonly string[], nohup: boolean): Watched {
  const code = join(bench.cli.dir, 'exit-code');
  rmSync(code, { force: true });
  // The shell survives the terminal, and writes the exit code.
  const command = `trap : INT; trap ${nohup ? "''" : ':'} HUP; stty rows 40 cols 100; ${quoteAll(runner)}; echo $? >code.new; mv code.new exit-code`;
  const child = start(bench, ['script', '-qefc', command, '/dev/null']);
  // Set from the start: on a busy machine, the run may end before its terminal is closed.
  const closed = once(child, 'close');
  const { text, shows } = reader(child);
  return {
    text,
    shows,
    press: (keys) => child.stdin?.write(keys),
    lose: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    ended: async () => {
      await eventually(() => existsSync(code));
      return Number(readFileSync(code, 'utf8'));
    },
  };
}

function onPipes(bench: HostsBench, runner: readonly string[]): Watched {
  const child = start(bench, ['/bin/sh', '-c', `${quoteAll(runner)}; exit $?`]);
  const { text, shows } = reader(child);
  const ended = once(child, 'exit') as Promise<[number]>;
  return {
    text,
    shows,
    press: () => undefined,
    lose: async () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
      return Promise.resolve();
    },
    ended: async () => (await ended)[0],
  };
}

/** The file can hold 20 bytes, so that a write fails in the middle. */
function onFullDisk(bench: HostsBench, runner: readonly string[]): Watched {
  const disk = join(bench.cli.dir, 'disk');
  mkdirSync(disk, { recursive: true });
  const log = join(disk, 'log');
  const script = `mount -t tmpfs -o size=4k tmpfs ${quoteAll([disk])} && head -c 4076 /dev/zero >${quoteAll([log])} || exit 99
${quoteAll(runner)} >>${quoteAll([log])} 2>&1; exit $?`;
  const child = start(bench, ['unshare', '-rm', '/bin/sh', '-c', script]);
  const { text } = reader(child);
  const ended = once(child, 'exit') as Promise<[number]>;
  return {
    text,
    shows: () => Promise.resolve(),
    press: () => undefined,
    lose: () => Promise.resolve(),
    ended: async () => (await ended)[0],
  };
}

function reader(child: ChildProcess): Pick<Watched, 'text' | 'shows'> {
  let all = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      all += chunk;
    });
  return { text: () => all, shows: (text) => eventually(() => all.includes(text)) };
}
