import { describe, expect, it } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../src/core/action.ts';
import { ConnectError } from '../../../src/core/errors.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { LAB_ADMIN, Mke3Answers } from '../../../src/lab/mke3-answers.ts';
import { podList } from '../../../src/lab/mke3-seed.ts';
import { listOf, textOf } from '../../../src/mke/findings/cluster-view.ts';
import { mke3_workloads } from '../../../src/mke/modules/mke3_workloads.ts';
import { fakeHost, testModule } from '../../helpers/module-tester.ts';
import { parseDocuments } from '../findings/corpus.ts';
import { helmSecret } from '../../helpers/helm.ts';

/** Sessions are cached by URL, so each test has its own address. */
let port = 1000;

/** Runs the module with the MKE 3 API stand-in, with own responses for some paths. */
async function found(
  own: Record<string, unknown> = {},
  { hosts = [], refuse = () => undefined }: { hosts?: JsonObject[]; refuse?: Refuse } = {},
) {
  const url = `https://mke.example.com:${String(++port)}`;
  const asked: string[] = [];
  const answers = new Mke3Answers({
    certificate: '',
    toml: () => '',
    nodes: () => [],
    kubernetes: (path) =>
      own[path] ?? (path === '/api/v1/pods' ? podList(['m1', 'w1']) : undefined),
    isUp: () => true,
    token: () => 'token',
  });
  const request = async (sent: HttpRequest): Promise<HttpResponse> => {
    const { host, pathname, search } = new URL(sent.url);
    asked.push(`${pathname}${search}`);
    refuse(pathname, host);
    const said = await answers.answer({
      method: sent.method,
      url: `${pathname}${search}`,
      authorization: sent.headers?.['authorization'] ?? '',
      body: () => sent.body ?? '',
    });
    const status = refusedStatus(own, pathname) ?? said.status;
    const body = typeof said.body === 'string' ? said.body : JSON.stringify(said.body);
    return { status, headers: {}, body };
  };
  const { host, controller, once } = fakeHost({});
  const args = { url, ...LAB_ADMIN, kubernetes_version: 'v1.29.15+k0s.0', hosts };
  const sight = { host, controller: { ...controller, request }, once };
  const { actions, result } = await mke3_workloads.plan(args as never, sight);
  expect(actions).toEqual([]);
  const findings = listOf(result?.['findings']);
  const ids = findings.map(({ id, object }) => `${textOf(id)} ${textOf(object)}`);
  return { asked, findings, ids };
}

type Refuse = (path: string, host: string) => void;

/** The status that a test has set for a path. */
function refusedStatus(own: Record<string, unknown>, path: string): number | undefined {
  const status = own[`status ${path}`];
  return typeof status === 'number' ? status : undefined;
}

