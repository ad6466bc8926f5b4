import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { itWith } from '../helpers/programs.ts';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

/** A hosts file with additional keys for hosts. */
function hostsWith(keys: Record<string, Record<string, string>>): string {
  const file = parse(readFileSync(bench.cluster.lab.files.hosts, 'utf8')) as {
    hosts: { address: string }[];
  };
  const nameOf = new Map(bench.cluster.lab.hosts.map(({ name, address }) => [address, name]));
  const hosts = file.hosts.map((host) => ({ ...host, ...keys[nameOf.get(host.address) ?? ''] }));
  return bench.cli.file('addresses.yaml', stringify({ hosts }));
}

describe('node addresses in an upgrade', () => {
  it('are taken from "privateAddress" in the hosts file if it is set', async () => {
    const { code, stdout } = await bench.upgrade([
      ...['--hosts-path', hostsWith({ manager1: { privateAddress: '127.0.9.1' } })],
      ...['--external-address', ''],
    ]);
    expect(code, stdout).toBe(0);
    const { root, address } = bench.cluster.lab.host('manager1');
    const { spec } = parse(readFileSync(join(root.dir, 'etc/k0s/k0s.yaml'), 'utf8')) as {
      spec: { api: { address: string; sans: string[] }; storage: { etcd: object } };
    };
    expect(spec.api.address).toBe('127.0.9.1');
    expect(spec.api.sans).toEqual(expect.arrayContaining(['127.0.9.1', address]));
    expect(spec.storage.etcd).toMatchObject({ peerAddress: '127.0.9.1' });
    const unit = readFileSync(join(root.dir, 'etc/systemd/system/k0scontroller.service'), 'utf8');
    expect(unit).toContain('--kubelet-extra-args=--node-ip=127.0.9.1');
    // The controller is outside the cluster.
    const kubeconfig = parse(readFileSync(join(bench.cli.dir, '.mke/mke.kubeconf'), 'utf8')) as {
      clusters: { cluster: { server: string } }[];
      contexts: { name: string }[];
    };
    expect(kubeconfig.contexts.map(({ name }) => name)).toEqual(['mke']);
    expect(kubeconfig.clusters[0]?.cluster.server).toBe(`https://${address}:6443`);
  });

  itWith('ip')('must be on the host', async () => {
    const { code, events } = await bench.upgrade([
      '--hosts-path',
      hostsWith({
        manager1: { privateAddress: '198.51.100.7' },
        worker1: { privateInterface: 'none0' },
      }),
    ]);
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toMatch(/yes address host \S+ 198\.51\.100\.7 is not an address of this host/);
    expect(found).toMatch(/yes address host \S+ The interface "none0" does not exist/);
  });

  itWith('ip')(
    'are shown in the plan, and do not come from a Swarm address of a gateway',
    async () => {
      writeFileSync(
        join(bench.cluster.lab.files.shared, 'swarm/nodes/worker1/address'),
        '203.0.113.9\n',
      );
      const { code, stdout } = await bench.cli.run(['plan', 'upgrade.yml', ...bench.inputs()]);
      expect(code, stdout).toBe(0);
      const { address } = bench.cluster.lab.host('manager1');
      expect(stdout).toMatch(/^ *worker1: 127\.0\.0\.1, from its route to a manager$/m);
      expect(stdout).toContain(`manager1: ${address}, from the Swarm`);
    },
  );
});

describe('the load balancer of an upgrade', () => {
  it('blocks the upgrade if its ports do not answer, with a remedy', async () => {
    const { code, events } = await bench.upgrade(['--external-address', '255.255.255.255']);
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toMatch(
      /yes load_balancer host \S+ 255\.255\.255\.255 does not answer on TCP 6443, 8132, 9443\. Open these ports/,
    );
    expect(found).toMatch(
      /yes load_balancer host \S+ 255\.255\.255\.255 does not answer on TCP 6443, 8132\. Open/,
    );
    expect(found.match(/yes load_balancer/g)).toHaveLength(2);
  });

  it('is reported with the ports that cannot be checked before k0s runs', async () => {
    const { code, stdout } = await bench.cli.run(['plan', 'upgrade.yml', ...bench.inputs()]);
    expect(code, stdout).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Nothing listens on TCP 8132, 9443 of the managers before k0s runs, so runner cannot check that mke\.example\.com forwards these ports\. It answers: 6443 refused; 8132 refused; 9443 refused;/,
    );
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /mke\.example\.com answers on TCP 443 \(HTTPS\): refused\. MKE 4 is served at the node port 33001 of all managers by the ingress controller\. .* Remedy: When you apply the configuration of MKE 4, let the load balancer forward TCP 443 to the node port 33001/,
    );
  });

  it('is not checked if the external address is that of a node', async () => {
    const { address } = bench.cluster.lab.host('manager1');
    const args = [...bench.inputs(), '--external-address', address];
    const { code, stdout } = await bench.cli.run(['plan', 'upgrade.yml', ...args]);
    expect(code, stdout).toBe(0);
    expect(stdout).not.toContain('cannot check that');
  });
});
