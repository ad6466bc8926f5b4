// Code shared by the commands and services of the k0s stand-in: etcd, state of units, tokens, requests.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { networkInterfaces } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { type Node, type NodeView } from './nodes.ts';
import { stop } from './words.ts';

export const VERSION = 'v1.29.15+k0s.0';
export const DATA = '/var/lib/k0s';
export const PKI = `${DATA}/pki`;
export const RUN = '/run/k0s';
const UNITS = '/etc/systemd/system';
export const NODES = '/registry/minions/';
export const TOKENS = '/registry/secrets/kube-system/bootstrap-token-';
/** A node is not ready if it has not reported for this time. As in the original, the time starts with the controller. */
const SILENT_MS = 40_000;
const STARTED = Date.now();

export interface Token {
  server: string;
  ca: string;
  token: string;
}

export function fail(message: string): never {
  return stop(`Error: ${message}`);
}

export function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces())
    .filter(([name]) => name === 'eth0')
    .flatMap(([, list]) => list ?? []);
  return addresses.find(({ family }) => family === 'IPv4')?.address ?? '127.0.0.1';
}

export const unitPath = (role: string): string => `${UNITS}/k0s${role}.service`;
export const ROLES = ['controller', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** State of the unit as named by systemd. */
export function unitState(role: Role): string {
  return spawnSync('systemctl', ['is-active', `k0s${role}`], { encoding: 'utf8' }).stdout.trim();
}

/** A service that systemd is about to restart also counts as running. */
export function isRunning(role: Role): boolean {
  return ['active', 'activating', 'reloading'].includes(unitState(role));
}

export const isActive = (role: Role): boolean => unitState(role) === 'active';

/** A setting in the configuration that the controller's unit names; empty if it is not set. */
export function setting(name: string): string {
  const unit = existsSync(unitPath('controller'))
    ? readFileSync(unitPath('controller'), 'utf8')
    : '';
  const [, path = ''] = /^ExecStart=.* --config=(\S+)/m.exec(unit) ?? [];
  if (path === '' || !existsSync(path)) return '';
  const text = readFileSync(path, 'utf8');
  return new RegExp(`^ *${name}: *"?([^"\\s]+)"?$`, 'm').exec(text)?.[1] ?? '';
}

/** The API address for clients. */
export function apiAddress(): string {
  return setting('externalAddress') || setting('address') || ownAddress();
}

export function etcdctl(...args: string[]): string {
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

export function members(): { name: string; peer: string }[] {
  const { members: list } = JSON.parse(etcdctl('member', 'list', '-w', 'json')) as {
    members: { name?: string; peerURLs: string[] }[];
  };
  return list.map(({ name, peerURLs }) => ({ name: name ?? '', peer: peerURLs[0] ?? '' }));
}

export function readKey(key: string): string | undefined {
  return etcdctl('get', key, '--print-value-only').trimEnd() || undefined;
}

export function allNodes(): Node[] {
  const keys = etcdctl('get', NODES, '--prefix', '--keys-only').split('\n').filter(Boolean);
  return keys.flatMap((key) => {
    const text = readKey(key);
    return text === undefined ? [] : [JSON.parse(text) as Node];
  });
}

export function putNode(node: Node): void {
  etcdctl('put', `${NODES}${node.metadata.name}`, JSON.stringify(node));
}

/** Formats a time without milliseconds, as Kubernetes does. */
export const timeOf = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');

export function nodeView({ metadata, spec = {}, status, lastReport = 0 }: Node): NodeView {
  const seen = Math.max(lastReport, STARTED);
  const ready = Date.now() - seen < SILENT_MS ? 'True' : 'Unknown';
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata,
    spec,
    status: {
      conditions: [{ lastHeartbeatTime: timeOf(seen), status: ready, type: 'Ready' }],
      ...status,
    },
  };
}

export function ask(
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

export const adminPath = `${PKI}/admin.conf`;

export function readAdmin(): Token {
  if (!existsSync(adminPath))
    fail(
      `cannot stat k0s kubeconfig, is the server running?: stat ${adminPath}: no such file or directory`,
    );
  return parseToken(readFileSync(adminPath, 'utf8'));
}

/** A minimal kubeconfig. */
export function kubeconfig(
  { server, ca, token }: Token,
  user: string,
  context = 'Default',
): string {
  const data = Buffer.from(ca).toString('base64');
  const cluster = context === 'Default' ? 'local' : context;
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${data}
    server: ${server}
  name: ${cluster}
contexts:
- context:
    cluster: ${cluster}
    user: ${user}
  name: ${context}
current-context: ${context}
kind: Config
preferences: {}
users:
- name: ${user}
  user:
    token: ${token}
`;
}

export function parseToken(text: string): Token {
  const value = (key: string) => new RegExp(`^ *${key}: (.+)$`, 'm').exec(text)?.[1] ?? '';
  return {
    server: value('server'),
    ca: Buffer.from(value('certificate-authority-data'), 'base64').toString(),
    token: value('token'),
  };
}

export function readTokenFile(path: string): string {
  if (!existsSync(path)) fail(`open ${path}: no such file or directory`);
  return readFileSync(path, 'utf8');
}

export function decodeToken(text: string, path: string): Token {
  try {
    return parseToken(gunzipSync(Buffer.from(text.trim(), 'base64')).toString());
  } catch {
    return fail(`failed to decode token from ${path}`);
  }
}

export function log(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Tokens by ID, stored in etcd like the original: secret, role, and expiry. */
interface BootstrapToken {
  id: string;
  secret: string;
  role: string;
  expires: string;
}

export function readBootstrapToken(id: string): BootstrapToken | undefined {
  const text = readKey(`${TOKENS}${id}`);
  if (text === undefined) return undefined;
  const [secret = '', role = '', expires = ''] = text.split(' ');
  return { id, secret, role, expires };
}

export function roleOf(token: string): string | undefined {
  const [id = '', secret] = token.split('.');
  if (!/^[a-z0-9]{6}$/.test(id)) return undefined;
  const known = readBootstrapToken(id);
  if (known?.secret !== secret) return undefined;
  const isExpired = known?.expires !== '' && Date.parse(known?.expires ?? '') < Date.now();
  return isExpired ? undefined : known?.role;
}

/** Uses the checks of the embedded lab's stand-in. */
const CONFIG_CHECK = '/opt/lab/k0s-config.awk';

export function checkConfig(path: string, prefix: string): void {
  if (!existsSync(path))
    fail(
      `${prefix === 'failed to read config: ' ? '' : prefix}open ${path}: no such file or directory`,
    );
  const { status, stderr } = spawnSync(
    'awk',
    ['-v', `prefix=${prefix}`, '-f', CONFIG_CHECK, path],
    { encoding: 'utf8' },
  );
  if (status !== 0) stop(stderr.trimEnd());
}
