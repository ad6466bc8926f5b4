import { describe, expect, it } from 'vitest';
import { nodeMarks, podAddresses, podsToMove, requiredLabels } from '../../src/facts/kubernetes.ts';

const kubectl = '["kubectl"]';

describe('kubernetes.required_labels', () => {
  it('include node selectors and required affinity, but not labels that must be absent', () => {
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
  it('returns undefined for an unknown node, and fails on output that is not JSON', () => {
    const stderr = 'Error from server (NotFound): nodes "n1" not found';
    expect(nodeMarks.parse({ code: 1, stdout: '', stderr }, kubectl, 'n1')).toBeUndefined();
    const old = { code: 0, stdout: 'map[a:b]\n\n', stderr: '' };
    expect(() => nodeMarks.parse(old, kubectl, 'n1')).toThrow(
      'Expected JSON from kubectl for "n1" but found: map[a:b]',
    );
  });
});

describe('kubernetes.pods', () => {
  it('omits DaemonSet pods, static pods and finished pods', () => {
    const stdout =
      'a/ds DaemonSet Running \na/static  Running abc\na/done Job Succeeded \na/web ReplicaSet Running \na/bare  Pending \n';
    expect(podsToMove.parse({ code: 0, stdout, stderr: '' }, kubectl, 'n1')).toEqual([
      'a/web',
      'a/bare',
    ]);
  });
});

describe('kubernetes.pod_addresses', () => {
  it('include running pods with TCP ports, but not pods in the host network', () => {
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
