import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

/** Removes a pod of a node from the API, like an etcd snapshot that is older than the pod. */
function forget(node: string, name: string): void {
  const file = join(bench.cluster.lab.files.shared, 'kube/api/v1/pods.json');
  const list = JSON.parse(readFileSync(file, 'utf8')) as {
    items: { metadata: { name: string }; spec: { nodeName: string } }[];
  };
  const items = list.items.filter(
    ({ metadata, spec }) => spec.nodeName !== node || metadata.name !== name,
  );
  expect(items).toHaveLength(list.items.length - 1);
  writeFileSync(file, JSON.stringify({ ...list, items }));
}

const pods = 'Check that MKE 3 lists all pods on the node';

describe('pods after a rollback of the upgrade', () => {
  it('are all listed by the Kubernetes API, except phantom pods from before the upgrade', async () => {
    forget('manager1', 'coredns-x');
    const { code, events, stdout, stderr } = await bench.upgrade(['--fail-at', 'last']);
    expect(code, stdout + stderr).toBe(3);
    const compared = events.filter((event) => event.type === 'fingerprint' && event.name === pods);
    expect(compared).toHaveLength(2);
  });

  it('are reported if the Kubernetes API no longer lists them', async () => {
    const run = await bench.upgrade(['--fail-at', 'Stop the MKE 3 containers'], {
      onEvent: (event) => {
        if (event.type === 'rollback-start') forget('worker1', 'web-x');
      },
    });
    expect(run.code, run.stdout).toBe(4);
    expect(run.events.at(-1)).toMatchObject({
      message: expect.stringContaining(`"${pods}" on`) as string,
    });
    const told = run.events.flatMap((event) =>
      event.type === 'fingerprint' && !event.equal ? [event.message] : [],
    );
    expect(told).toEqual([
      expect.stringMatching(
        /the Kubernetes API does not list them: default\/web-x \(UID [0-9a-f]{32}\)\. .*docker restart ucp-kubelet/,
      ),
    ]);
  });
});
