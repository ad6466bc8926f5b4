import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';

/* The worked examples that the reference shows, played as they stand there. */

const folder = join(packageRoot(), 'examples', 'modules');
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => name.replace('.yml', ''));

/** What an example finds on the host of the lab. */
const before: Record<string, string> = {
  apt: 'mkdir -p /var/lib/lab/apt/haproxy/2.6.1 /var/lib/lab/apt/jq/1.6',
  package: 'mkdir -p /var/lib/lab/apt/jq/1.6',
  cron: 'mkdir -p /etc/cron.d',
  copy: 'mkdir -p /etc/app',
  file: 'mkdir -p /srv',
  apt_repository: 'mkdir -p /etc/apt/sources.list.d',
  yum_repository: 'mkdir -p /etc/yum.repos.d',
  k0s: 'cp /usr/local/lib/lab/k0s /usr/local/bin/k0s; mkdir -p /etc/systemd/system',
  find: 'mkdir -p /var/log',
  lineinfile: 'rm -f /etc/app.conf',
  service: 'mkdir -p /etc/systemd/system; echo "[Unit]" >/etc/systemd/system/docker.service',
  systemd_service:
    'mkdir -p /etc/systemd/system; echo "[Unit]" >/etc/systemd/system/docker.service',
};

/** Why an example is not played in the embedded lab, where its module is tested otherwise. */
const elsewhere: Record<string, string> = {
  container: 'test/all/real/modules.test.ts has an engine',
  dnf: 'test/lab/modules.test.ts has a repository',
  etcd_health: 'test/all/real/modules.test.ts has members',
  http_check: 'test/lab/modules.test.ts has a server',
  k8s_node: 'test/lab/modules.test.ts has nodes',
  k8s_wait: 'test/lab/modules.test.ts has nodes',
  mke3_cluster: 'test/lab/upgrade.test.ts has a cluster',
  modprobe: 'it would change the kernel of this machine',
  reboot: 'test/lab/reboot.test.ts restarts hosts',
  service_facts: 'test/all/real/modules.test.ts has systemd',
  sysctl: 'it would change the kernel of this machine',
  uri: 'test/lab/upgrade.test.ts has a cluster',
  user: 'it takes more numbers than a private root has; test/all/real/modules.test.ts makes users',
};
/** Examples that are meant to fail, or change something whenever they are played. */
const acts = ['k0s', 'tempfile', 'systemd_service', 'wait_for_connection'];

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
  await bench.shell('h1', 'mkdir -p /srv');
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const play = (name: string, ...extra: string[]) =>
  bench.cli.run(
    ['play', join(folder, `${name}.yml`), '-i', bench.inventory, '--output', 'json', ...extra],
    { env: { MKE3_ADMIN_PASSWORD: 'orca1234' } },
  );

describe('the example of', () => {
  it.each(examples.filter((name) => !(name in elsewhere)))(
    '%s is played, and changes nothing twice',
    async (name) => {
      await bench.shell('h1', before[name] ?? ':');
      const first = await play(name);
      expect(first.code, first.stdout + first.stderr).toBe(0);
      const again = await play(name);
      expect(again.code, again.stdout).toBe(0);
      const changed = again.events.filter(
        (event) => event.type === 'unit-end' && event.state === 'changed',
      );
      if (!acts.includes(name)) expect(changed).toEqual([]);
    },
  );

  it.each(Object.keys(elsewhere))('%s is checked without a host', async (name) => {
    const { code, stdout, stderr } = await bench.cli.run([
      ...['validate', join(folder, `${name}.yml`), '-i', bench.inventory],
    ]);
    expect(code, stdout + stderr).toBe(0);
  });
});
