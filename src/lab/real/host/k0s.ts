// Stand-in of the k0s binary, v1.29.15+k0s.0, on a host with systemd. Its output, exit codes, files, units, users, ports, tokens
// and errors match the original, which test/conformance verifies by running both; docs/lab.md lists what is not supported. etcd
// is real. Simpler than the original: the Kubernetes API has only nodes, stored as JSON in etcd, and the kubelet only reports its
// node every two seconds.
import { request as requestHttp } from 'node:http';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { gzipSync } from 'node:zlib';
import {
  VERSION,
  DATA,
  PKI,
  RUN,
  TOKENS,
  fail,
  unitPath,
  ROLES,
  type Role,
  unitState,
  isRunning,
  isActive,
  apiAddress,
  etcdctl,
  members,
  timeOf,
  ask,
  adminPath,
  readAdmin,
  kubeconfig,
  log,
  readBootstrapToken,
  checkConfig,
} from './cluster.ts';
import { runController, runWorker } from './service.ts';
import { kubectl, type Api } from './kubectl.ts';
import { parseFlags, stop, type FlagTable } from './words.ts';

const USERS = ['etcd', 'kube-apiserver', 'konnectivity-server', 'kube-scheduler'];
const CNI = ['10-calico.conflist', 'calico-kubeconfig', '10-kuberouter.conflist'];

/** Global flags of k0s, which all commands accept. */
const GLOBAL: FlagTable = {
  booleans: ['debug', 'verbose'],
  values: ['data-dir', 'debugListenOn', 'status-socket'],
};
const SHORT = { c: 'config', o: 'out', e: 'env', l: 'logging' };

function read(words: readonly string[], booleans: string[] = [], values: string[] = []) {
  const table = {
    booleans: [...GLOBAL.booleans, ...booleans],
    values: [...GLOBAL.values, ...values],
  };
  return parseFlags(words, table, SHORT);
}

/** Flags of `k0s install` (v1.29.15+k0s.0, `--help`), which are also the flags of the command in the unit. */
const INSTALL_FLAGS: Record<Role, [booleans: string[], values: string[]]> = {
  controller: [
    'enable-cloud-provider enable-dynamic-config enable-k0s-cloud-provider enable-metrics-scraper enable-worker force no-taints single'.split(
      ' ',
    ),
    'cidr-range config cri-socket disable-components env iptables-mode k0s-cloud-provider-port k0s-cloud-provider-update-frequency kube-controller-manager-extra-args kubelet-extra-args labels logging profile taints token-file'.split(
      ' ',
    ),
  ],
  worker: [
    ['enable-cloud-provider', 'force'],
    'cidr-range cri-socket env iptables-mode kubelet-extra-args labels logging profile taints token-file'.split(
      ' ',
    ),
  ],
};

const NO_SOCKET = `can't get "status" via "${RUN}/status.sock": Get "http://localhost/status": dial unix ${RUN}/status.sock: connect: no such file or directory`;

/** Prints help without the list of commands and flags. */
function usage(summary: string, command: string): void {
  log(`${summary}\n\nUsage:\n  k0s ${command} [command]`);
}

/** Writes a line of k0s's log. */
function warn(level: string, text: string): void {
  const time = new Date().toISOString().slice(0, 19).replace('T', ' ');
  process.stderr.write(`time="${time}" level=${level} msg="${text}"\n`);
}

