import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/output/events.ts';
import type { RealPrograms } from '../../../src/lab/real/programs.ts';
import { SECRET } from '../../../src/lab/real/objects.ts';
import type { RealMke3 } from '../../../src/lab/real/real-mke3.ts';
import { Cli, hostsIn, type CliOptions } from '../../helpers/cli.ts';
import { upgradeWithRestart } from '../../helpers/upgrade.ts';
import {
  etcdctl,
  INJECTED,
  k0sEtcdctl,
  outcome,
  settledState,
  startCluster,
  stateOf,
  uidsIn,
  upgradeOf,
} from './outside.ts';

/** With a real k0s, an upgrade takes minutes. */
const LIMIT_MS = 900_000;

let cluster: RealMke3;
let started: RealMke3 | undefined;
let cli: Cli;

const upgrade = (extra: string[], options: CliOptions = {}, playbook?: string) =>
  cli.run(upgradeOf(cluster, cli.dir, extra, playbook), { timeoutMs: LIMIT_MS, ...options });

/** The start of the first play on the workers, when all managers run k0s. */
const startsWorkers = (event: RunEvent): boolean =>
  event.type === 'play-start' && event.play === 'Migrate worker nodes to k0s' && event.batch === 1;

/** Registers the tests; see ../real.test.ts. */
export function upgradeOnRealHosts(programs: RealPrograms): void {
  beforeAll(async () => {
    started = await startCluster(programs);
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
        expect(outcome(events)).toContain('undone), verified.');
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

    it(
      'restores a manager that restarts after MKE 3 is disabled and before it is stopped',
      async () => {
        const before = await stateOf(cluster.lab);
        const playbook = cli.file('upgrade-restart.yml', upgradeWithRestart('manager3'));
        const { code, events, stderr } = await upgrade(
          ['--fail-at', 'Start the controller'],
          {},
          playbook,
        );
        expect(code, outcome(events) + stderr).toBe(3);
        expect(outcome(events)).toMatch(INJECTED);
        expect(hostsIn(events, 'Restart a host', 'changed')).toHaveLength(1);
        expect(await settledState(cluster.lab, before)).toEqual(before);
      },
      LIMIT_MS,
    );
  });

  describe('the upgrade', () => {
    it(
      'completes with "resume" after a manager rebooted during the run and a step failed after the point of no return',
      async () => {
        const before = await uidsIn(cluster.lab, 'manager1', etcdctl);
        const failed = await upgrade(['--fail-at', 'Leave the Swarm'], {
          onEvent: (event) => {
            if (startsWorkers(event))
              void cluster.lab.ssh('manager3', 'systemctl reboot').catch(() => undefined);
          },
        });
        // Changes after the point of no return are not rolled back. The run can be resumed.
        expect(failed.code, outcome(failed.events) + failed.stderr).toBe(6);
        expect(outcome(failed.events)).toMatch(INJECTED);
        const { code, events, stderr } = await cli.run(['resume', '--output', 'json'], {
          timeoutMs: LIMIT_MS,
        });
        expect(code, outcome(events) + stderr).toBe(0);
        for (const name of ['manager1', 'manager2', 'manager3']) {
          const after = await uidsIn(cluster.lab, name, k0sEtcdctl);
          // k0s replaces the components of MKE 3 in kube-system.
          const own = /^\/registry\/(daemonsets|deployments)\/kube-system\//;
          for (const [key, uid] of before)
            if (own.test(key)) expect(after.get(key), key).not.toBe(uid);
            else expect(after.get(key), key).toBe(uid);
        }
        if (programs.k0s) {
          const password = await cluster.lab.ssh(
            'manager2',
            "k0s kubectl -n shop get secret db -o 'jsonpath={.data.password}'",
          );
          expect(Buffer.from(password, 'base64').toString()).toBe(SECRET);
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
