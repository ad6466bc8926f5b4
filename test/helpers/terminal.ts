import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/util/package.ts';
import type { HostsBench } from './hosts.ts';

const LIMIT_MS = 30_000;

/**
 * `runner` in a terminal of 40 rows and 100 columns. Each keys are pressed when the words they wait for are on the
 * screen, which begins anew with each.
 */
export function inTerminal(
  bench: HostsBench,
  words: readonly string[],
  keys: readonly [wait: string, press: string][],
): Promise<{ code: number | null; screen: string }> {
  const command = [
    // Without exec, a shell that waits for the runner gets the Ctrl-C too; dash then ends with 130.
    'stty rows 40 cols 100 && exec',
    process.execPath,
    join(packageRoot(), 'bin', 'runner.js'),
    ...words,
  ];
  const child = spawn('script', ['-qefc', command.join(' '), '/dev/null'], {
    env: {
      ...process.env,
      SHELL: '/bin/sh',
      HOME: bench.cli.dir,
      XDG_STATE_HOME: join(bench.cli.dir, 'state'),
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
    child.stdin.write(press);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The terminal did not end: ${all}`));
    }, LIMIT_MS);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, screen: all });
    });
  });
}