function install([role = '', ...words]: readonly string[]): void {
  if (role !== 'controller' && role !== 'worker') {
    usage('Install k0s on a brand-new system. Must be run as root (or with sudo)', 'install');
    return;
  }
  const { flags } = read(words, ...INSTALL_FLAGS[role]);
  const config = flags.get('config');
  if (config !== undefined) checkConfig(config, 'failed to load node config: ');
  const token = flags.get('token-file');
  if (token !== undefined && !existsSync(token)) fail(`${token} does not exist`);
  if (existsSync(unitPath(role)))
    fail(
      `failed to install k0s service: failed to install service: Init already exists: ${unitPath(role)}`,
    );
  for (const user of role === 'controller' ? USERS : []) {
    if (spawnSync('id', [user], { stdio: 'ignore' }).status !== 0)
      execFileSync('useradd', [
        ...['--system', '--no-create-home', '--home', DATA, '--shell', '/usr/sbin/nologin', user],
      ]);
  }
  // systemd would split a flag at spaces.
  const given = [...flags].map(([name, value]) =>
    `--${name}=${value}`.replaceAll(' ', String.raw`\x20`),
  );
  writeFileSync(
    unitPath(role),
    `[Unit]
Description=k0s - Zero Friction Kubernetes
Documentation=https://docs.k0sproject.io
ConditionFileIsExecutable=/usr/local/bin/k0s

After=network-online.target
Wants=network-online.target

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=/usr/local/bin/k0s ${[role, ...given.sort()].join(' ')}

RestartSec=10
Delegate=yes
KillMode=process
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
LimitNOFILE=999999
Restart=always

[Install]
WantedBy=multi-user.target
`,
    { mode: 0o644 },
  );
  execFileSync('systemctl', ['daemon-reload']);
  execFileSync('systemctl', ['-q', 'enable', `k0s${role}`]);
}

function reset(words: readonly string[]): void {
  read(words, [], ['config', 'cri-socket']);
  if (ROLES.some(isRunning)) {
    warn('fatal', 'k0s seems to be running! please stop k0s before reset.');
    process.exit(1);
  }
  for (const user of USERS) spawnSync('userdel', [user], { stdio: 'ignore' });
  for (const role of ROLES.filter((one) => existsSync(unitPath(one)))) {
    spawnSync('systemctl', ['-q', 'disable', `k0s${role}`], { stdio: 'ignore' });
    rmSync(unitPath(role));
    execFileSync('systemctl', ['daemon-reload']);
  }
  unmountData();
  // MKE 3 uses the same files; the original also removes them.
  for (const file of CNI) rmSync(`/etc/cni/net.d/${file}`, { force: true });
  rmSync(RUN, { recursive: true, force: true });
  const problem = spawnSync('rm', ['-rf', DATA], { encoding: 'utf8' }).stderr.trim();
  warn('warning', 'To ensure a full reset, a node reboot is recommended.');
  if (existsSync(DATA))
    fail(
      `errors received during clean-up: [failed to delete k0s generated data-dir: unlinkat ${DATA}: ${problem.split(': ').at(-1)?.toLowerCase() ?? ''}]`,
    );
}

/** Mount points below the data directory, innermost first. */
function unmountData(): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${DATA}/`));
  for (const point of points.reverse()) {
    if (spawnSync('umount', [point], { stdio: 'ignore' }).status === 0) continue;
    warn('warning', `lazy unmounting ${point}`);
    spawnSync('umount', ['-l', point], { stdio: 'ignore' });
  }
}

function checkRole(role: string): void {
  if (role !== 'controller' && role !== 'worker')
    fail(`unsupported role "${role}"; supported roles are "controller" and "worker"`);
}

function needAdmin(): void {
  if (!existsSync(adminPath)) fail(`stat ${adminPath}: no such file or directory`);
}

const refused = (): never =>
  stop(
    'The connection to the server localhost:6443 was refused - did you specify the right host or port?',
  );

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600 };

function createToken(words: readonly string[]): void {
  const { flags } = read(words, ['wait'], ['expiry', 'role']);
  const expiry = flags.get('expiry') ?? '';
  const parts = [...expiry.matchAll(/(\d+)([smh])/g)];
  if (parts.map(([part]) => part).join('') !== expiry) fail(`time: invalid duration "${expiry}"`);
  const role = flags.get('role') ?? 'worker';
  checkRole(role);
  if (!isActive('controller')) {
    if (isActive('worker')) needAdmin();
    fail(`failed to get k0s status: status: ${NO_SOCKET}`);
  }
  const seconds = parts.reduce(
    (sum, [, n, unit]) => sum + Number(n) * (SECONDS[unit ?? ''] ?? 0),
    0,
  );
  const expires = seconds === 0 ? '' : timeOf(Date.now() + seconds * 1000);
  const id = randomBytes(3).toString('hex');
  const secret = randomBytes(8).toString('hex');
  etcdctl('put', `${TOKENS}${id}`, `${secret} ${role} ${expires}`);
  const access = {
    server: `https://${apiAddress()}:${role === 'controller' ? '9443' : '6443'}`,
    ca: readFileSync(`${PKI}/ca.crt`, 'utf8'),
    token: `${id}.${secret}`,
  };
  const user = role === 'controller' ? 'controller-bootstrap' : 'kubelet-bootstrap';
  process.stdout.write(`${gzipSync(kubeconfig(access, user, 'k0s')).toString('base64')}\n`);
}

