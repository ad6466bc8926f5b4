import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/output/events.ts';
import { SECRET } from '../../../src/lab/real/objects.ts';
import type { RealPrograms } from '../../../src/lab/real/programs.ts';
import type { RealMke3 } from '../../../src/lab/real/real-mke3.ts';
import { Cli, type SpawnOptions } from '../../helpers/cli.ts';
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

const LIMIT_MS = 1_200_000;

let cluster: RealMke3;
let started: RealMke3 | undefined;
let cli: Cli;
let before: Record<string, string>;

const upgrade = (extra: string[] = [], options: SpawnOptions = {}) =>
  cli.spawn(upgradeOf(cluster, cli.dir, extra), { timeoutMs: LIMIT_MS, ...options });
const recover = (command: 'resume' | 'rollback', options: SpawnOptions = {}) =>
  cli.spawn([command, '--output', 'json'], { timeoutMs: LIMIT_MS, ...options });

const startsStep = (event: RunEvent, id: string): boolean =>
  event.type === 'step-start' && event.step.id === id;

/** Calls `act` once, at the first event that `when` accepts. */
const once = (
  when: (event: RunEvent) => boolean,
  act: (child: { kill: (signal: NodeJS.Signals) => unknown }) => void,
): SpawnOptions => {
  let done = false;
  return {
    onEvent: (event, child) => {
      if (done || !when(event)) return;
      done = true;
      act(child);
    },
  };
};

/** One step of each phase that changes hosts, and a host on which it runs. */
const phases: [phase: string, step: string, host: string][] = [
  ['freeze', 'pre-upgrade-migrations-freeze-mke-3/mke3-freeze/take-a-snapshot-of-etcd', 'manager1'],
  [
    'stop of the managers',
    'pre-upgrade-migrations-stop-mke-3-on-the-managers/stop-mke-3/stop-the-pod-containers',
    'manager2',
  ],
  [
    'first controller',
    'migrate-manager-nodes-to-k0s-start-the-first-controller/k0s-controller/wait-for-the-node-to-be-ready',
    'manager1',
  ],
  [
    'second controller',
    'migrate-manager-nodes-to-k0s-join-the-other-controllers/k0s-controller/wait-for-the-kubernetes-api',
    'manager2',
  ],
  ['worker', 'migrate-worker-nodes-to-k0s/k0s-worker/wait-for-the-node-to-be-ready', 'worker1'],
  [
    'end of the hold on eviction',
    'migrate-worker-nodes-to-k0s-release-the-hold-on-eviction/release-the-hold-on-eviction/restart-the-controller',
    'manager1',
  ],
];
const GATE =
  'post-upgrade-cleanup-pass-the-point-of-no-return/commit-remove-mke3/check-that-calico-runs-on-every-node';
const WORKER_JOINED = 'migrate-worker-nodes-to-k0s/k0s-worker/revoke-the-worker-token';

/** Expects that the run was rolled back, and that the state of all hosts equals the state before, compared independently. */
async function expectRestored({
  code,
  events,
  stderr,
}: {
  code: number | null;
  events: readonly RunEvent[];
  stderr: string;
}): Promise<void> {
  expect(code, outcome(events) + stderr).toBe(3);
  expect(await settledState(cluster.lab, before)).toEqual(before);
}

