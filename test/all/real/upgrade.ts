import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/events.ts';
import { realK0s } from '../../../src/lab/real/real-lab.ts';
import { RealMke3 } from '../../../src/lab/real/real-mke3.ts';
import { Cli, type CliOptions } from '../../helpers/cli.ts';
import { etcdctl, INJECTED, outcome, settledState, stateOf } from './outside.ts';

/** Set to a k0s binary as users download it, which then takes the place of the stand-in. */
const K0S_FILE = process.env['RUNNER_K0S'] ?? '';
const LIMIT_MS = K0S_FILE === '' ? 240_000 : 900_000;

let cluster: RealMke3;
let started: RealMke3 | undefined;
let cli: Cli;

const upgrade = (extra: string[], options: CliOptions = {}) =>
  cli.run(
    [
      ...['play', cluster.playbook, ...cluster.upgradeInputs(cli.dir), '--output', 'json'],
      ...['--accept-irreversible', 'remove-mke3', ...extra],
    ],
    { timeoutMs: LIMIT_MS, ...options },
  );

/** At the first step on the workers, all managers run k0s. */
const startsWorkers = (event: RunEvent): boolean =>
  event.type === 'play-start' && event.play === 'Migrate worker nodes to k0s' && event.batch === 1;

/** Registers the tests; see ../real.test.ts. */
export function upgradeOnRealHosts(): void {
  beforeAll(async () => {
    const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
    const k0s = K0S_FILE === '' ? undefined : await realK0s(K0S_FILE);
    started = await RealMke3.start({ managers: 3, workers: 2 }, cache, k0s);
    cluster = started;
  }, 900_000);
  afterAll(() => started?.stop());
  beforeEach(() => {
    cli = new Cli(cluster.env, cluster.lab.inside([]));
  });
  afterEach(() => {
    cli.dispose();
  });

  describe('the failed upgrade', () => {
    it.each([
      ['while MKE 3 is frozen', 'Take a snapshot of etcd'],
      ['when the managers are stopped', 'Stop cri-dockerd'],
      ['on the first manager', 'Start the controller'],
      ['at the last step before the point of no return', 'last'],
    ])(
      'restores everything, including etcd and Swarm, after a failure %s',
      async (_, step) => {
        const before = await stateOf(cluster.lab);
        const { code, events, stderr } = await upgrade(['--fail-at', step]);
        expect(code, outcome(events) + stderr).toBe(3);
        expect(outcome(events)).toMatch(INJECTED);
        expect(outcome(events)).toContain('verified: all is as before');
        expect(await settledState(cluster.lab, before)).toEqual(before);
      },
      LIMIT_MS,
    );

    it(
      'waits for a host that reboots during the failed run, and restores it',
      async () => {
        const before = await stateOf(cluster.lab);
        const { code, events, stderr } = await upgrade(['--fail-at', 'last'], {
          onEvent: (event) => {
            if (startsWorkers(event))
              void cluster.lab.ssh('manager3', 'systemctl reboot').catch(() => undefined);
          },
        });
        expect(code, outcome(events) + stderr).toBe(3);
        expect(outcome(events)).toMatch(INJECTED);
        expect(await settledState(cluster.lab, before)).toEqual(before);
      },
      LIMIT_MS,
    );
  });

  describe('the upgrade', () => {
    it(
      'ends with MKE 4 when a manager reboots during the run and a step fails after the point of no return',
      async () => {
        const keys = await cluster.lab.ssh('manager1', `${etcdctl} get / --prefix --keys-only`);
        const failed = await upgrade(['--fail-at', 'Leave the Swarm'], {
          onEvent: (event) => {
            if (startsWorkers(event))
              void cluster.lab.ssh('manager3', 'systemctl reboot').catch(() => undefined);
          },
        });
        // Nothing after that point is rolled back; the run waits for "resume".
        expect(failed.code, outcome(failed.events) + failed.stderr).toBe(6);
        expect(outcome(failed.events)).toMatch(INJECTED);
        const { code, events, stderr } = await cli.run(['resume', '--output', 'json'], {
          timeoutMs: LIMIT_MS,
        });
        expect(code, outcome(events) + stderr).toBe(0);
        const nodes = JSON.parse(
          await cluster.lab.ssh('manager2', 'k0s kubectl get nodes -o json'),
        ) as { items: { metadata: { name: string; creationTimestamp: string } }[] };
        // The nodes are the node objects of MKE 3, not new ones.
        expect(
          nodes.items.map(({ metadata }) => [metadata.name, metadata.creationTimestamp]),
        ).toEqual(cluster.lab.hosts.map(({ name }) => [name, '2024-01-02T03:04:05Z']));
        const tls =
          '--cacert /var/lib/k0s/pki/etcd/ca.crt --cert /var/lib/k0s/pki/etcd/server.crt --key /var/lib/k0s/pki/etcd/server.key';
        for (const { name } of cluster.lab.hosts.filter((host) =>
          host.name.startsWith('manager'),
        )) {
          const now = await cluster.lab.ssh(
            name,
            `ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 ${tls} get / --prefix --keys-only`,
          );
          // Components that MKE 3 ran in kube-system are replaced by those of k0s.
          const own = /^\/registry\/(daemonsets|deployments)\/kube-system\//;
          for (const key of keys.split('\n').filter(Boolean))
            expect(now.split('\n').includes(key), key).toBe(!own.test(key));
        }
        for (const { name } of cluster.lab.hosts) {
          const left = await cluster.lab.ssh(
            name,
            "docker info --format '{{.Swarm.LocalNodeState}}'; docker ps -aq; docker volume ls -q; systemctl is-active docker; ls /lib/systemd/system | grep cri-dockerd; true",
          );
          expect(left).toBe('inactive\nactive\n');
        }
        expect(readFileSync(join(cli.dir, 'mke4.yaml'), 'utf8')).toContain('kind: MkeConfig');
      },
      LIMIT_MS,
    );
  });
}