function listTokens(words: readonly string[]): void {
  const { flags } = read(words, [], ['role']);
  const wanted = flags.get('role') ?? '';
  checkRole(wanted);
  needAdmin();
  if (!isActive('controller')) refused();
  const tokens = etcdctl('get', TOKENS, '--prefix', '--keys-only')
    .split('\n')
    .flatMap((key) => (key === '' ? [] : (readBootstrapToken(key.slice(TOKENS.length)) ?? [])))
    .filter(({ role }) => role === wanted);
  if (tokens.length === 0) log('No k0s join tokens found');
  else log('ID    \tROLE  \tEXPIRES AT           ');
  for (const { id, role, expires } of tokens) log(`${id}\t${role}\t${expires}\t`);
}

function revokeTokens(words: readonly string[]): void {
  const { rest: ids } = read(words);
  if (ids.length === 0) fail('invalidate requires at least one token ID to invalidate');
  needAdmin();
  if (!isActive('controller')) refused();
  for (const id of ids) {
    etcdctl('del', `${TOKENS}${id}`);
    log(`token ${id} deleted successfully`);
  }
}

async function listMembers(words: readonly string[]): Promise<void> {
  read(words);
  const certificate = `${PKI}/apiserver-etcd-client.crt`;
  if (!existsSync(certificate))
    fail(`can't list etcd cluster members: open ${certificate}: no such file or directory`);
  // Like the original, it waits for etcd without a timeout.
  if (!isActive('controller')) await new Promise(() => setInterval(() => undefined, 1 << 30));
  const entries = members().map(({ name, peer }) => [name, peer]);
  log(JSON.stringify({ members: Object.fromEntries(entries) as unknown }));
}

async function callKubectl(words: readonly string[]): Promise<void> {
  const admin = readAdmin();
  const send = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(admin, method, path, body).catch(refused);
    if (answer.status !== 200 && answer.status !== 404)
      stop(`Error from server (InternalError): ${answer.body}`);
    return answer.status === 404 ? undefined : answer.body;
  };
  const api: Api = {
    get: (path) => send('GET', path),
    change: async (node, marking) => {
      await send('PATCH', `/api/v1/nodes/${node}`, marking);
    },
    remove: (kind, name) => etcdctl('del', `/registry/${kind}s/kube-system/${name}`).trim() === '1',
  };
  await kubectl(words, api);
}

function readStatus(): Promise<string> {
  return new Promise((resolve) => {
    requestHttp({ socketPath: `${RUN}/status.sock`, path: '/status' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        resolve(text);
      });
    })
      .once('error', () => fail(`status: ${NO_SOCKET}`))
      .end();
  });
}

async function status(words: readonly string[]): Promise<void> {
  const { flags } = read(words, [], ['out']);
  const shown = JSON.parse(await readStatus()) as Record<string, unknown>;
  if (flags.get('out') === 'json') {
    log(JSON.stringify(shown, undefined, 3));
    return;
  }
  const { Version, Pid, Role: role, Workloads, SingleNode } = shown;
  log(
    [
      ...[`Version: ${String(Version)}`, `Process ID: ${String(Pid)}`, `Role: ${String(role)}`],
      ...[`Workloads: ${String(Workloads)}`, `SingleNode: ${String(SingleNode)}`],
      ...['Kube-api probing successful: true', 'Kube-api probing last error:  '],
    ].join('\n'),
  );
}

