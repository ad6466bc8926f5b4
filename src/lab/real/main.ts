// `npm run lab:real -- COMMAND…`: starts an MKE 3 cluster on real hosts and runs a command, by default the shipped upgrade.
// RUNNER_LAB_DIR is the lab's directory. Options use real programs instead of stand-ins: `--k0s FILE`, `--kube-apiserver FILE`
// (which fills the etcd of MKE 3), and `--coredns FILE --kube-proxy FILE` (for the pods of k0s).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../../core/errors.ts';
import { packageRoot } from '../../util/package.ts';
import { RealLabError, realPrograms, type RealPrograms } from './programs.ts';
import { realLabObstacle } from './real-lab.ts';
import { RealMke3 } from './real-mke3.ts';

const flags: Record<string, keyof RealPrograms> = {
  '--k0s': 'k0s',
  '--kube-apiserver': 'kubeApiserver',
  '--coredns': 'coredns',
  '--kube-proxy': 'kubeProxy',
};

function parse(words: readonly string[]): {
  files: Partial<Record<keyof RealPrograms, string>>;
  command: string[];
} {
  const files: Partial<Record<keyof RealPrograms, string>> = {};
  const command = [...words];
  for (;;) {
    const program = flags[command[0] ?? ''];
    if (program === undefined) return { files, command };
    const [flag, file] = command.splice(0, 2);
    if (file === undefined) throw new RealLabError(`"${String(flag)}" needs a file.`);
    files[program] = file;
  }
}

async function main(words: string[]): Promise<number> {
  const { files, command } = parse(words);
  const programs = await realPrograms(files);
  if (command[0] === '--obstacle') {
    const obstacle = await realLabObstacle();
    if (obstacle !== undefined) process.stdout.write(`${obstacle}\n`);
    return obstacle === undefined ? 0 : 1;
  }
  const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
  const home = mkdtempSync(join(tmpdir(), 'runner-real-'));
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say('Starting three managers and two workers with MKE 3 …');
  const cluster = await RealMke3.start({ managers: 3, workers: 2 }, cache, programs);
  const { lab } = cluster;
  const stop = async (): Promise<void> => {
    await cluster.stop();
    rmSync(home, { recursive: true, force: true });
  };
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      void stop().then(() => process.exit(1));
    });
  // Ctrl-C also reaches the command, which handles it.
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
