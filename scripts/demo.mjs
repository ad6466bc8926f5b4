// `npm run demo`: the shipped upgrade on an embedded five-node MKE 3 cluster, from install to summary.
// `npm run demo -- --fail-at STEP` shows the same run failing at a step and being rolled back.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { prepare } from './prepare.mjs';

const root = new URL('../', import.meta.url).pathname;
const extra = process.argv.slice(2);
prepare({ quiet: true });

const lab = spawn(process.execPath, [join(root, 'dist', 'lab.js'), '3', '2'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const ended = new Promise((done) => lab.once('close', done));
const first = await Promise.race([
  ended.then(() => undefined),
  new Promise((done) => createInterface({ input: lab.stdout }).once('line', done)),
]);
if (first === undefined) process.exit(1);
const cluster = JSON.parse(first);
console.log(`Lab: ${cluster.hosts.map(({ name, address }) => `${name} ${address}`).join(', ')}`);

const home = mkdtempSync(join(tmpdir(), 'runner-demo-'));
const out = resolve(root, '.demo');
mkdirSync(out, { recursive: true });
const given = extra.indexOf('--config-out');
const config = given === -1 ? join(out, 'mke4.yaml') : resolve(extra[given + 1] ?? '');
const writtenAt = () => statSync(config, { throwIfNoEntry: false })?.mtimeMs;
const before = writtenAt();
const command = [
  ...['play', join(root, 'playbooks', 'upgrade.yml')],
  ...['--hosts-path', cluster.hostsPath],
  ...['--mke3-admin-username', cluster.admin.username],
  ...['--external-address', 'mke.example.com', '--mke3-external-address', cluster.mke3Address],
  ...['--k0s-binary', cluster.k0sBinary, '--kubeconfig-out', join(home, 'mke.kubeconf')],
  ...['--extra-vars', cluster.hostChecks],
  ...['--config-out', config, '--accept-irreversible', 'remove-mke3', '--require-undo'],
  ...extra,
];
console.log(`$ runner ${command.join(' ')}\n`);
const runner = spawn(process.execPath, [join(root, 'bin', 'runner.js'), ...command], {
  stdio: 'inherit',
  env: {
    ...process.env,
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    MKE3_ADMIN_PASSWORD: cluster.admin.password,
    RUNNER_KNOWN_HOSTS: cluster.knownHosts,
  },
});
// Ctrl-C also reaches runner; the demo waits for it to end.
process.on('SIGINT', () => undefined);
const code = await new Promise((done) =>
  runner.once('close', (status, signal) => done(signal ? 130 : status)),
);
// The file of an earlier demo is not reported: runs with --tags write none.
if (code === 0 && writtenAt() !== before) console.log(`\nThe MKE 4 configuration is in ${config}`);
lab.stdin.end();
await ended;
rmSync(home, { recursive: true, force: true });
process.exitCode = code;
