import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../../src/output/events.ts';
import { labObjects } from '../../../src/lab/real/objects.ts';
import type { RealPrograms } from '../../../src/lab/real/programs.ts';
import type { RealLab } from '../../../src/lab/real/real-lab.ts';
import { RealMke3 } from '../../../src/lab/real/real-mke3.ts';

export const etcdctl =
  'docker exec -e ETCDCTL_API=3 ucp-kv etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/docker/ssl/ca.pem --cert /etc/docker/ssl/cert.pem --key /etc/docker/ssl/key.pem';

/** Arguments of runner for the upgrade of a cluster. @param directory for files that it writes on the controller */
export const upgradeOf = (
  cluster: RealMke3,
  directory: string,
  extra: readonly string[],
  playbook = cluster.playbook,
): string[] => [
  ...['play', playbook, ...cluster.upgradeInputs(directory), '--output', 'json'],
  ...['--accept-irreversible', 'remove-mke3', ...extra],
];

/** Starts a cluster of three managers and two workers with MKE 3. */
export function startCluster(programs: RealPrograms): Promise<RealMke3> {
  const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
  return RealMke3.start({ managers: 3, workers: 2 }, cache, programs);
}

/** etcdctl for the etcd of k0s. */
export const k0sEtcdctl =
  'ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /var/lib/k0s/pki/etcd/ca.crt --cert /var/lib/k0s/pki/etcd/server.crt --key /var/lib/k0s/pki/etcd/server.key';

/**
 * The UIDs of the lab's objects in etcd, by key, for any storage format. The UID of an encrypted object is "hidden", that of a
 * missing object is empty.
 */
export async function uidsIn(
  lab: RealLab,
  host: string,
  etcdctlWords: string,
): Promise<Map<string, string>> {
  const keys = labObjects(lab.hosts).map(({ key }) => key);
  const uid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
  const output = await lab.ssh(
    host,
    `for key in ${keys.join(' ')}; do
  value=$(${etcdctlWords} get "$key" --print-value-only | base64 -w0)
  uid=$(printf %s "$value" | base64 -d | grep -aoE '${uid}' | head -n 1)
  if [ -n "$value" ]; then uid=\${uid:-hidden}; fi
  echo "$key $uid"
done`,
    120_000,
  );
  return new Map(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

/** Messages of a run with "--fail-at". The step is skipped if the lab has no DNS service. */
export const INJECTED = /made to fail by --fail-at|the --fail-at step was skipped/;

/** Shell commands that print the state of a host: engine, Swarm, etcd, API, units and files. */
const look = `
docker ps -a --format '{{.Label "com.docker.swarm.task.id"}} {{.Names}} {{.Image}} {{.State}}' | sed -n 's/^ //p' | sort
docker inspect --format '{{.Name}} {{.HostConfig.RestartPolicy.Name}}' $(docker ps -a --format '{{.Label "com.docker.swarm.task.id"}} {{.Names}}' | sed -n 's/^ //p') | sort
docker volume ls -q | sort
systemctl is-active docker cri-dockerd-mke.service cri-dockerd-mke.socket
systemctl is-enabled docker cri-dockerd-mke.service cri-dockerd-mke.socket
systemctl show -p ActiveState,SubState,LoadState k0scontroller k0sworker
awk '{ print $5 }' /proc/self/mountinfo | grep -vE '^/(proc|sys|dev|run/user|run/credentials)|^/var/lib/docker/|^/run/docker' | sort
ip -br link | awk '{ print $1 }' | grep -vE '^veth' | sort
sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables vm.overcommit_memory kernel.panic kernel.panic_on_oops 2>&1
iptables-save -t filter | grep '^:' | sed 's/ .*//' | sort
iptables-save -t nat | grep '^:' | sed 's/ .*//' | sort
iptables-save -t mangle | grep '^:' | sed 's/ .*//' | sort
ps -eo args | grep -E '^(/var/lib/k0s|/usr/local/bin/k0s|containerd-shim.*/run/k0s)' | sort
ls -d /run/netns /var/log/pods /var/log/containers /var/lib/calico /run/calico /run/nodeagent /usr/libexec/k0s /opt/cni/bin/* 2>/dev/null
find /etc /lib/systemd/system /opt /usr/local /var/lib/kubelet /var/lib/cri-dockerd /var/lib/k0s /var/lib/mke-upgrade -xdev ! -path '/etc/*-' \
  \\( -type f -exec sha256sum {} + \\) -o -printf '%p %y %m %U %l\\n' 2>/dev/null | sort
ss -Hltn | awk '{ print $4 }' | grep -vE '^127[.]0[.]0[.]1:[3-6][0-9]{4}$' | sort
id etcd kube-apiserver 2>&1; true
`;
const lookManager = `${look}
docker node inspect --format '{{.Description.Hostname}} {{json .Spec.Labels}} {{.Spec.Availability}} {{.Status.State}}' $(docker node ls -q) | sort
docker service ls --format '{{.Name}} {{.Replicas}} {{.Image}}' | sort
docker config ls --format '{{.Name}}' | sort
${etcdctl} get / --prefix | sha256sum
${etcdctl} endpoint hashkv
${etcdctl} endpoint status -w simple | awk -F, '{ print $1 }'
curl -sk https://127.0.0.1/_ping
`;

const LOOK_LIMIT_MS = 180_000;

/** The state of each host, as printed by the commands above. */
export async function stateOf(lab: RealLab): Promise<Record<string, string>> {
  const entries = await Promise.all(
    lab.hosts.map(async ({ name }) => [
      name,
      // The commands read every file of a host, which takes a minute on a busy machine.
      await lab.ssh(name, name.startsWith('manager') ? lookManager : look, LOOK_LIMIT_MS),
    ]),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Waits until the state is the wanted one: after a reboot, the engine needs time to start its containers. */
export async function settledState(
  lab: RealLab,
  wanted: Record<string, string>,
): Promise<Record<string, string>> {
  for (const deadline = Date.now() + 2 * LOOK_LIMIT_MS; ;) {
    const now = await stateOf(lab).catch((error: unknown) => ({ error: String(error) }));
    if (JSON.stringify(now) === JSON.stringify(wanted) || Date.now() > deadline) return now;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** The result of a run, failed undos and differing fingerprints, as text. */
export const outcome = (events: readonly RunEvent[]): string =>
  events
    .flatMap((event) => {
      if (event.type === 'run-end') return [event.message];
      if (event.type === 'undo-end' && event.message !== undefined)
        return [`${event.host}: ${event.step.name}: ${event.state}: ${event.message}`];
      return event.type === 'fingerprint' && !event.equal ? [JSON.stringify(event)] : [];
    })
    .join('\n');
