import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/util/package.ts';
import type { HostsBench } from './hosts.ts';

const LIMIT_MS = 120_000;

/**
 * Starts `runner` in a terminal of 40 rows and 100 columns. It needs the program `script`, so its tests use
 * `itWith('script')` or `describeWith('script')`. Each entry of `keys` is pressed once its text is on the screen;
 * only text printed after the previous entry counts. A function is called at that moment and returns the keys.
 * @throws Error when the program does not end in time
 */
export function inTerminal(
  bench: HostsBench,
  words: readonly string[],
  keys: readonly [wait: string, press: string | (() => string)][],
): Promise<{ code: number | null; screen: string }> {
  const command = [
    // With "exec" there is no waiting shell, which Ctrl-C would end with code 130.
    'stty rows 40 cols 100 && exec',
    process.execPath,
    join(packageRoot(), 'bin', 'runner.js'),
    ...words,
  ];
  const child = spawn('script', ['-qefc', command.join(' '), '/dev/null'], {
    cwd: bench.cli.dir,
    env: {
      ...process.env,
      SHELL: '/bin/sh',
      HOME: bench.cli.dir,
      XDG_STATE_HOME: dirname(bench.cli.stateDir),
      RUNNER_KNOWN_HOSTS: bench.lab.files.knownHosts,
      TERM: 'xterm',
    },
  });
  let all = '';
  let screen = '';
  let next = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
    screen += chunk;
    const [wait, press] = keys[next] ?? [];
    if (wait === undefined || press === undefined || !screen.includes(wait)) return;
    next++;
    screen = '';
    child.stdin.write(typeof press === 'string' ? press : press());
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`runner did not end in time:\n${all}`));
    }, LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, screen: all });
    });
  });
}
