// Checks the shell files with shellcheck and with every POSIX shell that is installed.
import { spawnSync } from 'node:child_process';

const files = [
  'src/transport/runtime.sh',
  'src/modules/lib/k0s-reset.sh',
  'src/lab/enter-root.sh',
  'src/lab/stand-ins/lab-lib.sh',
  'src/lab/stand-ins/apt',
  'src/lab/stand-ins/docker',
  'src/lab/stand-ins/journalctl',
  'src/lab/stand-ins/k0s',
  'src/lab/stand-ins/sudo',
  'src/lab/stand-ins/systemctl',
  'test/helpers/openssh/box.sh',
  'src/lab/real/k0s',
  'src/lab/real/pod.sh',
  '.ci/run',
  'src/lab/real/image.sh',
  'src/lab/real/base.sh',
  'src/lab/real/host.sh',
  'src/lab/real/lab.sh',
  'scripts/bare-machine.sh',
];
// Number of bash scripts at the end of the list.
const BASH = 6;
const checks = [
  ['shellcheck', ['-e', 'SC1091,SC2154,SC2317', ...files]],
  ...[['dash'], ['bash'], ['busybox', 'sh']].flatMap(([shell, ...rest]) =>
    files.slice(0, -BASH).map((file) => [shell, [...rest, '-n', file]]),
  ),
];
let failed = false;
const missing = new Set();
for (const [command, args] of checks) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error?.code === 'ENOENT') missing.add(command);
  else if (status !== 0) {
    failed = true;
    console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  }
}
for (const command of missing) console.log(`skipped: ${command} is not installed`);
process.exitCode = failed ? 1 : 0;
