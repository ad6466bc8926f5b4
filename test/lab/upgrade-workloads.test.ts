import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labTree } from '../../src/lab/tree.ts';
import { helmSecret } from '../helpers/helm.ts';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

/** Sets the response of the cluster API for a path. */
function answer(path: string, ...items: unknown[]): void {
  const file = join(bench.cluster.lab.files.shared, 'kube', `${path}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ items }));
}

const preflight = (...extra: string[]) => bench.upgrade(['--tags', 'preflight', ...extra]);

describe('the workload checks', () => {
  it('find nothing in the lab cluster', async () => {
    const { code, events, stderr } = await preflight();
    expect(code, stderr).toBe(0);
    expect(findingsIn(events)).not.toMatch(/check_not_made|docker_|local_image|bare_pod|engine_/);
  });

  it('report what breaks for users, reveal no secrets, and do not block the upgrade', async () => {
    const worker = bench.cluster.lab.host('worker1');
    mkdirSync(join(worker.root.dir, 'etc/docker'), { recursive: true });
    const proxy = 'http://ops:hush-proxy@proxy.example.com:3128';
    writeFileSync(
      join(worker.root.dir, 'etc/docker/daemon.json'),
      JSON.stringify({ proxies: { 'https-proxy': proxy } }),
    );
    answer('apis/apps/v1/daemonsets', {
      metadata: { name: 'builder', namespace: 'ci' },
      spec: {
        template: {
          spec: {
            containers: [{ name: 'main', volumeMounts: [{ name: 'engine', mountPath: '/e' }] }],
            volumes: [{ name: 'engine', hostPath: { path: '/var/run/docker.sock' } }],
          },
        },
      },
    });
    const manifest = 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata:\n  name: nightly\n';
    const release = { name: 'shop', namespace: 'shop', version: 2, status: 'deployed', manifest };
    answer('api/v1/secrets', helmSecret(release));
    const before = labTree(bench.cluster.lab);

    const { code, events, stdout, stderr } = await preflight();
    expect(code, stdout + stderr).toBe(0);
    const found = findingsIn(events);
    expect(found).toContain(
      'no docker_socket DaemonSet ci/builder Volume "engine" is the Docker socket',
    );
    expect(found).toContain('no removed_api_helm Helm release shop/shop Revision 2 has objects');
    expect(found).toContain('engine_settings daemon.json proxies');
    expect(labTree(bench.cluster.lab)).toEqual(before);
    const files = readdirSync(bench.cli.dir, { recursive: true, withFileTypes: true });
    const written = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
    expect(written.some((text) => text.includes('mke3_workloads'))).toBe(true);
    const { data } = helmSecret(release) as { data: { release: string } };
    for (const text of [stdout, stderr, ...written]) {
      expect(text).not.toContain('hush-');
      expect(text).not.toContain(data.release.slice(0, 40));
    }
  });
});
