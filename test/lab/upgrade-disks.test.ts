import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;

async function shell(host: string, command: string): Promise<string> {
  const child = bench.cluster.lab.host(host).root.spawn(command);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin?.end();
  const [code] = (await once(child, 'close')) as [number];
  const text = Buffer.concat(chunks).toString('utf8');
  expect(code, text).toBe(0);
  return text;
}

const disk = (path: string) =>
  `mkdir -p ${path} && mount -t tmpfs disk ${path} && mkdir ${path}/lost+found`;
const mounts = (host: string) =>
  shell(
    host,
    "awk '{ print $5 }' /proc/self/mountinfo | grep '^/var/lib/k0s' | sort; find /var/lib/k0s -mindepth 1 | sort",
  );

beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

describe('the shipped upgrade on hosts with separate disks for k0s', () => {
  beforeEach(async () => {
    await shell('manager1', disk('/var/lib/k0s/etcd'));
    await shell('worker1', disk('/var/lib/k0s'));
  });

  it('writes to the disks', async () => {
    const { code, stdout } = await bench.upgrade();
    expect(code, stdout).toBe(0);
    expect(await shell('manager1', 'ls /var/lib/k0s/etcd; df -P /var/lib/k0s/etcd/member')).toMatch(
      /^lost\+found\nmember\n[^]*\ndisk /,
    );
    expect(await mounts('worker1')).toMatch(/^\/var\/lib\/k0s\n[^]*\/var\/lib\/k0s\/kubelet/);
  });

  it('is rolled back to empty disks, which stay mounted', async () => {
    const before = [await mounts('manager1'), await mounts('worker1')];
    const { code, events, stdout } = await bench.upgrade(['--fail-at', 'last']);
    expect(code, stdout).toBe(3);
    expect(events.filter((event) => event.type === 'fingerprint' && !event.equal)).toEqual([]);
    expect([await mounts('manager1'), await mounts('worker1')]).toEqual(before);
  });

  it('requires space on each disk for everything that the upgrade writes there', async () => {
    const small = (path: string, options: string) =>
      `mkdir -p ${path} && mount -t tmpfs -o ${options} small ${path}`;
    await shell('manager1', small('/var/lib/k0s/etcd', 'size=8m'));
    await shell('manager1', small('/var/lib/mke-upgrade', 'size=4m'));
    await shell('worker1', small('/var/lib/k0s', 'size=2m,nr_inodes=100'));
    const volume = '/var/lib/docker/volumes/ucp-kv/_data';
    await shell('manager1', `truncate -s 3M ${volume}/datav3/member/snap/db`);
    const { code, events } = await bench.upgrade();
    expect(code).toBe(2);
    const found = findingsIn(events);
    const copy = 'in /var/lib/mke-upgrade';
    expect(found).toMatch(
      /at \/var\/lib\/k0s\/etcd has 8 MiB free, but 131 are needed: 131 for the etcd database/,
    );
    expect(found).toContain(
      `at /var/lib/mke-upgrade has 4 MiB free, but 6 are needed: 3 for the copy of the snapshot ${copy}, 3 for the backup of MKE 3 ${copy}.`,
    );
    expect(found).toMatch(
      /at \/var\/lib\/k0s has 2 MiB free, but 2048 are needed: .* has \d+ inodes free, but 50000/,
    );
  });

  it('reports files of an earlier k0s on the disks, and does not suggest a reset', async () => {
    await shell('manager1', 'mkdir -p /var/lib/k0s/etcd/member/snap');
    const { code, events } = await bench.upgrade();
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toMatch(
      /yes no_k0s host \S+ Found files of an earlier k0s, or other files in their place: \/var\/lib\/k0s\/etcd\. File systems are mounted at \/var\/lib\/k0s\/etcd\. "k0s reset" would erase them/,
    );
    expect(found).not.toContain('Remedy: k0s stop; k0s reset');
  });
});
