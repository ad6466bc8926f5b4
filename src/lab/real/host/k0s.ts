// Stands for the k0s binary, v1.29.15+k0s.0, on a host with systemd. Its files, units, users, ports, tokens, refusals and
// what `reset` removes are the original's; etcd is the real one. Simpler than the original: the Kubernetes API knows nodes
// only, kept as JSON in etcd, and a kubelet is what reports its node every two seconds.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttp, request as requestHttp } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { gunzipSync, gzipSync } from 'node:zlib';

const VERSION = 'v1.29.15+k0s.0';
const DATA = '/var/lib/k0s';
const PKI = `${DATA}/pki`;
const RUN = '/run/k0s';
const UNITS = '/etc/systemd/system';
const USERS = ['etcd', 'kube-apiserver', 'konnectivity-server', 'kube-scheduler'];
const CNI = ['10-calico.conflist', 'calico-kubeconfig', '10-kuberouter.conflist'];
const NODES = '/registry/minions/';
const TOKENS = '/registry/secrets/kube-system/bootstrap-token-';
const REPORT_MS = 2000;
/** A node that has not reported for so long is not ready. As in the original, this counts from the start of a controller. */
const SILENT_MS = 40_000;
const STARTED = Date.now();
const RUNTIME = 'containerd://1.7.13';
/** The group of the user that kube-apiserver runs as is root's. */
const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;

interface Node {
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations?: Record<string, string> | undefined;
    creationTimestamp: string;
  };
  spec?: { taints?: Taint[] } | undefined;
  status: {
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion?: string };
    addresses?: { type: string; address: string }[] | undefined;
  };
  /** Milliseconds; absent in the data of MKE 3. */
  lastReport?: number;
}

interface Taint {
  key: string;
  value?: string | undefined;
  effect: string;
}

interface Token {
  server: string;
  ca: string;
  token: string;
}

function fail(message: string): never {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => name === 'eth0')
    .flatMap(([, list]) => list ?? []);
  return addresses.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1';
}

const unitPath = (role: string): string => `${UNITS}/k0s${role}.service`;
const installedRole = (): string | undefined =>
  ['controller', 'worker'].find((role) => existsSync(unitPath(role)));

function isActive(role: string): boolean {
  return spawnSync('systemctl', ['is-active', '--quiet', `k0s${role}`]).status === 0;
}

// ---- etcd

function etcdctl(...args: string[]): string {
  const tls = ['--cacert', `${PKI}/etcd/ca.crt`, '--cert', `${PKI}/etcd/server.crt`];
  return execFileSync(
    'etcdctl',
    ['--endpoints', 'https://127.0.0.1:2379', ...tls, '--key', `${PKI}/etcd/server.key`, ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, ETCDCTL_API: '3' },
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

function members(): { name: string; peer: string }[] {
  const { members: list } = JSON.parse(etcdctl('member', 'list', '-w', 'json')) as {
    members: { name?: string; peerURLs: string[] }[];
  };
  return list.map(({ name, peerURLs }) => ({ name: name ?? '', peer: peerURLs[0] ?? '' }));
}

function readKey(key: string): string | undefined {
  return etcdctl('get', key, '--print-value-only').trimEnd() || undefined;
}

function allNodes(): Node[] {
  const keys = etcdctl('get', NODES, '--prefix', '--keys-only').split('\n').filter(Boolean);
  return keys.flatMap((key) => {
    const text = readKey(key);
    return text === undefined ? [] : [JSON.parse(text) as Node];
  });
}

function putNode(node: Node): void {
  etcdctl('put', `${NODES}${node.metadata.name}`, JSON.stringify(node));
}

interface NodeView {
  apiVersion: 'v1';
  kind: 'Node';
  metadata: Node['metadata'];
  spec: Node['spec'];
  status: Node['status'] & { conditions: { status: string; type: string }[] };
}

function nodeView(node: Node): NodeView {
  const ready = Date.now() - Math.max(node.lastReport ?? 0, STARTED) < SILENT_MS;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: node.metadata,
    spec: node.spec,
    status: {
      conditions: [{ status: ready ? 'True' : 'Unknown', type: 'Ready' }],
      ...node.status,
    },
  };
}

// ---- certificates

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function makeAuthority(folder: string, name: string): void {
  if (existsSync(`${folder}/ca.key`) && existsSync(`${folder}/ca.crt`)) return;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '3650', '-subj', `/CN=${name}`, '-keyout', `${folder}/ca.key`],
    ...['-out', `${folder}/ca.crt`],
  );
  chmodSync(`${folder}/ca.key`, 0o600);
}

