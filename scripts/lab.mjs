// `npm run lab [-- COMMAND…]`: two hosts of the embedded lab around a shell, or around a command. The hosts and their
// runs are removed when it ends. The directory lab/ with the inventory stays, for the playbooks that you write there.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { prepare } from './prepare.mjs';

const names = ['web1', 'web2'];
const root = new URL('../', import.meta.url).pathname;
const [command = process.env.SHELL ?? 'sh', ...args] = process.argv.slice(2);
if (process.env.RUNNER_LAB_OPEN !== undefined) {
  console.error('A lab is already open in this shell. Leave it with: exit');
  process.exit(1);
}
if (process.env.RUNNER_LAB_PREPARED === undefined) prepare({ quiet: true });

const lab = spawn(process.execPath, [join(root, 'dist', 'lab.js'), 'hosts', ...names], {
  stdio: ['pipe', 'pipe', 'inherit'],
  // Ctrl-C ends the command in the lab, not its hosts.
  detached: true,
});
const ended = new Promise((done) => lab.once('close', done));
const first = await Promise.race([
  ended.then(() => undefined),
  new Promise((done) => createInterface({ input: lab.stdout }).once('line', done)),
]);
if (first === undefined) process.exit(1);
const { hosts, key, knownHosts } = JSON.parse(first);

const directory = join(process.env.INIT_CWD ?? process.cwd(), 'lab');
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'hosts.yml'), inventory(hosts, key));

const home = mkdtempSync(join(tmpdir(), 'runner-lab-shell-'));
const program = join(home, 'runner');
writeFileSync(
  program,
  `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin', 'runner.js')}' "$@"\n`,
);
chmodSync(program, 0o755);
console.log(`Lab: ${hosts.map(({ name, address }) => `${name} ${address}`).join(', ')}.`);
console.log('Inventory: hosts.yml in this directory. "exit" removes the hosts.');

const shell = spawn(command, args, {
  stdio: 'inherit',
  cwd: directory,
  env: {
    ...process.env,
    PATH: `${home}:${process.env.PATH}`,
    RUNNER_KNOWN_HOSTS: knownHosts,
    RUNNER_LAB_OPEN: '1',
    XDG_STATE_HOME: join(home, 'state'),
  },
});
process.on('SIGINT', () => undefined);
const code = await new Promise((done) => {
  shell.once('error', (error) => {
    console.error(error.message);
    done(1);
  });
  shell.once('close', (status, signal) => done(signal ? 130 : status));
});
lab.stdin.end();
await ended;
rmSync(home, { recursive: true, force: true });
process.exitCode = code;

function inventory(hosts, key) {
  const lines = hosts.map(
    ({ name, address, port }) =>
      `    ${name}: { ansible_host: ${address}, ansible_port: ${port} }\n`,
  );
  return `web:
  hosts:
${lines.join('')}  vars:
    ansible_user: root
    ansible_ssh_private_key_file: ${key}
`;
}
