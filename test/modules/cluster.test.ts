import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { containers } from '../../src/facts/container.ts';
import { nodeMarks, podAddresses, podsToMove, requiredLabels } from '../../src/facts/kubernetes.ts';
import { directoryUse } from '../../src/facts/docker.ts';
import { container } from '../../src/modules/container.ts';
import { docker_export } from '../../src/modules/docker_export.ts';
import { docker_object } from '../../src/modules/docker_object.ts';
import { restore_container } from '../../src/modules/undo/restore_container.ts';
import { dns_check } from '../../src/modules/dns_check.ts';
import { NameServer } from '../../src/lab/name-server.ts';
import { etcd_health } from '../../src/modules/etcd_health.ts';
import { http_check } from '../../src/modules/http_check.ts';
import { k0s } from '../../src/modules/k0s.ts';
import { k8s_node } from '../../src/modules/k8s_node.ts';
import { k8s_pods } from '../../src/modules/k8s_pods.ts';
import { k8s_wait } from '../../src/modules/k8s_wait.ts';
import { port_check } from '../../src/modules/port_check.ts';
import { port_states } from '../../src/modules/port_states.ts';
import { fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';
import { describeWith, has, itWith } from '../helpers/programs.ts';

const kubectl = '["kubectl"]';
const node = (takesPods: boolean | undefined, pods: string[] = []) => ({
  [`kubernetes.schedulable ${kubectl} n1`]: takesPods,
  [`kubernetes.pods ${kubectl} n1`]: pods,
});

const draining = (call: string): string =>
  expect.stringMatching(new RegExp(`^exec /bin/sh -c set -- ${call}\\n`)) as string;

testModule(k8s_node, {
  settled: [
    { title: 'cordoned', args: { name: 'n1', state: 'cordoned' }, facts: node(false, ['a/b']) },
    { title: 'drained', args: { name: 'n1', state: 'drained' }, facts: node(false) },
    { title: 'takes pods', args: { name: 'n1', state: 'uncordoned' }, facts: node(true) },
    {
      title: 'it only looks without a wish',
      args: { name: 'n1' },
      facts: node(false, ['a/b']),
      result: { name: 'n1', unschedulable: true },
    },
  ],
  changes: [
    {
      title: 'drains, by another program',
      args: { name: 'n1', state: 'drained', force: true, kubectl: 'k0s kubectl', grace_period: 5 },
      facts: {
        'kubernetes.schedulable ["k0s","kubectl"] n1': true,
        'kubernetes.pods ["k0s","kubectl"] n1': ['web/app'],
      },
      actions: [
        draining(
          'k0s kubectl drain n1 --ignore-daemonsets --force --grace-period=5 --timeout=300s',
        ),
      ],
      restore: [
        { module: 'k8s_node', args: { name: 'n1', state: 'uncordoned', kubectl: 'k0s kubectl' } },
      ],
    },
    {
      title: 'drains what was cordoned before, and leaves it so',
      args: { name: 'n1', state: 'drained' },
      facts: node(false, ['web/app']),
      actions: [draining('kubectl drain n1 --ignore-daemonsets --timeout=300s')],
      restore: [{ module: 'k8s_node', args: { name: 'n1', state: 'cordoned' } }],
    },
    {
      title: 'cordons',
      args: { name: 'n1', state: 'cordoned', kubeconfig: '/etc/k' },
      facts: { 'kubernetes.schedulable ["kubectl","--kubeconfig","/etc/k"] n1': true },
      actions: ['exec kubectl --kubeconfig /etc/k cordon n1'],
    },
  ],
  refused: [
    {
      title: 'a node that is not there',
      args: { name: 'n1', state: 'cordoned' },
      facts: node(undefined),
      code: 'TASK_FAILED',
    },
  ],
});

describe('k8s_node with state: drained', () => {
  const drain = async (body: string) => {
    const plan = await k8s_node.plan(
      { name: 'n1', state: 'drained', timeout: 10 },
      fakeHost({ facts: node(true, ['shop/web-1']) }),
    );
    const [action] = plan.actions;
    if (action?.kind !== 'exec') throw new Error('no command');
    const [program = '', flag = '', script = ''] = action.argv;
    const { status, stdout, stderr } = spawnSync(
      program,
      [flag, `kubectl() { ${body}\n}\n${script}`],
      { encoding: 'utf8', timeout: 20_000 },
    );
    return { status, stdout, stderr };
  };

  it('names the pods that stayed in the last line of its error, with the reason', async () => {
    const refused = (pod: string, reason: string) =>
      `error when evicting pods/"${pod}" -n "shop" (will retry after 5s): ${reason}.`;
    const budget = "Cannot evict pod as it would violate the pod's disruption budget";
    const left = 'error when evicting pods/"web-1" -n "shop": global timeout reached: 10s';
    const said = [
      ...[refused('web-1', budget), refused('web-2', budget), refused('web-1', budget)],
      `error: unable to drain node "n1" due to error:${left}, continuing command...`,
      ...['There are pending nodes to be drained:', ' n1', left],
    ];
    const answer = await drain(`echo "$*"; cat >&2 <<'SAID'\n${said.join('\n')}\nSAID\nreturn 1`);
    expect(answer.stdout).toBe('drain n1 --ignore-daemonsets --timeout=10s\n');
    expect(answer.status).toBe(1);
    const lines = answer.stderr.trimEnd().split('\n');
    expect(lines.slice(0, -1)).toEqual(said.filter((line, index) => said.indexOf(line) === index));
    expect(lines.at(-1)).toBe(`Pods that are not evicted: shop/web-1: ${budget}`);
  });

  it('shows other errors and warnings as kubectl prints them', async () => {
    expect(await drain('echo "error: no configuration" >&2; return 3')).toEqual({
      ...{ status: 3, stdout: '', stderr: 'error: no configuration\n' },
    });
    expect(await drain('echo drained; echo Warning >&2')).toEqual({
      ...{ status: 0, stdout: 'drained\n', stderr: 'Warning\n' },
    });
  });
});

const marks = (required: string[] = []) => ({
  [`kubernetes.marks ${kubectl} n1`]: {
    labels: { zone: 'a', 'com.docker.ucp.x': '1', 'com.docker.ucp.y': '2' },
    annotations: { 'com.docker.ucp.z': '3', note: 'n' },
    taints: [
      { key: 'com.docker.ucp.manager', value: '', effect: 'NoSchedule' },
      { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
      { key: 'gpu', value: '', effect: 'NoExecute' },
    ],
  },
  [`kubernetes.required_labels ${kubectl} n1`]: required,
});

testModule(k8s_node, {
  settled: [
    {
      title: 'labels, annotations and taints as wanted',
      args: {
        name: 'n1',
        labels: { zone: 'a', gone: null },
        annotations: { note: 'n' },
        taints: { gpu: 'yes:NoSchedule,NoExecute', none: null },
        remove_prefixes: ['other/'],
      },
      facts: marks(),
    },
    {
      title: 'a label that a pod requires stays',
      args: { name: 'n1', remove_prefixes: ['com.docker.ucp.x'] },
      facts: marks(['com.docker.ucp.x']),
      result: { name: 'n1', kept: ['com.docker.ucp.x'] },
    },
  ],
  changes: [
    {
      title: 'sets and removes, and restores exactly that',
      args: {
        name: 'n1',
        labels: { zone: 'b', role: '', 'com.docker.ucp.y': null },
        annotations: { note: null },
        taints: { gpu: 'NoSchedule', master: 'NoSchedule' },
      },
      facts: marks(),
      actions: [
        'exec kubectl label node n1 --overwrite zone=b role= com.docker.ucp.y-',
        'exec kubectl annotate node n1 --overwrite note-',
        'exec kubectl taint node n1 --overwrite gpu-',
        'exec kubectl taint node n1 --overwrite gpu:NoSchedule master:NoSchedule',
      ],
      restore: [
        {
          module: 'k8s_node',
          args: {
            name: 'n1',
            labels: { zone: 'a', role: null, 'com.docker.ucp.y': '2' },
            annotations: { note: 'n' },
            taints: { gpu: 'yes:NoSchedule,NoExecute', master: null },
          },
        },
      ],
    },
    {
      title: 'removes by the start of the name, but not what pods require',
      args: { name: 'n1', remove_prefixes: ['com.docker.ucp.'] },
      facts: marks(['com.docker.ucp.x']),
      actions: [
        'exec kubectl label node n1 --overwrite com.docker.ucp.y-',
        'exec kubectl annotate node n1 --overwrite com.docker.ucp.z-',
        'exec kubectl taint node n1 --overwrite com.docker.ucp.manager-',
      ],
      restore: [
        {
          module: 'k8s_node',
          args: {
            name: 'n1',
            labels: { 'com.docker.ucp.y': '2' },
            annotations: { 'com.docker.ucp.z': '3' },
            taints: { 'com.docker.ucp.manager': 'NoSchedule' },
          },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'labels of a node that is not there',
      args: { name: 'n1', labels: { a: 'b' } },
      facts: { [`kubernetes.marks ${kubectl} n1`]: undefined },
      code: 'TASK_FAILED',
    },
  ],
});

describe('kubernetes.required_labels', () => {
  it('are those of node selectors and required affinity, without those that must be absent', () => {
    const affinity = {
      nodeSelectorTerms: [
        {
          matchExpressions: [
            { key: 'zone', operator: 'In', values: ['a'] },
            { key: 'manager', operator: 'DoesNotExist' },
          ],
        },
        { matchExpressions: [{ key: 'disk', operator: 'Exists' }] },
      ],
    };
    const stdout = `{"gpu":"yes"}\n${JSON.stringify(affinity)}\n\n\n`;
    expect(requiredLabels.parse({ code: 0, stdout, stderr: '' }, kubectl, 'n1')).toEqual([
      'gpu',
      'zone',
      'disk',
    ]);
  });
});

describe('kubernetes.marks', () => {
  it('has no such node when kubectl does not find it, and fails on what is not JSON', () => {
    const stderr = 'Error from server (NotFound): nodes "n1" not found';
    expect(nodeMarks.parse({ code: 1, stdout: '', stderr }, kubectl, 'n1')).toBeUndefined();
    const old = { code: 0, stdout: 'map[a:b]\n\n', stderr: '' };
    expect(() => nodeMarks.parse(old, kubectl, 'n1')).toThrow('as JSON: map[a:b]');
  });
});

describe('kubernetes.pods', () => {
  it('leaves out what a drain leaves alone', () => {
    const stdout =
      'a/ds DaemonSet Running \na/static  Running abc\na/done Job Succeeded \na/web ReplicaSet Running \na/bare  Pending \n';
    expect(podsToMove.parse({ code: 0, stdout, stderr: '' }, kubectl, 'n1')).toEqual([
      'a/web',
      'a/bare',
    ]);
  });
});

/** Runs shell text here, while this process goes on. */
async function runHere(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', script], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** What the module would run on the host, run here with programs of the test in front of the path. */
async function look(module: { plan: unknown }, args: object, programs: Record<string, string>) {
  const plan = await (module as { plan: typeof k8s_wait.plan }).plan(args as never, fakeHost({}));
  const [action] = plan.actions;
  if (action?.kind !== 'exec') throw new Error('no command');
  const functions = Object.entries(programs).map(([name, body]) => `${name}() { ${body}\n}\n`);
  const [, flag = '', script = '', ...words] = action.argv;
  const { status, stdout, stderr } = spawnSync(
    '/bin/sh',
    [flag, `${functions.join('')}${script}`, ...words],
    { encoding: 'utf8', input: action.stdin ?? '', timeout: 20_000 },
  );
  return { status, stdout, stderr };
}

testModule(k8s_wait, {
  settled: [{ title: 'it only looks', args: { kind: 'node' } }],
  refused: [
    { title: 'a rollout of everything', args: { kind: 'deployment' }, code: 'TASK_FAILED' },
    {
      title: 'name and selector',
      args: { kind: 'pod', name: 'a', selector: 'b' },
      code: 'TASK_FAILED',
    },
    { title: 'an option', args: { kind: '--all' }, code: 'SCHEMA' },
    { title: 'neither kind nor path', args: {}, code: 'SCHEMA' },
    { title: 'kind and path', args: { kind: 'node', path: '/readyz' }, code: 'SCHEMA' },
    {
      title: 'the kubelet version of a pod',
      args: { kind: 'pod', kubelet_version: 'v1.29.3+k0s' },
      code: 'TASK_FAILED',
    },
    {
      title: 'nodes by label with a kubelet version',
      args: { kind: 'node', selector: 'a=b', kubelet_version: 'v1.29.3+k0s' },
      code: 'TASK_FAILED',
    },
  ],
});

describe('k8s_wait for nodes', () => {
  const rows = [
    ['m1', 'True', 'v1.29.3+k0s', 'containerd://1.7.14'],
    ['w1', 'True', 'v1.27.7-mirantis-1', 'docker://23.0.15'],
    ['w2', 'Unknown', 'v1.29.3+k0s', 'containerd://1.7.14'],
    ['w3', 'True', 'v1.29.3+k0s', 'docker://23.0.15'],
  ]
    .map((fields) => fields.join('\t'))
    .join('\n');
  const wanted = { kubelet_version: 'v1.29.3+k0s', container_runtime: 'containerd', timeout: 0 };

  it('reports every node that is not as wanted, with the reason', async () => {
    const programs = { kubectl: `cat <<'ROWS'\n${rows}\nROWS` };
    const args = { kind: 'node', name: ['m1', 'w1', 'w2', 'w3', 'w4'], ...wanted };
    const { status, stderr } = await look(k8s_wait, args, programs);
    expect(status).toBe(1);
    expect(stderr.split('\n').slice(0, -2)).toEqual([
      'w1: kubelet v1.27.7-mirantis-1 instead of v1.29.3+k0s',
      'w2: Ready is Unknown',
      'w3: container runtime docker://23.0.15 instead of containerd',
      'w4: not registered',
    ]);
  });

  it('succeeds when the named nodes are as wanted, whatever the others are', async () => {
    const programs = { kubectl: `cat <<'ROWS'\n${rows}\nROWS` };
    const { status, stdout } = await look(
      k8s_wait,
      { kind: 'nodes', name: 'm1', ...wanted },
      programs,
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1 nodes are ready\n' });
  });

  it('fails without any node', async () => {
    const { status, stderr } = await look(k8s_wait, { kind: 'node', ...wanted }, { kubectl: ':' });
    expect(status).toBe(1);
    expect(stderr).toContain('there are no nodes');
  });
});

describe('a wait with a unit', () => {
  const unit = (active: string, sub: string, restarts = 0) => ({
    systemctl: `printf 'ActiveState=${active}\\nSubState=${sub}\\nResult=exit-code\\nExecMainStatus=1\\nNRestarts=${String(restarts)}\\n'`,
    journalctl: `printf '%s\\n' 'time=1 error reading /var/lib/k0s/encryption.cfg: permission denied' 'time=2 error reading /var/lib/k0s/encryption.cfg: permission denied' 'error: dial tcp: connection refused' 'stopping a' 'stopping b' 'stopping etcd'`,
    date: 'echo "${now:-0}"',
    sleep: 'now=$((${now:-0} + $1))',
    kubectl: 'echo "connection refused" >&2; return 1',
  });

  it.each([
    ['activating', 'auto-restart'],
    ['failed', 'failed'],
    ['inactive', 'dead'],
  ])(
    'ends when the unit is %s (%s), and shows each error of its journal once',
    async (active, sub) => {
      const args = { path: '/readyz', unit: 'k0scontroller', timeout: 3600 };
      const { status, stderr } = await look(k8s_wait, args, unit(active, sub));
      expect(status).toBe(1);
      expect(stderr).toContain(
        `The unit k0scontroller does not run: ${active} (${sub}), result exit-code, exit status 1.`,
      );
      expect(stderr.match(/permission denied/g)).toHaveLength(1);
      expect(stderr).toContain('stopping etcd');
      expect(stderr).toContain('More: journalctl -u k0scontroller');
    },
  );

  it.each([
    [1, '(waited 10 s)'],
    [2, 'The unit k0scontroller does not run: activating (auto-restart)'],
  ])('lets systemd start the unit again as often as it may: %i times', async (done, message) => {
    const args = { path: '/readyz', unit: 'k0scontroller', unit_restarts: 2, timeout: 10 };
    const { status, stderr } = await look(k8s_wait, args, unit('activating', 'auto-restart', done));
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  it('goes on while the unit runs', async () => {
    const args = { path: '/readyz', unit: 'k0scontroller', timeout: 10 };
    const { status, stderr } = await look(k8s_wait, args, unit('active', 'running'));
    expect(status).toBe(1);
    expect(stderr).toContain('connection refused\n(waited 10 s)\n');
  });

  it('shows the errors of a unit that runs, when time is up', async () => {
    const args = { path: '/readyz', unit: 'k0scontroller', timeout: 10 };
    const { stderr } = await look(k8s_wait, args, {
      ...unit('active', 'running'),
      // As k0s has it for a kubelet that ends again and again (recorded on a host with too many inotify instances).
      journalctl: `for n in 1 2 3; do echo 'E1127 02:47:0'$n'.009087 10181 kubelet.go:1533] "Failed to start cAdvisor" err="inotify_init: too many open files" component=kubelet'; echo 'respawning in 5s'; done`,
    });
    expect(stderr.match(/too many open files/g)).toHaveLength(1);
    expect(stderr).toContain('The unit k0scontroller runs. Errors in its journal:\nE');
    expect(stderr).toContain('More: journalctl -u k0scontroller\n');
  });
});

describe('k8s_wait', () => {
  const says = { kubectl: 'printf "%s " "$@"' };

  it.each([
    [{ kind: 'node' }, 'wait --for=condition=Ready node --all --timeout=60s'],
    [{ kind: 'job', name: 'x' }, 'wait --for=condition=complete job/x --timeout=60s'],
    [
      { kind: 'pod', selector: 'a=b', condition: 'deleted', namespace: 'n' },
      '-n n wait --for=delete pod -l a=b --timeout=60s',
    ],
    [
      { kind: 'Deployments', name: 'x', context: 'c' },
      '--context c rollout status deployment/x --timeout=60s',
    ],
    [{ path: '/readyz' }, 'get --raw /readyz --request-timeout=10s'],
    [{ kind: 'node', name: 'n1', timeout: 7 }, 'wait --for=condition=Ready node/n1 --timeout=7s'],
  ])('asks for %j', async (args, words) => {
    const { status, stdout } = await look(k8s_wait, args, says);
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: words });
  });

  it('tries again when the API is away, and gives up in time', async () => {
    // Time passes only while the script sleeps.
    const clock = { date: 'echo "${now:-0}"', sleep: 'now=$((${now:-0} + $1))' };
    const fails = { kubectl: 'echo "connection refused at ${now:-0}" >&2; return 1', ...clock };
    const { status, stderr } = await look(k8s_wait, { kind: 'node', timeout: 2, sleep: 1 }, fails);
    expect(status).toBe(1);
    expect(stderr).toBe('connection refused at 2\n(waited 2 s)\n');
  });
});

const member = (id: number, health: boolean) =>
  `{"endpoint":"https://10.0.0.${String(id)}:2379","health":${String(health)},"took":"9ms"}`;
const answer = (...healths: boolean[]) => {
  const list = healths.map((health, index) => member(index + 1, health)).join(',');
  const code = healths.every(Boolean) ? 0 : 1;
  return { etcdctl: `echo '{"level":"warn"}' >&2; echo '[${list}]'; return ${String(code)}` };
};

testModule(etcd_health, {
  settled: [{ title: 'it only looks', args: { endpoints: ['https://a:2379'], cacert: '/ca' } }],
  refused: [{ title: 'a certificate that is no path', args: { cert: 'ca.pem' }, code: 'SCHEMA' }],
});

describe('etcd_health', () => {
  const status = async (args: object, programs: Record<string, string>) =>
    (await look(etcd_health, { timeout: 0, ...args }, programs)).status;

  it('wants every member to be healthy, or as many as can be spared', async () => {
    expect(await status({}, answer(true, true, true))).toBe(0);
    expect(await status({}, answer(true, false, true))).toBe(1);
    expect(await status({ members: 3 }, answer(true, true))).toBe(1);
    expect(await status({ spare: 1 }, answer(true, true, true))).toBe(0);
    expect(await status({ spare: 0 }, answer(true, false, true))).toBe(0);
    expect(await status({ spare: 1 }, answer(true, false, true))).toBe(1);
    expect(await status({ spare: 1 }, answer(true))).toBe(1);
    expect(await status({}, { etcdctl: 'echo "context deadline exceeded" >&2; return 1' })).toBe(1);
  });

  it('says who is not', async () => {
    const { stderr } = await look(etcd_health, { timeout: 0 }, answer(true, false, true));
    expect(stderr).toContain('"https://10.0.0.2:2379","health":false');
    expect(stderr).toContain('2 of 3 members are healthy');
    const said = { code: 0, stdout: `{"level":"warn"}\n[${member(1, true)}]`, stderr: '' };
    expect(etcd_health.conclude?.([said], {}).result?.['members']).toEqual([
      { endpoint: 'https://10.0.0.1:2379', health: true, took: '9ms' },
    ]);
  });
});

testModule(port_check, {
  settled: [
    { title: 'it only looks', args: { ports: [1, 2] } },
    { title: 'ports of all hosts', args: { host: ['a', 'b'], ports: [1, 2], state: 'reachable' } },
    { title: 'ports of several hosts', args: { targets: ['10.0.0.1:53', '[fd00::1]:8093'] } },
  ],
  refused: [
    { title: 'no port', args: {}, code: 'TASK_FAILED' },
    { title: 'a target without a port', args: { targets: ['10.0.0.1'] }, code: 'SCHEMA' },
    { title: 'a target with port 0', args: { targets: ['10.0.0.1:0'] }, code: 'TASK_FAILED' },
    { title: 'port and targets', args: { port: 1, targets: ['a:1'] }, code: 'TASK_FAILED' },
    { title: 'what is none', args: { port: 70_000 }, code: 'SCHEMA' },
  ],
});

testModule(port_states, {
  settled: [
    {
      title: 'every port of every host',
      args: { host: ['lb.example.com', '::1'], ports: [1, 2], connect_timeout: 3 },
      facts: {
        'network.ports 3 1@lb.example.com 2@lb.example.com 1@::1 2@::1': [
          { host: 'lb.example.com', port: 1, state: 'refused' },
        ],
      },
      result: { ports: [{ host: 'lb.example.com', port: 1, state: 'refused' }] },
    },
  ],
  refused: [{ title: 'no port', args: { host: 'a', ports: [] }, code: 'SCHEMA' }],
});

// In a network of its own: port 7001 is refused, ports 7002 and 7003 are filtered.
const FILTER =
  'ip link set lo up; iptables -A INPUT -p tcp --dport 7002 -j DROP && iptables -A INPUT -p tcp --dport 7003 -j REJECT --reject-with icmp-admin-prohibited';
const inOwnNetwork = (script: string, ...words: string[]) =>
  spawnSync('unshare', ['-n', 'sh', '-c', script, 'sh', ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
/** Not every kernel has its modules, even where the program is installed. */
const filters = has('iptables') && inOwnNetwork(FILTER).status === 0;

describeWith(
  'root',
  'ip',
  'iptables',
)('port_check for a reachable port', () => {
  it.runIf(filters).each([
    [7001, 0, ''],
    [7002, 1, 'port 7002 of 127.0.0.2 is blocked'],
    [7003, 1, 'port 7003 of 127.0.0.2 is blocked'],
  ])('tells refused from filtered: %i', async (port, code, message) => {
    const {
      actions: [action],
    } = await port_check.plan({ host: '127.0.0.2', port, state: 'reachable' }, fakeHost({}));
    if (action?.kind !== 'exec') throw new Error('no command');
    const { status, stderr } = inOwnNetwork(`${FILTER}; exec "$@"`, ...action.argv);
    expect(status, stderr).toBe(code);
    expect(stderr).toContain(message);
  });
});

testModule(k8s_pods, {
  settled: [
    {
      title: 'pods and their ports as targets',
      args: { namespace: 'kube-system', selector: 'app=x' },
      facts: {
        [`kubernetes.pod_addresses ${kubectl} kube-system app=x`]: [
          { name: 'a', node: 'n1', address: '10.1.0.5', ports: [53, 8080] },
          { name: 'b', node: 'n2', address: 'fd00::5', ports: [53] },
        ],
      },
      result: {
        pods: [
          { name: 'a', node: 'n1', address: '10.1.0.5', ports: [53, 8080] },
          { name: 'b', node: 'n2', address: 'fd00::5', ports: [53] },
        ],
        targets: ['10.1.0.5:53', '10.1.0.5:8080', '[fd00::5]:53'],
      },
    },
  ],
  refused: [{ title: 'an option', args: { namespace: '--all' }, code: 'SCHEMA' }],
});

describe('kubernetes.pod_addresses', () => {
  it('are of running pods with TCP ports that are not in the network of the host', () => {
    const rows = [
      ['dns', 'n1', 'Running', '', '10.1.0.5', 'UDP/53 TCP/53 TCP/9153 TCP/8080 TCP/ '],
      ['agent', 'n2', 'Running', 'false', '10.1.1.5', 'TCP/8093 TCP/health TCP/8093 '],
      ['proxy', 'n1', 'Running', 'true', '192.0.2.1', 'TCP/10249 '],
      ['late', 'n1', 'Pending', '', '', 'TCP/1 '],
      ['silent', 'n1', 'Running', '', '10.1.0.6', 'TCP/ '],
      ['ending', 'n1', 'Running', '', '10.1.0.7', 'TCP/53 ', '2026-01-02T03:04:05Z'],
    ];
    const stdout = `${rows.map((row) => row.join('\t')).join('\n')}\n`;
    expect(podAddresses.parse({ code: 0, stdout, stderr: '' }, kubectl, 'kube-system', '')).toEqual(
      [
        { name: 'dns', node: 'n1', address: '10.1.0.5', ports: [53, 9153, 8080] },
        { name: 'agent', node: 'n2', address: '10.1.1.5', ports: [8093] },
      ],
    );
  });
});

testModule(dns_check, {
  settled: [{ title: 'it only looks', args: { name: 'a.b', server: '10.96.0.10' } }],
  refused: [
    { title: 'a name for a server', args: { name: 'a', server: 'dns' }, code: 'SCHEMA' },
    { title: 'a name with spaces', args: { name: 'a b', server: '10.96.0.10' }, code: 'SCHEMA' },
    {
      title: 'a label that is too long',
      args: { name: 'a'.repeat(64), server: '1' },
      code: 'SCHEMA',
    },
  ],
});

describe('dns_check', () => {
  const ask = async (port: number, name: string) => {
    const args = { name, server: '127.0.0.1', port, timeout: 0 };
    const {
      actions: [action],
    } = await dns_check.plan(args, fakeHost({}));
    if (action?.kind !== 'exec') throw new Error('no command');
    const { code, stdout, stderr } = await runHere(action.argv[2] ?? '');
    return `${String(code)} ${stdout}${stderr}`.split('\n')[0];
  };

  it('tells an address from an unknown name and from silence', async () => {
    const server = await NameServer.start('known.example', '10.96.0.1');
    const { port } = server;
    try {
      expect(await ask(port, 'known.example')).toBe('0 127.0.0.1 resolves known.example');
      expect(await ask(port, 'other.example')).toBe(
        '1 127.0.0.1 does not resolve other.example: response code 3',
      );
    } finally {
      await server.stop();
    }
    expect(await ask(port, 'known.example')).toBe('1 127.0.0.1 does not answer');
  });
});

testModule(http_check, {
  settled: [{ title: 'it only looks', args: { url: 'https://a/', contains: 'ok' } }],
  refused: [
    {
      title: 'a header of two lines',
      args: { url: 'https://a/', headers: { A: 'b\nc' } },
      code: 'TASK_FAILED',
    },
    { title: 'a file', args: { url: 'file:///etc/passwd' }, code: 'SCHEMA' },
  ],
});

describe('gates', () => {
  /** The shell text of every module that waits for a condition on the host. */
  const scripts = async () => {
    const plans = await Promise.all([
      etcd_health.plan({ spare: 1 }, fakeHost({})),
      http_check.plan({ url: 'https://a/', contains: "it's" }, fakeHost({})),
      port_check.plan({ ports: [1], host: 'a', state: 'closed' }, fakeHost({})),
      dns_check.plan({ name: 'a.b', server: '10.96.0.10' }, fakeHost({})),
      port_check.plan({ targets: ['10.0.0.1:1', '[::1]:2'] }, fakeHost({})),
      port_check.plan({ host: 'a', port: 1, state: 'reachable' }, fakeHost({})),
      k8s_wait.plan({ kind: 'node' }, fakeHost({})),
      k8s_wait.plan({ kind: 'node', kubelet_version: 'v1', unit: 'a' }, fakeHost({})),
    ]);
    return plans.map(({ actions: [action] }) => {
      if (action?.kind !== 'exec') throw new Error('no command');
      return action.argv[2] ?? '';
    });
  };

  it('have scripts that dash and bash in POSIX mode parse', async () => {
    for (const script of await scripts()) {
      execFileSync('dash', ['-n', '-c', script]);
      execFileSync('bash', ['--posix', '-n', '-c', script]);
    }
  });

  itWith('busybox')('have scripts that the shell of busybox parses', async () => {
    for (const script of await scripts()) execFileSync('busybox', ['sh', '-n', '-c', script]);
  });
});

const docker = '["docker"]';
const inspected = (name: string, more: object = {}) => ({
  Name: `/${name}`,
  Id: `${name}0000000000000000`,
  Image: 'sha256:1',
  State: { Status: 'running', Running: true },
  Config: { Image: 'app:1', Cmd: ['serve'], Env: ['A=1'], Labels: { app: name } },
  HostConfig: { Binds: ['/etc/a:/a'], RestartPolicy: { Name: 'always' } },
  Mounts: [
    { Type: 'bind', Source: '/etc/a', Destination: '/a', RW: true },
    { Type: 'volume', Name: 'unnamed', Destination: '/v', RW: false },
  ],
  NetworkSettings: {
    Networks: {
      side: { Aliases: ['www', `${name}0000000000`.slice(0, 12)], IPAddress: '10.0.0.2' },
      other: { Aliases: null },
    },
  },
  ...more,
});
const parsed = (...all: object[]) =>
  containers.parse({ code: 0, stdout: JSON.stringify(all), stderr: '' }, docker, '[]');
const resting = { State: { Status: 'exited', Running: false } };
const vanishing = { HostConfig: { AutoRemove: true } };
const listed = (filters: string[], ...all: object[]) => ({
  [`container.list ${docker} ${JSON.stringify(filters)}`]: parsed(...all),
  'system.program curl': true,
});
const specification = {
  imageId: 'sha256:1',
  Config: { Image: 'app:1', Cmd: ['serve'], Env: ['A=1'], Labels: { app: 'web' } },
  HostConfig: { Binds: ['/etc/a:/a', 'unnamed:/v:ro'], RestartPolicy: { Name: 'always' } },
  Networks: {
    side: { IPAMConfig: null, Links: null, DriverOpts: null, Aliases: ['www'] },
    other: { IPAMConfig: null, Links: null, DriverOpts: null, Aliases: null },
  },
};

testModule(container, {
  settled: [
    {
      title: 'lists by a label',
      args: { filters: ['label=app'] },
      facts: listed(['label=app'], inspected('web')),
      result: { containers: [{ name: 'web', image: 'app:1', status: 'running', running: true }] },
    },
    {
      title: 'runs',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$'], inspected('web')),
    },
    {
      title: 'is stopped',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', resting)),
    },
    {
      title: 'is not there',
      args: { name: 'a.b', state: 'absent' },
      facts: listed(['name=^/a\\.b$']),
    },
    { title: 'an empty list means no container', args: { name: [], state: 'absent' } },
    { title: 'no filter means no container', args: { filters: [], state: 'stopped' } },
    {
      title: 'all have the restart policy or an excluded label',
      args: { filters: ['label=app'], without_labels: ['app'], restart_policy: 'no' },
      facts: listed(['label=app'], inspected('web')),
    },
  ],
  changes: [
    {
      title: 'stops what runs, with a limit',
      args: { name: ['web', 'job'], state: 'stopped', timeout: 5 },
      facts: listed(['name=^/web$', 'name=^/job$'], inspected('web'), inspected('job', resting)),
      actions: ['exec docker stop --time 5 web'],
      restore: [{ module: 'container', args: { name: 'web', state: 'started' } }],
    },
    {
      title: 'changes the restart policy before it stops containers, and restores each policy',
      args: { filters: ['name=^/ucp-'], restart_policy: 'no', state: 'stopped' },
      facts: listed(
        ['name=^/ucp-'],
        inspected('a'),
        inspected('b', { HostConfig: { RestartPolicy: { Name: '', MaximumRetryCount: 0 } } }),
        inspected('c', {
          HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
          ...resting,
        }),
        inspected('d'),
      ),
      actions: ['exec docker update --restart=no a c d', 'exec docker stop a b d'],
      restore: [
        { module: 'container', args: { name: ['a', 'd'], restart_policy: 'always' } },
        { module: 'container', args: { name: 'c', restart_policy: 'on-failure:3' } },
        { module: 'container', args: { name: ['a', 'b', 'd'], state: 'started' } },
      ],
    },
    {
      title: 'leaves it to the engine to remove what was made with --rm',
      args: { name: ['web', 'job'], state: 'absent' },
      facts: listed(
        ['name=^/web$', 'name=^/job$'],
        inspected('web', vanishing),
        inspected('job', { ...vanishing, ...resting }),
      ),
      actions: ['exec docker stop web', 'exec docker rm job'],
    },
    {
      title: 'removes, and keeps how it was made',
      args: { name: 'web', state: 'absent' },
      facts: listed(['name=^/web$'], inspected('web')),
      actions: ['exec docker stop web', 'exec docker rm web'],
      restore: [
        {
          module: 'restore_container',
          args: { name: 'web', running: true, socket: '/var/run/docker.sock', specification },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'a container that is not there',
      args: { name: 'web', state: 'started' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    {
      title: 'to stop what would be removed by that',
      args: { name: 'web', state: 'stopped' },
      facts: listed(['name=^/web$'], inspected('web', vanishing)),
      code: 'TASK_FAILED',
    },
    {
      title: 'a restart policy for a container that does not exist',
      args: { name: 'web', restart_policy: 'always' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    {
      title: 'a restart policy for removed containers',
      args: { name: 'web', restart_policy: 'no', state: 'absent' },
      facts: listed(['name=^/web$']),
      code: 'TASK_FAILED',
    },
    { title: 'a name that is none', args: { name: '-v' }, code: 'TASK_FAILED' },
    { title: 'neither name nor filters', args: { state: 'absent' }, code: 'SCHEMA' },
  ],
});

const again = { name: 'web', running: true, socket: '/s', specification };
const named = { [`container.image ${docker} app:1`]: 'sha256:1' };
testModule(restore_container, {
  settled: [
    {
      title: 'it is there and runs',
      args: again,
      facts: { ...named, ...listed(['name=^/web$'], inspected('web')) },
    },
  ],
  changes: [
    {
      title: 'makes it with all its networks and starts it',
      args: again,
      facts: { ...named, ...listed(['name=^/web$']) },
      actions: [
        expect.stringContaining('post /s /containers/create?name=web') as string,
        expect.stringContaining('post /s /networks/other/connect') as string,
        'exec docker start web',
      ],
    },
  ],
  refused: [
    {
      title: 'another container of that name',
      args: again,
      facts: {
        ...named,
        ...listed(['name=^/web$'], inspected('web', { Config: { Cmd: ['other'] } })),
      },
      code: 'TASK_FAILED',
    },
  ],
});

describe('a container that cannot be made again', () => {
  it('or that would vanish when it is stopped again has no automatic undo', async () => {
    const facts = listed(['name=^/web$'], inspected('web', { ...vanishing, ...resting }));
    const args = { name: 'web', state: 'started' } as const;
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('has no automatic undo', async () => {
    const facts = { ...listed(['name=^/web$'], inspected('web')), 'system.program curl': false };
    const args = { name: 'web', state: 'absent' as const };
    expect(await container.plan(args, fakeHost({ facts }))).not.toHaveProperty('undo');
  });

  it('comes from the image it was, whatever has its name now', async () => {
    const facts = { [`container.image ${docker} app:1`]: 'sha256:2', ...listed(['name=^/web$']) };
    const { actions } = await restore_container.plan(again, fakeHost({ facts }));
    expect(actions[0]).toMatchObject({
      stdin: expect.stringContaining('"Image":"sha256:1"') as string,
    });
  });
});

const k0sHas = (state: object = {}) => ({
  'k0s.state /usr/local/bin/k0s /var/lib/k0s': {
    ...{ version: 'v1.30.9+k0s.0', role: undefined, active: false, enabled: false },
    ...{ hasData: false, hasTraces: false, left: [], mounts: [] },
    ...state,
  },
});
const joinToken = (id: string) =>
  gzipSync(
    `users:\n- name: kubelet-bootstrap\n  user:\n    token: ${id}.0123456789abcdef\n`,
  ).toString('base64');
const controller = { role: 'controller', enabled: true, hasData: true };
describe('the result of a k0s token', () => {
  it.each([
    [joinToken('abc123'), { token_id: 'abc123' }],
    ['not base64 of gzip', {}],
    [gzipSync('no token').toString('base64'), {}],
  ])('has the id of the token where there is one: %s', (stdout, more) => {
    const said = { code: 0, stdout, stderr: '' };
    const { result = {} } = k0s.conclude?.([said], { token: 'worker' }) ?? {};
    expect(result).toEqual(more);
  });
});

testModule(k0s, {
  settled: [
    {
      title: 'tells what there is',
      args: {},
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
      result: { role: '', active: false, stock: 'link lo\n' },
    },
    {
      title: 'is installed',
      args: { state: 'installed', role: 'controller' },
      facts: k0sHas(controller),
    },
    { title: 'runs', args: { state: 'started' }, facts: k0sHas({ ...controller, active: true }) },
    { title: 'is stopped', args: { state: 'stopped' }, facts: k0sHas(controller) },
    { title: 'is gone', args: { state: 'reset' }, facts: k0sHas() },
    {
      title: 'is gone with all that it added',
      args: { state: 'reset', before: 'link lo\npath /opt/cni\n' },
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\n' },
    },
    {
      title: 'was never there',
      args: { state: 'uninstalled' },
      facts: k0sHas({ version: undefined }),
    },
  ],
  changes: [
    {
      title: 'installs a worker, and is reset on the way back',
      args: { state: 'installed', role: 'worker', token_file: '/t', flags: ['--labels=a=b'] },
      facts: k0sHas(),
      actions: ['exec /usr/local/bin/k0s install worker --token-file /t --labels=a=b'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'reset' } },
      ],
    },
    {
      title: 'installs on data that are there, which outlive the way back',
      args: { state: 'installed', role: 'controller', config: '/c' },
      facts: k0sHas({ hasData: true }),
      actions: ['exec /usr/local/bin/k0s install controller --config /c'],
      restore: [
        { module: 'k0s', args: { state: 'stopped' } },
        { module: 'k0s', args: { state: 'uninstalled' } },
      ],
    },
    {
      title: 'starts',
      args: { state: 'started' },
      facts: k0sHas(controller),
      actions: ['exec systemctl start k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'stopped' } }],
    },
    {
      title: 'stops',
      args: { state: 'stopped' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec systemctl stop k0scontroller.service'],
      restore: [{ module: 'k0s', args: { state: 'started' } }],
    },
    {
      title: 'uninstalls, and brings the unit back',
      args: { state: 'uninstalled' },
      facts: {
        ...k0sHas(controller),
        'file.state /etc/systemd/system/k0scontroller.service': fileFact({ checksum: 'x' }),
      },
      actions: [
        'exec systemctl disable k0scontroller.service',
        'remove /etc/systemd/system/k0scontroller.service',
        'exec systemctl daemon-reload',
      ],
      restore: [
        {
          module: 'restore_path',
          args: {
            ...{ path: '/etc/systemd/system/k0scontroller.service', state: 'file', mode: '0644' },
            ...{ owner: 'root', group: 'root', checksum: 'x' },
            copy: '/captured/etc/systemd/system/k0scontroller.service',
          },
        },
        {
          module: 'systemd_service',
          args: { name: 'k0scontroller', enabled: true, daemon_reload: true },
        },
      ],
    },
    {
      title: 'resets',
      args: { state: 'reset' },
      facts: k0sHas(controller),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'resets data without a unit, and without the program',
      args: { state: 'reset', data_dir: '/srv/k0s' },
      facts: {
        'k0s.state /usr/local/bin/k0s /srv/k0s': {
          ...{ version: undefined, role: undefined, active: false, enabled: false },
          ...{ hasData: true, hasTraces: false, left: [], mounts: [] },
        },
      },
      actions: [expect.stringContaining('k0s-reset /srv/k0s') as string],
    },
    {
      title: 'resets a failed unit that is left without its file',
      args: { state: 'reset' },
      facts: k0sHas({ hasTraces: true }),
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'removes what is left outside its directories',
      args: { state: 'reset', before: 'link lo\n' },
      facts: { ...k0sHas(), 'k0s.stock': 'link lo\npath /opt/cni\n' },
      actions: [expect.stringContaining('k0s-reset /var/lib/k0s') as string],
    },
    {
      title: 'revokes a token',
      args: { revoke_token: 'abc123' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec /usr/local/bin/k0s token invalidate abc123'],
      restore: [],
    },
    {
      title: 'makes a token, which ends by itself',
      args: { token: 'worker', expiry: '10m' },
      facts: k0sHas({ ...controller, active: true }),
      actions: ['exec /usr/local/bin/k0s token create --role=worker --expiry=10m'],
      restore: [],
    },
  ],
  refused: [
    { title: 'no role', args: { state: 'installed' }, code: 'TASK_FAILED' },
    {
      title: 'another role',
      args: { state: 'installed', role: 'worker' },
      facts: k0sHas(controller),
      code: 'TASK_FAILED',
    },
    {
      title: 'to reset what runs',
      args: { state: 'reset' },
      facts: k0sHas({ ...controller, active: true }),
      code: 'TASK_FAILED',
    },
    {
      title: 'to start what is not installed',
      args: { state: 'started' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'a token of a worker',
      args: { token: 'worker' },
      facts: k0sHas(),
      code: 'TASK_FAILED',
    },
    {
      title: 'a host without it',
      args: { state: 'started' },
      facts: k0sHas({ version: undefined }),
      code: 'TASK_FAILED',
    },
    {
      title: 'a stock for something else than a reset',
      args: { state: 'stopped', before: 'link lo' },
      code: 'TASK_FAILED',
    },
    { title: 'token and state', args: { token: 'worker', state: 'started' }, code: 'TASK_FAILED' },
    {
      title: 'a token instead of its id',
      args: { revoke_token: joinToken('abc123') },
      code: 'SCHEMA',
    },
    {
      title: 'a word for a flag',
      args: { state: 'installed', role: 'worker', flags: ['x'] },
      code: 'SCHEMA',
    },
  ],
});

testModule(docker_object, {
  settled: [
    {
      title: 'a name that is only part of another is not there',
      args: { kind: 'volume', name: ['ucp-data'], state: 'absent' },
      facts: { [`docker.names ${docker} volume`]: ['my-ucp-data', 'ucp-data-2'] },
      result: { removed: [] },
    },
    { title: 'an empty list', args: { kind: 'config', name: [], state: 'absent' } },
  ],
  changes: [
    {
      title: 'removes those that are there in one call',
      args: { kind: 'network', name: ['a', 'b', 'c'], state: 'absent' },
      facts: { [`docker.names ${docker} network`]: ['a', 'c', 'd'] },
      actions: ['exec docker network rm a c'],
    },
  ],
});

testModule(docker_export, {
  settled: [
    { title: 'nothing to describe', args: {}, result: { files: [] } },
    {
      title: 'volumes with size and owner, and one that could not be measured',
      args: { volumes: ['a', 'b'] },
      facts: {
        [`docker.objects ${docker} volume`]: [
          { Name: 'a', Mountpoint: '/v/a' },
          { Name: 'b', Mountpoint: '/v/b' },
          { Name: 'c', Mountpoint: '/v/c' },
        ],
        'docker.volume_use ["/v/a","/v/b"]': directoryUse.parse(
          { code: 0, stdout: '0 12 shop staff 750\n1  root root 755\n', stderr: '' },
          '["/v/a","/v/b"]',
        ),
      },
      result: {
        files: [
          {
            name: 'volumes.json',
            content: `${JSON.stringify(
              [
                {
                  Name: 'a',
                  Mountpoint: '/v/a',
                  owner: 'shop',
                  group: 'staff',
                  mode: '750',
                  kib: 12,
                },
                { Name: 'b', Mountpoint: '/v/b', owner: 'root', group: 'root', mode: '755' },
              ],
              null,
              2,
            )}\n`,
          },
        ],
      },
    },
  ],
});
