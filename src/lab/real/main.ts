// `npm run lab:real -- COMMAND…`: an MKE 3 cluster on real hosts around a command, which finds the lab's folder in RUNNER_LAB_DIR.
// Without a command, the shipped upgrade. `--k0s FILE` takes a real k0s binary in place of the stand-in.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { packageRoot } from '../../util/package.ts';
import { realK0s, realLabObstacle } from './real-lab.ts';
import { RealMke3 } from './real-mke3.ts';

async function main(words: string[]): Promise<number> {
  const withK0s = words[0] === '--k0s';
  const k0s = withK0s ? await realK0s(words[1] ?? '') : undefined;
  const command = withK0s ? words.slice(2) : words;
  if (command[0] === '--obstacle') {
    const obstacle = await realLabObstacle();
    if (obstacle !== undefined) process.stdout.write(`${obstacle}\n`);
    return obstacle === undefined ? 0 : 1;
  }
  const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
  const home = mkdtempSync(join(tmpdir(), 'runner-real-'));
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say('Starting three managers and two workers with MKE 3 …');
  const cluster = await RealMke3.start({ managers: 3, workers: 2 }, cache, k0s);
  const { lab } = cluster;
  const stop = async (): Promise<void> => {
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  };
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      void stop().then(() => process.exit(1));
    });
  // Ctrl-C reaches the command too, which decides what it means.
  process.on('SIGINT', () => undefined);
  try {
    const upgrade = [
      ...[process.execPath, join(packageRoot(), 'bin', 'runner.js'), 'play', cluster.playbook],
      ...[...cluster.upgradeInputs(home), '--accept-irreversible', 'remove-mke3'],
    ];
    const wanted = command.length > 0 ? command : upgrade;
    say(`$ ${wanted.join(' ')}`);
    return await call(lab.inside(wanted), {
      ...process.env,
      ...cluster.env,
      XDG_STATE_HOME: join(home, 'state'),
      RUNNER_LAB_DIR: lab.dir,
    });
  } finally {
    await stop();
  }
}

function call([program, ...args]: [string, ...string[]], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : 130);
    });
  });
}

main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error: unknown) => {
    process.stderr.write(`${errorMessage(error)}\n`);
    process.exitCode = 1;
  });
