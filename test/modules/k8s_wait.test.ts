import { describe, expect, it } from 'vitest';
import { k8s_wait } from '../../src/modules/k8s_wait.ts';
import { look } from '../helpers/cluster-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(k8s_wait, {
  settled: [{ title: 'the wait changes nothing', args: { kind: 'node' } }],
  refused: [
    { title: 'a rollout without a name', args: { kind: 'deployment' }, code: 'TASK_FAILED' },
    {
      title: '"name" and "selector" together',
      args: { kind: 'pod', name: 'a', selector: 'b' },
      code: 'TASK_FAILED',
    },
    { title: 'an option as a kind', args: { kind: '--all' }, code: 'SCHEMA' },
    { title: 'neither kind nor path', args: {}, code: 'SCHEMA' },
    {
      title: '"kind" and "path" together',
      args: { kind: 'node', path: '/readyz' },
      code: 'SCHEMA',
    },
    {
      title: '"kubelet_version" for a pod',
      args: { kind: 'pod', kubelet_version: 'v1.29.3+k0s' },
      code: 'TASK_FAILED',
    },
    {
      title: '"kubelet_version" with a selector',
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

  it('reports every node that is not ready, with the reason', async () => {
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

  it('succeeds when the named nodes are ready, even if others are not', async () => {
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
    'ends if the unit is %s (%s), and prints each error in its journal once',
    async (active, sub) => {
      const args = { path: '/readyz', unit: 'k0scontroller', timeout: 3600 };
      const { status, stderr } = await look(k8s_wait, args, unit(active, sub));
      expect(status).toBe(1);
      expect(stderr).toContain(
        `The unit k0scontroller is not running: ${active} (${sub}), result exit-code, exit status 1.`,
      );
      expect(stderr.match(/permission denied/g)).toHaveLength(1);
      expect(stderr).toContain('stopping etcd');
      expect(stderr).toContain('More: journalctl -u k0scontroller');
    },
  );

  it.each([
    [1, '(waited 10 s)'],
    [2, 'The unit k0scontroller is not running: activating (auto-restart)'],
  ])('tolerates "unit_restarts" restarts of the unit: %i', async (done, message) => {
    const args = { path: '/readyz', unit: 'k0scontroller', unit_restarts: 2, timeout: 10 };
    const { status, stderr } = await look(k8s_wait, args, unit('activating', 'auto-restart', done));
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });

  it('keeps waiting while the unit runs', async () => {
    const args = { path: '/readyz', unit: 'k0scontroller', timeout: 10 };
    const { status, stderr } = await look(k8s_wait, args, unit('active', 'running'));
    expect(status).toBe(1);
    expect(stderr).toContain('connection refused\n(waited 10 s)\n');
  });

  it('prints the journal errors of a running unit after the timeout', async () => {
    const args = { path: '/readyz', unit: 'k0scontroller', timeout: 10 };
    const { stderr } = await look(k8s_wait, args, {
      ...unit('active', 'running'),
      // Recorded from k0s with a kubelet that keeps failing, on a host with too many inotify instances.
      journalctl: `for n in 1 2 3; do echo 'E1127 02:47:0'$n'.009087 10181 kubelet.go:1533] "Failed to start cAdvisor" err="inotify_init: too many open files" component=kubelet'; echo 'respawning in 5s'; done`,
    });
    expect(stderr.match(/too many open files/g)).toHaveLength(1);
    expect(stderr).toContain('The unit k0scontroller is running. Errors in its journal:\nE');
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

  it('retries while the API is unreachable, and fails after the timeout', async () => {
    // Time passes only while the script sleeps.
    const clock = { date: 'echo "${now:-0}"', sleep: 'now=$((${now:-0} + $1))' };
    const fails = { kubectl: 'echo "connection refused at ${now:-0}" >&2; return 1', ...clock };
    const { status, stderr } = await look(k8s_wait, { kind: 'node', timeout: 2, sleep: 1 }, fails);
    expect(status).toBe(1);
    expect(stderr).toBe('connection refused at 2\n(waited 2 s)\n');
  });
});