/** Tests with faults in each phase of the upgrade with a real k0s. A case takes about three minutes on an idle machine with two cores. */
export function upgradeWithRealK0s(programs: RealPrograms): void {
  beforeAll(async () => {
    started = await startCluster(programs);
    cluster = started;
  }, 900_000);
  afterAll(() => started?.stop());
  beforeEach(async () => {
    cli = new Cli(cluster.env, cluster.lab.inside([]));
    before = await stateOf(cluster.lab);
  });
  afterEach(() => {
    cli.dispose();
  });

  describe('restores MKE 3', () => {
    it.each(phases)(
      'after a failure in the phase "%s"',
      async (_, step) => {
        const result = await upgrade(['--fail-at', step]);
        await expectRestored(result);
        expect(outcome(result.events)).toMatch(INJECTED);
      },
      LIMIT_MS,
    );

    it.each(phases)(
      'with "runner rollback" after kill -9 in the phase "%s"',
      async (_, step) => {
        const killed = await upgrade(
          [],
          once(
            (event) => startsStep(event, step),
            (child) => child.kill('SIGKILL'),
          ),
        );
        expect(killed.code, outcome(killed.events)).toBeNull();
        await expectRestored(await recover('rollback'));
      },
      LIMIT_MS,
    );

    it.each(phases)(
      'with "runner rollback" after kill -9 in the phase "%s" and "runner resume" up to the point of no return',
      async (_, step) => {
        const kill = (child: { kill: (signal: NodeJS.Signals) => unknown }) =>
          child.kill('SIGKILL');
        const killed = await upgrade(
          [],
          once((event) => startsStep(event, step), kill),
        );
        expect(killed.code, outcome(killed.events)).toBeNull();
        const gate = (event: RunEvent) => startsStep(event, GATE);
        const resumed = await recover('resume', once(gate, kill));
        expect(resumed.code, outcome(resumed.events) + resumed.stderr).toBeNull();
        await expectRestored(await recover('rollback'));
      },
      LIMIT_MS,
    );

    it.each(phases)(
      'after a lost connection in the phase "%s"',
      async (_, step, host) => {
        const cut = once(
          (event) => startsStep(event, step),
          () => {
            void cluster.lab
              .setLink(host, 'down')
              .then(() => new Promise((resolve) => setTimeout(resolve, 45_000)))
              .then(() => cluster.lab.setLink(host, 'up'));
          },
        );
        // If the lost connection ends a command, the run fails at that step.
        await expectRestored(await upgrade(['--fail-at', 'last'], cut));
      },
      LIMIT_MS,
    );

    it.each([
      ['manager', 'manager2', 'Migrate worker'],
      ['worker', 'worker1', 'Migrate worker nodes to k0s: release'],
    ])(
      'after a reboot of a %s during the run',
      async (_, host, play) => {
        const reboot = once(
          (event) => event.type === 'play-start' && event.play.startsWith(play),
          () => void cluster.lab.ssh(host, 'systemctl reboot').catch(() => undefined),
        );
        const result = await upgrade(['--fail-at', 'last'], reboot);
        await expectRestored(result);
        expect(outcome(result.events)).toMatch(INJECTED);
      },
      LIMIT_MS,
    );

    const rule = 'INPUT -p tcp --dport 2380 -j DROP';

    it(
      'if port 2380 is blocked while the second controller joins',
      async () => {
        const block = once(
          (event) =>
            event.type === 'play-start' && event.play.endsWith('join the other controllers'),
          () => void cluster.lab.ssh('manager2', `iptables -I ${rule}`),
        );
        const result = await upgrade(['--timeout-minutes', '3'], block);
        await cluster.lab.ssh('manager2', `iptables -D ${rule}`);
        await expectRestored(result);
      },
      LIMIT_MS,
    );

    it(
      'without a rollback if the checks find that port 2380 is blocked',
      async () => {
        await cluster.lab.ssh('manager2', `iptables -I ${rule}`);
        const { code, events } = await upgrade();
        await cluster.lab.ssh('manager2', `iptables -D ${rule}`);
        expect(code, outcome(events)).toBe(2);
        expect(outcome(events)).toContain('is blocked');
        expect(await settledState(cluster.lab, before)).toEqual(before);
      },
      LIMIT_MS,
    );

    const volume = '/var/lib/k0s/kubelet/pods/proof/volumes/data';
    const mounted = (use: string) =>
      once(
        (event) => startsStep(event, WORKER_JOINED),
        () =>
          void cluster.lab.ssh(
            'worker1',
            `mkdir -p /srv/proof ${volume}; echo kept >/srv/proof/file; mount --bind /srv/proof ${volume}; ${use}`,
          ),
      );
    const cleanUp = async (): Promise<void> => {
      expect(await cluster.lab.ssh('worker1', 'cat /srv/proof/file')).toBe('kept\n');
      await cluster.lab.ssh('worker1', 'rm -r /srv/proof');
    };

    it(
      'and the data of an idle mount in the kubelet directory',
      async () => {
        const result = await upgrade(['--fail-at', 'last'], mounted('true'));
        await expectRestored(result);
        expect(outcome(result.events)).toMatch(INJECTED);
        await cleanUp();
      },
      LIMIT_MS,
    );

    it(
      'after a busy mount in the kubelet directory, which was reported, is released',
      async () => {
        const user = `setsid sh -c 'cd ${volume}; exec sleep 3600' </dev/null >/dev/null 2>&1 & echo $! >/run/proof.pid`;
        const { code, events } = await upgrade(['--fail-at', 'last'], mounted(user));
        expect(code, outcome(events)).toBe(4);
        expect(JSON.stringify(events.filter(({ type }) => type === 'undo-end'))).toContain(volume);
        expect(await cluster.lab.ssh('worker1', 'cat /srv/proof/file')).toBe('kept\n');
        await cluster.lab.ssh('worker1', 'kill $(cat /run/proof.pid); rm /run/proof.pid');
        await expectRestored(await recover('rollback'));
        await cleanUp();
      },
      LIMIT_MS,
    );
  });

  describe('completes the upgrade', () => {
    it(
      'with "runner resume" after kill -9, and every node is ready after a restart',
      async () => {
        const before = await uidsIn(cluster.lab, 'manager1', etcdctl);
        const killed = await upgrade(
          [],
          once(
            (event) => startsStep(event, phases[3]?.[1] ?? ''),
            (child) => child.kill('SIGKILL'),
          ),
        );
        expect(killed.code, outcome(killed.events)).toBeNull();
        const { code, events, stderr } = await recover('resume');
        expect(code, outcome(events) + stderr).toBe(0);
        const after = await uidsIn(cluster.lab, 'manager2', k0sEtcdctl);
        for (const [key, uid] of before)
          if (!key.includes('/kube-system/')) expect(after.get(key), key).toBe(uid);
        const password = await cluster.lab.ssh(
          'manager2',
          "k0s kubectl -n shop get secret db -o 'jsonpath={.data.password}'",
        );
        expect(Buffer.from(password, 'base64').toString()).toBe(SECRET);
        for (const { name } of cluster.lab.hosts) {
          const boot = await cluster.lab.ssh(
            name,
            'cat /proc/sys/kernel/random/boot_id; uptime -s',
          );
          await cluster.lab.ssh(name, 'systemctl reboot').catch(() => undefined);
          await expectReady(name, boot);
        }
      },
      LIMIT_MS,
    );
  });
}

/** Waits until a node has restarted and the API on another controller reports it as ready. */
async function expectReady(name: string, boot: string): Promise<void> {
  const other = name === 'manager1' ? 'manager2' : 'manager1';
  const wanted =
    `k0s kubectl get node ${name} -o ` +
    `'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.bootID}'`;
  let last = '';
  for (const deadline = Date.now() + 300_000; Date.now() < deadline;) {
    const now = await cluster.lab
      .ssh(name, 'cat /proc/sys/kernel/random/boot_id; uptime -s')
      .catch(() => '');
    const node = await cluster.lab.ssh(other, wanted).catch((error: unknown) => String(error));
    last = `${now} ${node}`;
    if (now !== '' && now !== boot && node.startsWith('True ')) return;
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  expect.fail(`${name} is not ready after its restart: ${last}`);
}