/** The role of the service, or controller if both are installed. */
function installedRole(): Role {
  return (
    ROLES.find((role) => existsSync(unitPath(role))) ??
    fail('k0s has not been installed as a service')
  );
}

function startOrStop(command: 'start' | 'stop', words: readonly string[]): void {
  read(words);
  const role = installedRole();
  const state = unitState(role);
  if (state === 'failed') fail('service in failed state');
  if (isRunning(role) === (command === 'start'))
    fail(`already ${command === 'start' ? 'running' : 'stopped'}`);
  execFileSync('systemctl', [command, `k0s${role}`]);
}

function backup(words: readonly string[]): void {
  const { flags } = read(words, [], ['save-path']);
  const directory = flags.get('save-path') ?? '';
  if (!existsSync(DATA))
    fail(
      `cannot find data-dir (${DATA}). check your environment and/or command input and try again`,
    );
  if (!existsSync(directory)) fail(`the save-path directory (${directory}) does not exist`);
  if (isActive('worker')) fail('backup command must be run on the controller node, have `worker`');
  if (!isActive('controller')) fail(`unable to detect cluster status status: ${NO_SOCKET}`);
  const snapshot = `${DATA}/etcd-snapshot.db`;
  etcdctl('snapshot', 'save', snapshot);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const archive = `${directory}/k0s_backup_${time}.tar.gz`;
  execFileSync('tar', ['-czf', archive, '-C', DATA, 'pki', 'etcd-snapshot.db']);
  rmSync(snapshot);
}

function printAdmin(words: readonly string[]): void {
  read(words);
  if (!existsSync(adminPath))
    fail(
      `failed to read admin config, check if the control plane is initialized on this node: open ${adminPath}: no such file or directory`,
    );
  const text = readFileSync(adminPath, 'utf8');
  process.stdout.write(text.replace('https://localhost:6443', `https://${apiAddress()}:6443`));
}

function validateConfig(words: readonly string[]): void {
  const { flags } = read(words, [], ['config']);
  const path = flags.get('config') ?? fail('required flag(s) "config" not set');
  checkConfig(path, 'failed to read config: ');
}

type Command = (words: string[]) => void | Promise<void>;

/** Prints help for an unknown subcommand and succeeds, like the original. */
const group =
  (name: string, summary: string, commands: Record<string, Command>): Command =>
  ([sub = '', ...words]) =>
    (
      commands[sub] ??
      (() => {
        usage(summary, name);
      })
    )(words);

const COMMANDS: Record<string, Command> = {
  version(words) {
    read(words, ['all', 'json']);
    log(VERSION);
  },
  sysinfo(words) {
    read(words, ['controller', 'worker']);
    log(
      `Machine ID: "${hostname()}" (from machine) (pass)\nOperating system: Linux (pass)\n  Max. file descriptors per process: current: 1024 / max: 4096 (warning: < 65536)`,
    );
  },
  controller: (words) => runController(read(words, ...INSTALL_FLAGS.controller).flags),
  worker: (words) => runWorker(read(words, ...INSTALL_FLAGS.worker).flags),
  start(words) {
    startOrStop('start', words);
  },
  stop(words) {
    startOrStop('stop', words);
  },
  install,
  status,
  reset,
  backup,
  kubectl: callKubectl,
  kc: callKubectl,
  config: group('config', 'Configuration related sub-commands', { validate: validateConfig }),
  etcd: group('etcd', 'Manage etcd cluster', { 'member-list': listMembers }),
  kubeconfig: group('kubeconfig', 'Create a kubeconfig file for a specified user', {
    admin: printAdmin,
  }),
  token: group('token', 'Manage join tokens', {
    create: createToken,
    list: listTokens,
    invalidate: revokeTokens,
  }),
};

async function main([command = '', ...words]: string[]): Promise<void> {
  const run = COMMANDS[command];
  if (!run) stop(`Error: unknown command "${command}" for "k0s"\nRun 'k0s --help' for usage.`);
  await run(words);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  appendFileSync('/dev/stderr', `Error: ${String(error)}\n`);
  process.exit(1);
});
