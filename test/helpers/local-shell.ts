import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newMark } from '../../src/transport/line.ts';
import { sendHttp } from '../../src/transport/http.ts';
import { LocalLine } from '../../src/transport/local.ts';
import { RemoteShell } from '../../src/transport/shell.ts';
import { readRuntime } from '../../src/transport/runtime.ts';
import { ShellSession } from '../../src/transport/session.ts';
import { quoteAll } from '../../src/util/shell.ts';
import { systemRandom } from '../../src/util/random.ts';
import { systemClock } from '../../src/util/time.ts';
import type { Program } from './programs.ts';

/** The shells that can be /bin/sh on a host. */
export const shells: { program: Program; argv: string[] }[] = [
  { program: 'dash', argv: ['dash'] },
  // Under this name, bash is a POSIX shell, like as /bin/sh.
  { program: 'bash', argv: ['bash', '--posix'] },
  { program: 'busybox', argv: ['busybox', 'sh'] },
];

/**
 * The environment of a shell whose records are below `state`, like those of a login user, even if
 * the test runs as root.
 */
export function shellEnvironment(state: string): Record<string, string> {
  const bin = join(state, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
  return { HOME: state, XDG_STATE_HOME: state, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}

export interface LocalShell {
  session: ShellSession;
  /** Number of shells that the session opened. */
  opened: () => number;
  close: () => void;
}

/**
 * A session on this machine with another shell than /bin/sh, and with its records below `state`.
 */
export function localShell(argv: readonly string[], state: string, run = 'test'): LocalShell {
  const line = new LocalLine();
  const environment = shellEnvironment(state);
  let opened = 0;
  const open = async (): Promise<RemoteShell> => {
    opened++;
    const mark = newMark(systemRandom);
    const words = [
      ...['env', ...Object.entries(environment).map((pair) => pair.join('=')), `RUNNER_RUN=${run}`],
      ...['RUNNER_LINE=local', `RUNNER_SHELL=${mark}`, ...argv],
    ];
    const shell = new RemoteShell('here', await line.exec(quoteAll(words)), {
      mark,
      random: systemRandom,
    });
    await shell.start(readRuntime(), { timeoutMs: 20_000 });
    return shell;
  };
  const session = new ShellSession(open, {
    ...{ host: 'here', run, limit: 1, root: false, local: true, sendHttp },
    clock: systemClock,
  });
  return {
    session,
    opened: () => opened,
    close: () => {
      line.close();
    },
  };
}
