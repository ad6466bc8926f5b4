import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { hostsIn } from '../helpers/cli.ts';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
beforeEach(async () => {
  bench = await UpgradeBench.start({ managers: 1, workers: 1 });
});
afterEach(() => bench.stop());

const forms: Record<string, { manager: string; worker: string; head: object }> = {
  'mke4.yaml': {
    ...{ manager: 'controller+worker', worker: 'worker' },
    head: { apiVersion: 'mke.mirantis.com/v1alpha1', kind: 'MkeConfig' },
  },
  'launchpad.yaml': {
    ...{ manager: 'manager', worker: 'worker' },
    head: { apiVersion: 'launchpad.mirantis.com/mke/v1.4', kind: 'mke' },
  },
  'k0sctl.yaml': {
    ...{ manager: 'controller', worker: 'worker' },
    head: { apiVersion: 'k0sctl.k0sproject.io/v1beta1', kind: 'Cluster' },
  },
};

/** A hosts file in the given format with these roles for the manager and the worker of the lab. */
function hostsFile(form: string, manager: string, worker: string): string {
  const { hosts, files } = bench.cluster.lab;
  const host = (index: number, role: string) => {
    const { address, port } = hosts[index] ?? { address: '', port: 0 };
    return { role, ssh: { address, port, user: 'root', keyPath: files.key } };
  };
  const spec = { hosts: [host(0, manager), host(1, worker)] };
  return bench.cli.file(form, stringify({ ...forms[form]?.head, spec }));
}

const upgradeWith = (hosts: string, extra: string[] = []) =>
  bench.cli.run([
    ...['play', 'upgrade.yml', '--output', 'json', '--accept-irreversible', 'remove-mke3'],
    ...bench.inputs().map((word) => (word === bench.cluster.lab.files.hosts ? hosts : word)),
    ...extra,
  ]);

describe.each(Object.entries(forms))(
  'the shipped upgrade with a %s',
  (form, { manager, worker }) => {
    it('migrates every host once if the roles match the Swarm', async () => {
      const { code, events, stdout } = await upgradeWith(hostsFile(form, manager, worker));
      expect(code, stdout).toBe(0);
      const [first, second] = bench.cluster.lab.hosts.map(({ address }) => address);
      expect(hostsIn(events, 'Stop the MKE 3 containers', 'changed')).toEqual([first, second]);
      expect(hostsIn(events, 'Remove the MKE 3 containers', 'changed').sort()).toEqual([
        first,
        second,
      ]);
    });

    it('fails before the first change if a role is stale, and reports the host and both roles', async () => {
      const { code, events } = await upgradeWith(hostsFile(form, worker, worker));
      expect(code).toBe(2);
      const [first] = bench.cluster.lab.hosts.map(({ address }) => address);
      expect(findingsIn(events)).toContain(
        `yes swarm_role host ${String(first)} In ${form} the host is a worker, but in the Swarm it is a manager.`,
      );
    });
  },
);

describe('the shipped upgrade with a stale role', () => {
  it('uses the Swarm role if the finding is acknowledged', async () => {
    const hosts = hostsFile('launchpad.yaml', 'worker', 'manager');
    const objects = bench.cluster.lab.hosts.map(({ address }) => `host ${address}`);
    const accept = objects.map((object): [string, string] => ['swarm_role', object]);
    const { code, events, stdout } = await upgradeWith(hosts, bench.accept(...accept));
    expect(code, stdout).toBe(0);
    const [first, second] = bench.cluster.lab.hosts.map(({ address }) => address);
    expect(hostsIn(events, 'Stop the MKE 3 containers', 'changed')).toEqual([first, second]);
    expect(hostsIn(events, 'Leave the Swarm', 'changed')).toEqual([second, first]);
  });
});