describe('mke3_workloads', () => {
  it('finds nothing in the lab cluster, and requests each list once', async () => {
    const { asked, ids } = await found();
    expect(ids).toEqual([]);
    const lists = asked.filter((path) => /^\/apis?\//.test(path));
    expect(lists).toHaveLength(new Set(lists).size);
    expect(lists.length).toBeLessThan(30);
    expect(asked).toContain('/metrics');
  });

  it('reads lists page by page', async () => {
    const pods = Array.from({ length: 1201 }, (_, index) => ({
      metadata: { name: `bare-${String(index)}`, namespace: 'shop' },
      spec: {},
    }));
    const { asked, findings } = await found({ '/api/v1/pods': { items: pods } });
    expect(findings.filter(({ id }) => id === 'bare_pod')).toHaveLength(1201);
    expect(asked.filter((path) => path.startsWith('/api/v1/pods?'))).toEqual([
      '/api/v1/pods?limit=500',
      '/api/v1/pods?limit=500&continue=500',
      '/api/v1/pods?limit=500&continue=1000',
    ]);
  });

  it('reads only the ConfigMaps of log agents', async () => {
    const agents = parseDocuments(`
metadata: { name: fluent-bit, namespace: logging }
spec:
  template:
    spec:
      containers:
        - name: fluent-bit
          volumeMounts: [{ name: log, mountPath: /var/log }, { name: c, mountPath: /c }]
      volumes:
        - { name: log, hostPath: { path: /var/log } }
        - { name: c, hostPath: { path: /var/lib/docker/containers } }
        - { name: config, configMap: { name: fluent-bit } }
---
metadata: { name: other, namespace: logging }
spec: { template: { spec: { volumes: [{ name: config, configMap: { name: other } }] } } }
`);
    const map = '/api/v1/namespaces/logging/configmaps/fluent-bit';
    const answer = (parser: string) => ({
      '/apis/apps/v1/daemonsets': { items: agents },
      [map]: {
        metadata: { name: 'fluent-bit', namespace: 'logging' },
        data: { 'fluent-bit.conf': `[INPUT]\n  Parser ${parser}\n` },
      },
    });
    const { asked, ids } = await found(answer('docker'));
    expect(ids).toContain('docker_logs DaemonSet logging/fluent-bit');
    expect(asked.filter((path) => path.includes('/configmaps/'))).toEqual([map]);
    const clean = await found(answer('cri'));
    expect(clean.ids.filter((one) => one.startsWith('docker_logs'))).toEqual([]);
  });

  it('reads only Helm Secrets, and returns nothing of their content', async () => {
    const manifest =
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: hush-too\n---\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: nightly\n';
    const release = { name: 'shop', namespace: 'shop', version: 2, status: 'deployed', manifest };
    const other = { metadata: { name: 'db' }, type: 'Opaque', data: { password: 'aHVzaA==' } };
    const { asked, findings } = await found({
      '/api/v1/secrets': { items: [helmSecret(release), other] },
    });
    expect(findings).toMatchObject([{ id: 'removed_api_helm', object: 'Helm release shop/shop' }]);
    const said = JSON.stringify(findings);
    expect(said).not.toMatch(/hush|aHVzaA|H4sI/);
    const [secrets] = asked.filter((path) => path.startsWith('/api/v1/secrets'));
    expect(decodeURIComponent(secrets ?? '')).toContain('fieldSelector=type=helm.sh/release.v1');
  });

  it('uses the facts of the hosts', async () => {
    const hosts = [
      { host: 'w1', daemon_json: '{"insecure-registries":["r:5000"]}', images: '' },
      { host: 'w2', daemon_json: '', images: 'registry.example.com/web 1 <none>\n' },
    ];
    const { ids } = await found({}, { hosts });
    expect(ids).toEqual([
      'engine_settings daemon.json insecure-registries',
      'local_image Deployment default/web',
    ]);
  });

  it('reports lists that it could not read, and checks the rest', async () => {
    const { findings, ids } = await found({
      'status /apis/apps/v1/replicasets': 403,
      'status /apis/policy/v1/poddisruptionbudgets': 500,
      '/apis/batch/v1/cronjobs': { kind: 'Status' },
    });
    expect(ids).toEqual([
      'check_not_made cluster, replicasets',
      'check_not_made cluster, cronjobs',
      'check_not_made cluster, poddisruptionbudgets',
    ]);
    expect(findings[0]).toMatchObject({
      severity: 'warning',
      blocking: false,
      remedy: 'kubectl get replicasets -A',
    });
  });

  it('continues without the metrics, which are at another address', async () => {
    const error = new ConnectError('refused', { host: 'x', stage: 'connect', retryable: true });
    const refuse: Refuse = (path, host) => {
      if (path === '/metrics') {
        expect(host).toBe('mke.example.com:6443');
        throw error;
      }
    };
    const { ids } = await found({}, { refuse });
    expect(ids).toEqual(['check_not_made cluster, metrics of the API']);
  });

  it('fails if the MKE 3 API becomes unreachable', async () => {
    const error = new ConnectError('gone', { host: 'x', stage: 'connect', retryable: true });
    const refuse: Refuse = (path) => {
      if (path.startsWith('/apis/')) throw error;
    };
    await expect(found({}, { refuse })).rejects.toBe(error);
  });
});

testModule(mke3_workloads, {
  acts: true,
  settled: [],
  refused: [
    {
      title: 'an invalid version',
      args: { url: 'https://mke', username: 'a', password: 'b', kubernetes_version: 'latest' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a user who is not an administrator',
      args: { url: 'https://mke2', username: 'a', password: 'b', kubernetes_version: 'v1.29.3' },
      responses: {
        'POST https://mke2/auth/login': { status: 200, headers: {}, body: '{"auth_token":"t"}' },
        'GET https://mke2/id/': { status: 200, headers: {}, body: '{"isAdmin":false}' },
      },
      code: 'TASK_FAILED',
    },
  ],
});
