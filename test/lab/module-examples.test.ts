import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { itWith, type Program } from '../helpers/programs.ts';

/* The examples of the module reference are played exactly as the reference shows them. */

const source = join(packageRoot(), 'examples', 'modules');
const examples = readdirSync(source)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => name.replace('.yml', ''));

/** Shell commands that prepare the lab host for an example. */
const preparation: Record<string, string> = {
  apt: 'mkdir -p /var/lib/lab/apt/haproxy/2.6.1 /var/lib/lab/apt/jq/1.6',
  package: 'mkdir -p /var/lib/lab/apt/jq/1.6',
  cron: 'mkdir -p /etc/cron.d',
  copy: 'mkdir -p /etc/app',
  apt_repository: 'mkdir -p /etc/apt/sources.list.d',
  yum_repository: 'mkdir -p /etc/yum.repos.d',
  k0s: 'cp /usr/local/lib/lab/k0s /usr/local/bin/k0s; mkdir -p /etc/systemd/system',
  find: 'mkdir -p /var/log',
  service: 'mkdir -p /etc/systemd/system; echo "[Unit]" >/etc/systemd/system/docker.service',
  systemd_service:
    'mkdir -p /etc/systemd/system; echo "[Unit]" >/etc/systemd/system/docker.service',
};

/** Programs that an example needs beyond a minimal Debian. */
const programs: Record<string, Program[]> = { get_url: ['curl'], group: ['groupadd'] };

/** Examples that the embedded lab cannot play, with the reason or the test of their module. */
const notPlayed: Record<string, string> = {
  container: 'test/all/real/modules.ts has an engine',
  docker_export: 'test/lab/upgrade.test.ts has an engine',
  docker_object: 'test/lab/upgrade.test.ts has an engine',
  dnf: 'test/lab/modules.test.ts has a repository',
  etcd_health: 'test/all/real/modules.ts has etcd members',
  http_check: 'test/lab/modules.test.ts has a server',
  k8s_node: 'test/lab/modules.test.ts has nodes',
  k8s_wait: 'test/lab/modules.test.ts has nodes',
  dns_check: 'test/modules/dns_check.test.ts has a name server',
  k8s_pods: 'test/lab/upgrade.test.ts has nodes',
  mke3_cluster: 'test/lab/upgrade.test.ts has a cluster',
  mke3_etcdctl: 'test/lab/upgrade.test.ts has its container',
  mke3_keys: 'test/lab/upgrade.test.ts has its containers',
  mke3_pods: 'test/lab/upgrade-pods.test.ts has a cluster',
  mke3_stock: 'test/lab/upgrade.test.ts has a cluster',
  mke3_workloads: 'test/mke/modules/mke3_workloads.test.ts has the API of a cluster',
  modprobe: 'it would change the kernel of this machine',
  reboot: 'test/lab/reboot.test.ts restarts hosts',
  service_facts: 'test/all/real/modules.ts has systemd',
  sysctl: 'it would change the kernel of this machine',
  uri: 'test/lab/upgrade.test.ts has a cluster',
  user: 'a lab host has only one user id; test/all/real/modules.ts adds users',
};
/** Examples that report a change every time they are played. */
const alwaysChanging = ['k0s', 'tempfile', 'systemd_service', 'wait_for_connection'];

let bench: HostsBench;
/** A copy of the examples, because "fetch" writes to the directory of the playbook. */
let directory: string;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(async () => {
  await bench.reset();
  directory = join(bench.cli.dir, 'modules');
  cpSync(source, directory, { recursive: true });
});

async function play(name: string): Promise<string[]> {
  const { code, stdout, stderr, events } = await bench.cli.run(
    ['play', join(directory, `${name}.yml`), '-i', bench.inventory, '--output', 'json'],
    { env: { MKE3_ADMIN_PASSWORD: 'orca1234' } },
  );
  expect(code, stdout + stderr).toBe(0);
  return events.flatMap((event) =>
    event.type === 'unit-end' && event.state === 'changed' ? [event.step.name] : [],
  );
}

describe('the module examples of the reference', () => {
  for (const name of examples.filter((one) => !(one in notPlayed))) {
    const again = alwaysChanging.includes(name);
    const claim = again ? 'succeeds twice' : 'changes nothing when played again';
    itWith(...(programs[name] ?? []))(`${name}.yml ${claim}`, async () => {
      await bench.shell('h1', preparation[name] ?? ':');
      await play(name);
      const changed = await play(name);
      if (!again) expect(changed).toEqual([]);
    });
  }

  it.each(Object.keys(notPlayed))('%s.yml passes `runner validate`', async (name) => {
    const { code, stdout, stderr } = await bench.cli.run([
      ...['validate', join(directory, `${name}.yml`), '-i', bench.inventory],
    ]);
    expect(code, stdout + stderr).toBe(0);
  });
});
