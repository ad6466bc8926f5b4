// The service of the k0s stand-in: etcd, the API, the join API, and a kubelet that reports its node.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:https';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import {
  VERSION,
  DATA,
  PKI,
  RUN,
  NODES,
  type Token,
  fail,
  ownAddress,
  setting,
  etcdctl,
  members,
  readKey,
  allNodes,
  putNode,
  timeOf,
  nodeView,
  ask,
  adminPath,
  readAdmin,
  kubeconfig,
  parseToken,
  readTokenFile,
  decodeToken,
  log,
  roleOf,
  checkConfig,
} from './cluster.ts';
import { mark, RUNTIME, type Marking, type Node } from './nodes.ts';

const REPORT_MS = 2000;
/** kube-apiserver runs as a user with the group root. */
const GROUP_READ = 0o040;
const OTHERS_READ = 0o004;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function makeAuthority(directory: string, name: string): void {
  if (existsSync(`${directory}/ca.key`) && existsSync(`${directory}/ca.crt`)) return;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '3650', '-subj', `/CN=${name}`, '-keyout', `${directory}/ca.key`],
    ...['-out', `${directory}/ca.crt`],
  );
  chmodSync(`${directory}/ca.key`, 0o600);
}

function makeCertificate(authority: string, path: string, address: string): void {
  if (existsSync(`${path}.crt`)) return;
  const more = [setting('externalAddress'), setting('address')]
    .filter((name) => name !== '')
    .map((name) => `,${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`);
  const names = `subjectAltName=IP:${address},IP:127.0.0.1,DNS:localhost,DNS:${hostname()}${more.join('')}`;
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

export async function runController(flags: Map<string, string>): Promise<void> {
  const address = ownAddress();
  const config = flags.get('config');
  if (config !== undefined) checkConfig(config, 'failed to load node config: ');
  makePrivate();
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
  if (!existsSync(adminPath)) writeFileSync(adminPath, kubeconfig(admin, 'user'));
  for (const kind of ['crt', 'key'])
    copyFileSync(`${PKI}/etcd/server.${kind}`, `${PKI}/apiserver-etcd-client.${kind}`);
  giveFilesToUsers();
  onStop(startEtcd(address, cluster, state));
  await checkKeys();
  await serveApi(readAdmin().token);
  await serveJoin();
  await serveStatus('controller', flags.has('enable-worker'));
  if (!flags.has('enable-worker')) return;
  const admitted = readAdmin();
  writeFileSync(`${DATA}/kubelet.conf`, kubeconfig(admitted, 'kubelet'), { mode: 0o600 });
  // A kubelet sets labels and taints only when it registers its node.
  const taints = flags.has('no-taints')
    ? undefined
    : [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }];
  await startKubelet(admitted, { 'node.k0sproject.io/role': 'control-plane' }, taints);
}

function makePrivate(): void {
  mkdirSync(PKI, { recursive: true });
  chmodSync(PKI, 0o751);
  mkdirSync(`${DATA}/etcd`, { recursive: true });
  chmodSync(`${DATA}/etcd`, 0o700);
}

/** Data and keys belong to the users of the components and the group root. */
function giveFilesToUsers(): void {
  const idOf = (user: string): number =>
    Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout.trim() || '0');
  chownSync(`${DATA}/etcd`, idOf('etcd'), 0);
  const apiserver = idOf('kube-apiserver');
  for (const [path, owner] of [
    ['sa.key', 0],
    ['admin.conf', 0],
    ['ca.key', apiserver],
    ['apiserver-etcd-client.key', apiserver],
  ] as const) {
    chownSync(`${PKI}/${path}`, owner, 0);
    chmodSync(`${PKI}/${path}`, 0o640);
  }
}

/** kube-apiserver cannot start without its keys. k0s gives up after two minutes; the stand-in after a shorter time. */
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
  // Like the original, it ends its child processes when it aborts; systemd would leave them running.
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
    const sent = JSON.parse(await bodyOf(message)) as Report;
    const metadata = known?.metadata ?? {
      name,
      labels: sent.labels,
      creationTimestamp: timeOf(Date.now()),
    };
    const kubeletVersion = sent.version.replace(/\.\d+$/, '');
    const nodeInfo = { containerRuntimeVersion: RUNTIME, kubeletVersion };
    const status = { nodeInfo, addresses: sent.addresses };
    const spec = known ? known.spec : { taints: sent.taints };
    putNode({ metadata, spec, status, lastReport: Date.now() });
    reply(response, 200, {});
  } else if (!known) reply(response, 404, `nodes "${name}" not found`);
  else if (method === 'PATCH') {
    mark(known, JSON.parse(await bodyOf(message)) as Marking);
    putNode(known);
    reply(response, 200, {});
  } else reply(response, 200, nodeView(known));
}

/** The status that a kubelet reports. Labels and taints apply only at the first registration. */
interface Report {
  version: string;
  labels: Record<string, string>;
  taints?: { key: string; effect: string }[];
  addresses: { type: string; address: string }[];
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
    Args: ['/usr/local/bin/k0s', ...process.argv.slice(2)],
  };
  const server = createHttp((_, response) => {
    reply(response, 200, status);
  });
  await new Promise<void>((resolve) => server.listen(`${RUN}/status.sock`, resolve));
}

export async function runWorker(flags: Map<string, string>): Promise<void> {
  const file = flags.get('token-file');
  const kept = `${DATA}/kubelet.conf`;
  mkdirSync(PKI, { recursive: true });
  chmodSync(PKI, 0o751);
  // After the first join the kubelet has its own identity, so the token can be revoked.
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
  await startKubelet(parseToken(readFileSync(kept, 'utf8')), {});
  onStop();
}

async function startKubelet(
  access: Token,
  labels: Report['labels'],
  taints?: Report['taints'],
): Promise<void> {
  for (const path of [
    ...[`${DATA}/kubelet`, '/etc/k0s', '/etc/cni/net.d', '/opt/cni/bin', '/usr/libexec/k0s'],
    ...['/var/log/pods', '/var/log/containers'],
  ])
    mkdirSync(path, { recursive: true });
  for (const [path, text] of [
    ['/etc/k0s/containerd.toml', '# k0s_managed=true\n'],
    ['/opt/cni/bin/calico', 'CNI plugin\n'],
  ] as const)
    if (!existsSync(path)) writeFileSync(path, text);
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
  const said: Report = {
    version: VERSION,
    labels: { 'kubernetes.io/hostname': hostname(), ...labels },
    ...(taints ? { taints } : {}),
    addresses: [
      { type: 'InternalIP', address: ownAddress() },
      { type: 'Hostname', address: hostname() },
    ],
  };
  const report = (): void => {
    ask(access, 'PUT', `/api/v1/nodes/${hostname()}`, said)
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
