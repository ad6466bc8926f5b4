import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { k8s_node } from '../../src/modules/k8s_node.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const kubectl = '["kubectl"]';

const node = (takesPods: boolean | undefined, pods: string[] = []) => ({
  [`kubernetes.schedulable ${kubectl} n1`]: takesPods,
  [`kubernetes.pods ${kubectl} n1`]: pods,
});

const draining = (call: string): string =>
  expect.stringMatching(new RegExp(`^exec /bin/sh -c set -- ${call}\\n`)) as string;

testModule(k8s_node, {
  settled: [
    {
      title: 'the node is cordoned',
      args: { name: 'n1', state: 'cordoned' },
      facts: node(false, ['a/b']),
    },
    { title: 'the node is drained', args: { name: 'n1', state: 'drained' }, facts: node(false) },
    {
      title: 'the node is uncordoned',
      args: { name: 'n1', state: 'uncordoned' },
      facts: node(true),
    },
    {
      title: 'without a state, the module only reads',
      args: { name: 'n1' },
      facts: node(false, ['a/b']),
      result: { name: 'n1', unschedulable: true },
    },
  ],
  changes: [
    {
      title: 'drains with another kubectl',
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
      title: 'drains a cordoned node; the undo leaves it cordoned',
      args: { name: 'n1', state: 'drained' },
      facts: node(false, ['web/app']),
      actions: [draining('kubectl drain n1 --ignore-daemonsets --timeout=300s')],
      restore: [{ module: 'k8s_node', args: { name: 'n1', state: 'cordoned' } }],
    },
    {
      title: 'cordons a node',
      args: { name: 'n1', state: 'cordoned', kubeconfig: '/etc/k' },
      facts: { 'kubernetes.schedulable ["kubectl","--kubeconfig","/etc/k"] n1': true },
      actions: ['exec kubectl --kubeconfig /etc/k cordon n1'],
    },
  ],
  refused: [
    {
      title: 'a node that does not exist',
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

  it('lists the remaining pods with the reasons in the last line of its error', async () => {
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
      title: 'the node has the labels, annotations and taints',
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
      title: 'a label to remove is required by a pod',
      args: { name: 'n1', remove_prefixes: ['com.docker.ucp.x'] },
      facts: marks(['com.docker.ucp.x']),
      result: { name: 'n1', kept: ['com.docker.ucp.x'] },
    },
  ],
  changes: [
    {
      title: 'sets and removes labels, annotations and taints; the undo restores only these',
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
      title: 'removes by prefix, except for labels that pods require',
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
      title: 'labels of a node that does not exist',
      args: { name: 'n1', labels: { a: 'b' } },
      facts: { [`kubernetes.marks ${kubectl} n1`]: undefined },
      code: 'TASK_FAILED',
    },
  ],
});