function makeCertificate(authority: string, path: string, address: string): void {
  if (existsSync(`${path}.crt`)) return;
  const names = `subjectAltName=IP:${address},IP:127.0.0.1,DNS:localhost,DNS:${hostname()}`;
  openssl(
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${hostname()}`, '-keyout', `${path}.key`, '-out', `${path}.csr`],
  );
  writeFileSync(`${path}.ext`, names);
  openssl(
    ...['x509', '-req', '-in', `${path}.csr`, '-CA', `${authority}/ca.crt`],
    ...['-CAkey', `${authority}/ca.key`, '-CAcreateserial', '-days', '365'],
    ...['-extfile', `${path}.ext`, '-out', `${path}.crt`],
  );
  chmodSync(`${path}.key`, 0o600);
  rmSync(`${path}.ext`);
  rmSync(`${path}.csr`);
}

// ---- requests

function ask(
  { server, ca, token }: Token,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server}${path}`,
      { method, ca, timeout: 5000, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error('timed out')));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const adminPath = `${PKI}/admin.conf`;

function readAdmin(): Token {
  if (!existsSync(adminPath))
    fail(
      `cannot stat k0s kubeconfig, is the server running?: stat ${adminPath}: no such file or directory`,
    );
  return parseToken(readFileSync(adminPath, 'utf8'));
}

/** A kubeconfig, of which three lines matter. */
function kubeconfig({ server, ca, token }: Token, user: string): string {
  const data = Buffer.from(ca).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    server: ${server}
    certificate-authority-data: ${data}
  name: local
contexts:
- context:
    cluster: local
    user: ${user}
  name: Default
current-context: Default
users:
- name: ${user}
  user:
    token: ${token}
`;
}

function parseToken(text: string): Token {
  const value = (key: string) => new RegExp(`^ *${key}: (.+)$`, 'm').exec(text)?.[1] ?? '';
  return {
    server: value('server'),
    ca: Buffer.from(value('certificate-authority-data'), 'base64').toString(),
    token: value('token'),
  };
}

function readTokenFile(path: string): string {
  if (!existsSync(path)) fail(`open ${path}: no such file or directory`);
  return readFileSync(path, 'utf8');
}

function decodeToken(text: string, path: string): Token {
  try {
    return parseToken(gunzipSync(Buffer.from(text.trim(), 'base64')).toString());
  } catch {
    return fail(`failed to decode token from ${path}`);
  }
}

// ---- what runs as a service

function log(text: string): void {
  process.stdout.write(`${text}\n`);
}

function listen(server: Server, port: number, address = '0.0.0.0'): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status).end(text);
}

function bearer(message: IncomingMessage): string {
  return (message.headers.authorization ?? '').replace(/^Bearer /, '');
}

/** Role that a token is for; tokens are kept in etcd as the original keeps them. */
function roleOf(token: string): string | undefined {
  const [id = '', secret] = token.split('.');
  if (!/^[a-z0-9]{6}$/.test(id)) return undefined;
  const [known, role] = (readKey(`${TOKENS}${id}`) ?? '').split(' ');
  return known === secret ? role : undefined;
}

async function runController(flags: Map<string, string>): Promise<void> {
  const address = ownAddress();
  mkdirSync(`${PKI}/etcd`, { recursive: true, mode: 0o755 });
  mkdirSync(RUN, { recursive: true });
  let cluster = `${hostname()}=https://${address}:2380`;
  let state = 'new';
  const tokenFile = flags.get('token-file');
  if (tokenFile !== undefined && !existsSync(`${PKI}/ca.key`)) {
    const token = decodeToken(readTokenFile(tokenFile), tokenFile);
    const answer = await ask(token, 'POST', '/v1beta1/etcd/members', {
      name: hostname(),
      peer: `https://${address}:2380`,
    });
    if (answer.status !== 200) fail(`failed to join: ${answer.body}`);
    const joined = JSON.parse(answer.body) as { cluster: string; files: Record<string, string> };
    for (const [path, text] of Object.entries(joined.files))
      writeFileSync(`${PKI}/${path}`, text, { mode: 0o600 });
    ({ cluster } = joined);
    state = 'existing';
  }
  makeAuthority(PKI, 'kubernetes-ca');
  makeAuthority(`${PKI}/etcd`, 'etcd-ca');
  makeCertificate(PKI, `${PKI}/server`, address);
  makeCertificate(`${PKI}/etcd`, `${PKI}/etcd/server`, address);
  if (!existsSync(`${PKI}/sa.key`)) openssl('genrsa', '-out', `${PKI}/sa.key`, '2048');
  const admin = {
    server: 'https://localhost:6443',
    ca: readFileSync(`${PKI}/ca.crt`, 'utf8'),
    token: randomBytes(24).toString('hex'),
  };
  if (!existsSync(adminPath)) writeFileSync(adminPath, kubeconfig(admin, 'user'), { mode: 0o600 });
  onStop(startEtcd(address, cluster, state));
  await checkKeys();
  await serveApi(readAdmin().token);
  await serveJoin();
  await serveStatus('controller', flags.has('enable-worker'));
  if (flags.has('enable-worker')) await startKubelet(readAdmin(), 'control-plane');
}

/** kube-apiserver cannot start without its keys: k0s gives up after two minutes, which are shorter here. */
async function checkKeys(): Promise<void> {
  const config = existsSync('/etc/k0s/k0s.yaml') ? readFileSync('/etc/k0s/k0s.yaml', 'utf8') : '';
  const [, file] = /"encryption-provider-config":"([^"]+)"/.exec(config) ?? [];
  if (file === undefined) return;
  const { mode, gid } = statSync(file);
  const readable = (gid === 0 && (mode & GROUP_READ) !== 0) || (mode & OTHERS_READ) !== 0;
  if (readable) return;
  for (let tries = 0; tries < 3; tries++) {
    log(
      `level=info msg="Error: error while parsing encryption provider configuration file \\"${file}\\": open ${file}: permission denied" component=kube-apiserver stream=stderr`,
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  log(
    'level=error msg="failed to start controller node components" error="APIServer health-check timed out"',
  );
  process.exit(1);
}

function startEtcd(address: string, cluster: string, state: string): ChildProcess {
  const tls = (prefix: string) => [
    `--${prefix}cert-file=${PKI}/etcd/server.crt`,
    `--${prefix}key-file=${PKI}/etcd/server.key`,
    `--${prefix}trusted-ca-file=${PKI}/etcd/ca.crt`,
    `--${prefix}client-cert-auth`,
  ];
  const etcd = spawn(
    'etcd',
    [
      ...[`--name=${hostname()}`, `--data-dir=${DATA}/etcd`],
      ...[`--listen-peer-urls=https://${address}:2380`, `--initial-cluster=${cluster}`],
      ...['--listen-client-urls=https://127.0.0.1:2379'],
      ...['--advertise-client-urls=https://127.0.0.1:2379'],
      ...[`--initial-advertise-peer-urls=https://${address}:2380`],
      ...[`--initial-cluster-state=${state}`, ...tls(''), ...tls('peer-')],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  // Like the original, it ends its parts when it gives up; systemd would leave them running.
  process.once('exit', () => etcd.kill('SIGKILL'));
  etcd.once('exit', (code) => {
    log(`etcd ended with ${String(code)}`);
    process.exit(1);
  });
  return etcd;
}

async function serveApi(admin: string): Promise<void> {
  const tls = { cert: readFileSync(`${PKI}/server.crt`), key: readFileSync(`${PKI}/server.key`) };
  const server = createServer(tls, (message, response) => {
    void handleApi(admin, message, response).catch((error: unknown) => {
      reply(response, 500, String(error));
    });
  });
  await listen(server, 6443);
}

async function handleApi(
  admin: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = bearer(message);
  const kubelet = token !== admin && (token.startsWith('kubelet-') || roleOf(token) === 'worker');
  if (token !== admin && !kubelet) {
    reply(response, 401, 'Unauthorized');
    return;
  }
  const { method } = message;
  const path = message.url ?? '/';
  if (path === '/readyz') {
    etcdctl('endpoint', 'health');
    reply(response, 200, 'ok');
    return;
  }
  const [, name] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(path) ?? [];
  if (path === '/api/v1/nodes' && method === 'GET') {
    reply(response, 200, {
      apiVersion: 'v1',
      items: allNodes().map(nodeView),
      kind: 'List',
      metadata: { resourceVersion: '' },
    });
    return;
  }
  if (name === undefined) {
    reply(response, 404, `the server could not find ${path}`);
    return;
  }
  const text = readKey(`${NODES}${name}`);
  const known = text === undefined ? undefined : (JSON.parse(text) as Node);
  if (method === 'PUT') {
    const sent = JSON.parse(await bodyOf(message)) as {
      version: string;
      labels: Record<string, string>;
    };
    // Labels act at the first registration only.
    const metadata = known?.metadata ?? {
      name,
      labels: sent.labels,
      creationTimestamp: new Date().toISOString(),
    };
    const kubeletVersion = sent.version.replace(/\.\d+$/, '');
    const nodeInfo = { containerRuntimeVersion: RUNTIME, kubeletVersion };
    const status = { nodeInfo, addresses: known?.status.addresses };
    putNode({ metadata, spec: known?.spec, status, lastReport: Date.now() });
    reply(response, 200, {});
  } else if (!known) reply(response, 404, `nodes "${name}" not found`);
  else if (method === 'PATCH') {
    const { verb, changes } = JSON.parse(await bodyOf(message)) as Marking;
    mark(known, verb, changes);
    putNode(known);
    reply(response, 200, {});
  } else reply(response, 200, nodeView(known));
}

/** What "kubectl label", "annotate" and "taint" ask for: NAME=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT, and NAME-. */
interface Marking {
  verb: 'label' | 'annotate' | 'taint';
  changes: string[];
}

function mark(node: Node, verb: Marking['verb'], changes: readonly string[]): void {
  for (const change of changes) {
    const removed = change.endsWith('-') ? change.slice(0, -1) : undefined;
    if (verb === 'taint') {
      const [, key = '', value, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(change) ?? [];
      const kept = (node.spec?.taints ?? []).filter((taint) =>
        removed === undefined
          ? taint.key !== key || taint.effect !== effect
          : taint.key !== removed,
      );
      const taints = removed === undefined ? [...kept, { key, value, effect }] : kept;
      node.spec = taints.length === 0 ? {} : { taints };
      continue;
    }
    const at = change.indexOf('=');
    const values = verb === 'label' ? node.metadata.labels : (node.metadata.annotations ??= {});
    if (removed === undefined) values[change.slice(0, at)] = change.slice(at + 1);
    else Reflect.deleteProperty(values, removed);
  }
}

async function serveJoin(): Promise<void> {
  const tls = { cert: readFileSync(`${PKI}/server.crt`), key: readFileSync(`${PKI}/server.key`) };
  const server = createServer(tls, (message, response) => {
    void (async () => {
      if (roleOf(bearer(message)) !== 'controller') {
        reply(response, 401, 'token is not valid');
        return;
      }
      const { name, peer } = JSON.parse(await bodyOf(message)) as { name: string; peer: string };
      const before = members();
      if (!before.some((one) => one.peer === peer))
        etcdctl('member', 'add', name, `--peer-urls=${peer}`);
      const cluster = [...before.filter((one) => one.peer !== peer), { name, peer }]
        .map((one) => `${one.name}=${one.peer}`)
        .join(',');
      const shared = [
        'ca.key',
        'ca.crt',
        'sa.key',
        'sa.pub',
        'etcd/ca.key',
        'etcd/ca.crt',
        'admin.conf',
      ];
      const files = Object.fromEntries(
        shared
          .filter((path) => existsSync(`${PKI}/${path}`))
          .map((path) => [path, readFileSync(`${PKI}/${path}`, 'utf8')]),
      );
      reply(response, 200, { cluster, files });
    })().catch((error: unknown) => {
      reply(response, 500, String(error));
    });
  });
  await listen(server, 9443);
}

async function serveStatus(role: string, workloads: boolean): Promise<void> {
  mkdirSync(RUN, { recursive: true });
  rmSync(`${RUN}/status.sock`, { force: true });
  const status = {
    Version: VERSION,
    Pid: process.pid,
    Role: role,
    Workloads: workloads,
    SingleNode: false,
  };
  const server = createHttp((_, response) => {
    reply(response, 200, status);
  });
  await new Promise<void>((resolve) => server.listen(`${RUN}/status.sock`, resolve));
}

async function runWorker(flags: Map<string, string>): Promise<void> {
  const file = flags.get('token-file');
  const kept = `${DATA}/kubelet.conf`;
  mkdirSync(DATA, { recursive: true });
  // After the first join the kubelet has an identity of its own; the token may be revoked.
  if (!existsSync(kept)) {
    if (file === undefined)
      fail('neither regular nor bootstrap kubelet kubeconfig files exist and no join token given');
    const token = decodeToken(readTokenFile(file), file);
    const answer = await ask(token, 'GET', '/readyz');
    if (answer.status !== 200) fail(`failed to join: ${answer.body}`);
    const own = { ...token, token: `kubelet-${randomBytes(12).toString('hex')}` };
    writeFileSync(kept, kubeconfig(own, 'kubelet'), { mode: 0o600 });
  }
  await serveStatus('worker', true);
  await startKubelet(parseToken(readFileSync(kept, 'utf8')), 'worker');
  onStop();
}

async function startKubelet(access: Token, role: string): Promise<void> {
  mkdirSync(`${DATA}/kubelet`, { recursive: true });
  mkdirSync('/etc/cni/net.d', { recursive: true });
  const port = createHttp((_, response) => {
    reply(response, 401, 'Unauthorized');
  });
  await new Promise<void>((resolve, reject) => {
    port.once('error', reject);
    port.listen(10250, '0.0.0.0', resolve);
  });
  writeFileSync(
    '/etc/cni/net.d/10-calico.conflist',
    '{"name":"k8s-pod-network","cniVersion":"0.3.1","plugins":[{"type":"calico"}],"installed-by":"k0s"}\n',
  );
  const labels = { [`node-role.kubernetes.io/${role}`]: 'true' };
  const report = (): void => {
    ask(access, 'PUT', `/api/v1/nodes/${hostname()}`, { version: VERSION, labels })
      .then(({ status, body }) => {
        if (status !== 200) log(`kubelet: ${String(status)} ${body}`);
      })
      .catch((error: unknown) => {
        log(`kubelet: ${String(error)}`);
      });
  };
  report();
  setInterval(report, REPORT_MS);
}

function onStop(etcd?: ChildProcess): void {
  process.once('SIGTERM', () => {
    rmSync(`${RUN}/status.sock`, { force: true });
    if (!etcd) process.exit(0);
    etcd.removeAllListeners('exit');
    etcd.once('exit', () => process.exit(0));
    etcd.kill('SIGTERM');
  });
}

// ---- commands

function parseFlags(words: readonly string[]): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  const bare = new Set(['enable-worker', 'no-taints', 'force', 'wait']);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, name, value] = /^--?([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) rest.push(word);
    else if (value !== undefined || bare.has(name)) flags.set(name, value ?? 'true');
    else flags.set(name, words[++index] ?? '');
  }
  return { flags, rest };
}

/** The flags of `k0s install` (v1.29.15+k0s.0, `--help`) without the shorthands other than -c. */
const COMMON_FLAGS =
  'cidr-range cri-socket data-dir debug debugListenOn enable-cloud-provider env force iptables-mode kubelet-extra-args labels logging profile status-socket taints token-file verbose';
const INSTALL_FLAGS: Record<'controller' | 'worker', readonly string[]> = {
  controller:
    `c config disable-components enable-dynamic-config enable-k0s-cloud-provider enable-metrics-scraper enable-worker k0s-cloud-provider-port k0s-cloud-provider-update-frequency kube-controller-manager-extra-args no-taints single ${COMMON_FLAGS}`.split(
      ' ',
    ),
  worker: COMMON_FLAGS.split(' '),
};

function install(role: string, words: readonly string[]): void {
  if (role !== 'controller' && role !== 'worker') fail(`unknown role ${role}`);
  if (existsSync(unitPath(role)))
    fail(
      `failed to install k0s service: failed to install service: Init already exists: ${unitPath(role)}`,
    );
  const { flags } = parseFlags(words);
  const known = new Set(INSTALL_FLAGS[role]);
  for (const flag of flags.keys()) if (!known.has(flag)) fail(`unknown flag: --${flag}`);
  const config = flags.get('c') ?? flags.get('config');
  if (config !== undefined && !existsSync(config))
    fail(`failed to load node config: open ${config}: no such file or directory`);
  for (const user of role === 'controller' ? USERS : []) {
    if (spawnSync('id', [user], { stdio: 'ignore' }).status !== 0)
      execFileSync('useradd', [
        '--system',
        '--no-create-home',
        '--home',
        DATA,
        '--shell',
        '/usr/sbin/nologin',
        user,
      ]);
  }
  // systemd would split a flag at a space.
  const given = [...flags].map(([name, value]) =>
    `--${name === 'c' ? 'config' : name}=${value}`.replaceAll(' ', String.raw`\x20`),
  );
  const line = [role, ...given.sort()].join(' ');
  writeFileSync(
    unitPath(role),
    `[Unit]
Description=k0s - Zero Friction Kubernetes
After=network-online.target

[Service]
ExecStart=/usr/local/bin/k0s ${line}
KillMode=process
Delegate=yes
LimitNOFILE=999999
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
`,
  );
  execFileSync('systemctl', ['daemon-reload']);
  execFileSync('systemctl', ['-q', 'enable', `k0s${role}`]);
}

function reset(): void {
  const role = installedRole();
  if (role !== undefined && isActive(role))
    fail('k0s seems to be running! please stop k0s before reset');
  for (const user of USERS) spawnSync('userdel', [user], { stdio: 'ignore' });
  if (role !== undefined) {
    spawnSync('systemctl', ['-q', 'disable', `k0s${role}`], { stdio: 'ignore' });
    rmSync(unitPath(role));
    execFileSync('systemctl', ['daemon-reload']);
  }
  rmSync(DATA, { recursive: true, force: true });
  rmSync(RUN, { recursive: true, force: true });
  // These files are shared with MKE 3; the original removes them too.
  for (const file of CNI) rmSync(`/etc/cni/net.d/${file}`, { force: true });
}

function needController(): void {
  if (!isActive('controller')) fail('k0s is not running on this node as a controller');
}

function createToken(words: readonly string[]): void {
  needController();
  const { flags } = parseFlags(words);
  const role = flags.get('role') ?? 'worker';
  const id = randomBytes(3).toString('hex');
  const secret = randomBytes(8).toString('hex');
  etcdctl('put', `${TOKENS}${id}`, `${secret} ${role}`);
  const access = {
    server: `https://${ownAddress()}:${role === 'controller' ? '9443' : '6443'}`,
    ca: readFileSync(`${PKI}/ca.crt`, 'utf8'),
    token: `${id}.${secret}`,
  };
  const user = role === 'controller' ? 'controller-bootstrap' : 'kubelet-bootstrap';
  process.stdout.write(`${gzipSync(kubeconfig(access, user)).toString('base64')}\n`);
}

function revokeTokens(ids: readonly string[]): void {
  needController();
  for (const id of ids) {
    etcdctl('del', `${TOKENS}${id}`);
    log(`token ${id} deleted successfully`);
  }
}

/** What `k8s_wait` asks about nodes. */
const NODE_ROWS =
  'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Ready")].status}{"\\t"}{.status.nodeInfo.kubeletVersion}{"\\t"}{.status.nodeInfo.containerRuntimeVersion}{"\\n"}{end}';

async function kubectl(words: readonly string[]): Promise<void> {
  const admin = readAdmin();
  const get = async (path: string): Promise<string> => {
    const { status, body } = await ask(admin, 'GET', path).catch(() =>
      fail('the connection to the server localhost:6443 was refused'),
    );
    if (status !== 200) fail(`from server: ${body}`);
    return body;
  };
  const line = words.filter((word) => !word.startsWith('--request-timeout=')).join(' ');
  const [, waited] = /^wait --for=condition=Ready node\/(\S+)/.exec(line) ?? [];
  const [, deleted] =
    /^-n kube-system delete daemonset,deployment --field-selector metadata\.name=(\S+) --selector !k0s\.k0sproject\.io\/stack$/.exec(
      line,
    ) ?? [];
  const [, verb, marked] = /^(label|annotate|taint) node (\S+) /.exec(line) ?? [];
  const [, shown] = /^get node (\S+) -o jsonpath=\{\.metadata\.labels\}/.exec(line) ?? [];
  if (line === 'get --raw /readyz') process.stdout.write(await get('/readyz'));
  else if (line === 'get nodes -o json')
    process.stdout.write(
      `${JSON.stringify(JSON.parse(await get('/api/v1/nodes')), undefined, 4)}\n`,
    );
  else if (line === `get nodes -o ${NODE_ROWS}`) {
    const { items } = JSON.parse(await get('/api/v1/nodes')) as { items: NodeView[] };
    for (const { metadata, status } of items)
      process.stdout.write(
        `${[metadata.name, status.conditions[0]?.status, status.nodeInfo.kubeletVersion, status.nodeInfo.containerRuntimeVersion].join('\t')}\n`,
      );
  } else if (waited !== undefined) {
    const limit = Number(/--timeout=(\d+)s/.exec(line)?.[1] ?? '30') * 1000;
    for (const began = Date.now(); ;) {
      if ((await get(`/api/v1/nodes/${waited}`)).includes('"status":"True"')) break;
      if (Date.now() - began > limit) fail('timed out waiting for the condition');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    process.stdout.write(`node/${waited} condition met\n`);
  } else if (verb !== undefined && marked !== undefined) {
    const changes = words.slice(3).filter((word) => word !== '--overwrite');
    const { status, body } = await ask(admin, 'PATCH', `/api/v1/nodes/${marked}`, {
      verb,
      changes,
    });
    if (status !== 200) fail(`from server: ${body}`);
    process.stdout.write(`node/${marked} ${verb === 'label' ? 'labeled' : `${verb}d`}\n`);
  } else if (shown !== undefined) {
    const { metadata, spec } = JSON.parse(await get(`/api/v1/nodes/${shown}`)) as NodeView;
    const fields = [metadata.labels, metadata.annotations, spec?.taints];
    process.stdout.write(
      fields.map((field) => (field === undefined ? '' : JSON.stringify(field))).join('\n'),
    );
  } else if (line.startsWith('get pods --all-namespaces --field-selector spec.nodeName=')) {
    // The pods of the lab require no labels.
  } else if (line.startsWith('get pods -n kube-system -l ')) {
    // There is no network of pods: the agent of each node is its SSH server.
    const { items } = JSON.parse(await get('/api/v1/nodes')) as { items: NodeView[] };
    for (const { metadata, status } of items.filter(
      ({ status: { nodeInfo } }) => nodeInfo.containerRuntimeVersion === RUNTIME,
    ))
      process.stdout.write(
        `konnectivity-agent-${metadata.name}\t${metadata.name}\tRunning\t\t${status.addresses?.[0]?.address ?? ''}\tTCP/22 \n`,
      );
  } else if (deleted !== undefined) {
    for (const kind of ['daemonset', 'deployment']) {
      const removed = etcdctl('del', `/registry/${kind}s/kube-system/${deleted}`).trim();
      if (removed === '1') process.stdout.write(`${kind}.apps "${deleted}" deleted\n`);
    }
  } else if (
    /^-n kube-system rollout status daemonset\/(calico-node|konnectivity-agent) --timeout=\d+s$/.test(
      line,
    )
  ) {
    // Its pods are those of the kubelets here: they run where the node is ready.
    const { items } = JSON.parse(await get('/api/v1/nodes')) as { items: unknown[] };
    if (items.some((node) => !JSON.stringify(node).includes('"status":"True"')))
      fail('timed out waiting for the condition');
    process.stdout.write('daemon set "calico-node" successfully rolled out\n');
  } else fail(`k0s kubectl (stand-in): ${line} is not known here`);
}

function status(): Promise<void> {
  const role = installedRole();
  if (role === undefined || !isActive(role))
    fail('status: can not get "status" via socket /run/k0s/status.sock');
  return new Promise((resolve) => {
    requestHttp({ socketPath: `${RUN}/status.sock`, path: '/status' }, (response) => {
      response.pipe(process.stdout);
      response.once('end', resolve);
    })
      .once('error', () => fail('status: can not get "status" via socket /run/k0s/status.sock'))
      .end();
  });
}

function validateConfig(path: string | undefined): void {
  const text = path === undefined ? '' : readFileSync(path, 'utf8');
  if (!/^kind: ClusterConfig$/m.test(text)) fail(`${String(path)}: not a ClusterConfig`);
  if (!/^apiVersion: k0s\.k0sproject\.io\/v1beta1$/m.test(text))
    fail(`${String(path)}: unknown apiVersion`);
}

async function main([command = '', ...words]: string[]): Promise<void> {
  const { flags, rest } = parseFlags(words);
  switch (command) {
    case 'version':
      log(VERSION);
      break;
    case 'config':
      validateConfig(flags.get('config'));
      break;
    case 'install':
      install(words[0] ?? '', words.slice(1));
      break;
    case 'controller':
      await runController(flags);
      break;
    case 'worker':
      await runWorker(flags);
      break;
    case 'start':
    case 'stop': {
      const role = installedRole() ?? fail('k0s is not installed as a service');
      execFileSync('systemctl', [command, `k0s${role}`]);
      break;
    }
    case 'status':
      await status();
      break;
    case 'token':
      if (rest[0] === 'create') createToken(words.slice(1));
      else if (rest[0] === 'invalidate') revokeTokens(rest.slice(1));
      else fail(`k0s (stand-in): token ${String(rest[0])} is not known here`);
      break;
    case 'etcd':
      needController();
      if (rest[0] === 'member-list')
        log(
          JSON.stringify({
            members: Object.fromEntries(members().map(({ name, peer }) => [name, peer])),
          }),
        );
      else fail(`k0s (stand-in): etcd ${String(rest[0])} is not known here`);
      break;
    case 'reset':
      reset();
      break;
    case 'kubeconfig':
      needController();
      process.stdout.write(readFileSync(adminPath, 'utf8'));
      break;
    case 'sysinfo':
      process.stdout.write('Operating system: Linux (pass)\n');
      break;
    case 'kubectl':
    case 'kc':
      await kubectl(words);
      break;
    default:
      fail(`k0s (stand-in): ${command} is not known here`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  appendFileSync('/dev/stderr', `Error: ${String(error)}\n`);
  process.exit(1);
});
