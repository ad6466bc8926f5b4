// fill.mjs: starts the kube-apiserver in /opt/lab with the etcd of MKE 3, creates the lab's objects with it, and stops it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { LabObject } from '../objects.ts';

const PORT = 16443;
const START_MS = 120_000;
const pki = '/opt/lab/pki';
const token = randomUUID();

interface Answer {
  status: number;
  body: string;
}

function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: PORT,
        method,
        path,
        timeout: 30_000,
        ca: readFileSync(`${pki}/cert.pem`),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body: text });
        });
      },
    );
    asked.once('timeout', () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Creates an object and then its status, which a create request ignores. Namespaces of Kubernetes already exist. */
async function create({ collection, value }: LabObject): Promise<void> {
  const { status, body } = await ask('POST', collection, value);
  if (status !== 201 && !(status === 409 && value.kind === 'Namespace'))
    throw new Error(`${collection} ${value.metadata.name}: ${String(status)} ${body}`);
  if (value.kind !== 'Node') return;
  const path = `${collection}/${value.metadata.name}/status`;
  const { metadata } = JSON.parse((await ask('GET', path)).body) as { metadata: unknown };
  const put = await ask('PUT', path, { ...value, metadata });
  if (put.status !== 200) throw new Error(`${path}: ${String(put.status)} ${put.body}`);
}

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fill-'));
  const tokens = join(dir, 'tokens.csv');
  writeFileSync(tokens, `${token},lab,lab,system:masters\n`, { mode: 0o600 });
  const server = spawn(
    '/opt/lab/kube-apiserver',
    [
      ...['--etcd-servers=https://127.0.0.1:12379', '--etcd-prefix=/registry'],
      ...[`--etcd-cafile=${pki}/cert.pem`, `--etcd-certfile=${pki}/cert.pem`],
      ...[`--etcd-keyfile=${pki}/key.pem`, `--secure-port=${String(PORT)}`],
      ...[`--tls-cert-file=${pki}/cert.pem`, `--tls-private-key-file=${pki}/key.pem`],
      ...[`--service-account-key-file=${pki}/sa.pub`],
      ...[`--service-account-signing-key-file=${pki}/sa.key`],
      '--service-account-issuer=https://kubernetes.default.svc',
      ...[`--encryption-provider-config=${pki}/encryption.cfg`, `--token-auth-file=${tokens}`],
      ...['--service-cluster-ip-range=10.96.0.0/16', '--authorization-mode=RBAC'],
      '--disable-admission-plugins=ServiceAccount',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let errors = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-600);
  });
  const ended = once(server, 'exit');
  try {
    for (const deadline = Date.now() + START_MS; ;) {
      const { status } = await ask('GET', '/readyz').catch(() => ({ status: 0 }));
      if (status === 200) break;
      if (server.exitCode !== null || Date.now() > deadline)
        throw new Error(`kube-apiserver is not ready: ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    for (const object of JSON.parse(readFileSync('/opt/lab/objects.json', 'utf8')) as LabObject[])
      await create(object);
  } finally {
    server.kill('SIGTERM');
    const timer = setTimeout(() => server.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
    rmSync(dir, { recursive: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
