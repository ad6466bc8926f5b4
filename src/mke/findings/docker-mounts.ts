import { objectOf } from '../../core/json.ts';
import { kubectlWordsOf, named, ofKind, specOf, textOf, titled } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Finding, Severity } from './finding.ts';
import { holds, hostMountsOf, mustExist, plainPath, type HostMount } from './host-mounts.ts';
import { readsLogFiles } from './docker-logs.ts';
import { containersOf, wordsOfContainer, workloadsOf, type Workload } from './workload.ts';

/** Sockets of the Docker engine and of its CRI adapters. */
const SOCKETS = ['docker', 'cri-dockerd-mke', 'cri-dockerd', 'dockershim'].map(
  (name) => `/run/${name}.sock`,
);
export const DOCKER_ROOT = '/var/lib/docker';

/**
 * Finds pods that use the socket or the files of the host's Docker engine. k0s runs pods in containerd, so Docker has no pods
 * after the upgrade, and its files are deleted when Docker is removed.
 *
 * @param roots data directories of the engines
 */
export function dockerMounts(view: ClusterView, roots: readonly string[]): Finding[] {
  const all = roots.map(plainPath);
  return [
    ...workloadsOf(view).flatMap((workload) => [
      ...socketFinding(workload, all),
      ...filesFinding(workload, all),
    ]),
    ...volumeFindings(view, all),
  ];
}

const isUsed = (mount: HostMount): boolean => mount.container !== undefined || mustExist(mount);

/** Whether a container's command, arguments or environment match: evidence that it uses Docker files in a mounted directory. */
const namesDocker = (pod: Workload['pod'], pattern: RegExp): boolean =>
  containersOf(pod).some((one) => wordsOfContainer(one).some((word) => pattern.test(word)));

function socketFinding(workload: Workload, roots: readonly string[]): Finding[] {
  const mounts = hostMountsOf(workload).filter(isUsed);
  const direct = mounts.filter(({ path }) => SOCKETS.includes(path));
  const above = mounts.filter(({ path }) => SOCKETS.some((socket) => holds(path, socket)));
  const [mount] = [...direct, ...above];
  if (!mount) return [];
  const { path, volume, type } = mount;
  const isNamed = namesDocker(workload.pod, /docker\.sock|dockerd?\b.*\.sock|^DOCKER_HOST=/);
  const severity: Severity =
    direct.length > 0 || isNamed ? 'error' : path === '/' ? 'info' : 'warning';
  const what =
    direct.length > 0
      ? `Volume "${volume}" is the Docker socket ${path}.`
      : `Volume "${volume}" is the host path ${path}, which contains the Docker socket${path === '/' ? ` and ${named(roots)}` : ''}${isNamed ? ', and a container is configured to use it' : ''}.`;
  const missing =
    type === 'Socket'
      ? ' When Docker is removed, the pod cannot start, because the hostPath type is Socket.'
      : '';
  const effect =
    severity === 'error'
      ? 'After the upgrade, pods run in containerd: a program that uses this socket sees no pods, and containers that it starts are outside Kubernetes.'
      : 'If a program in the pod uses Docker, it sees no pods after the upgrade.';
  return [
    finding(workload, {
      id: 'docker_socket',
      severity,
      evidence: `${what} ${effect}${missing}`,
      hint: `remove volume "${volume}", or use /run/k0s/containerd.sock if the program supports CRI`,
    }),
  ];
}

function filesFinding(workload: Workload, roots: readonly string[]): Finding[] {
  // The check "docker_logs" covers programs that read logs, and "docker_socket" covers mounts of "/".
  const mounts = hostMountsOf(workload).filter((one) => isUsed(one) && one.path !== '/');
  const inside = mounts.filter(
    ({ path }) =>
      roots.some((root) => holds(root, path)) &&
      !roots.some((root) => readsLogFiles(workload, path, root)),
  );
  const above = mounts.filter(
    ({ path }) =>
      !inside.some((one) => one.path === path) && roots.some((root) => isAbove(path, root)),
  );
  const [mount] = [...inside, ...above];
  if (!mount) return [];
  const { path, volume } = mount;
  const isNamed = namesDocker(workload.pod, new RegExp(roots.join('|')));
  const isInside = inside.length > 0;
  return [
    finding(workload, {
      id: 'docker_files',
      severity: isInside || isNamed ? 'error' : 'warning',
      evidence: isInside
        ? `Volume "${volume}" is the Docker directory ${path}. k0s keeps images and containers in /var/lib/k0s/containerd, so nothing is added to this directory after the upgrade, and removing Docker deletes it.`
        : `Volume "${volume}" is the host path ${path}, which contains the files of Docker. If a program in the pod reads them, it finds nothing new there after the upgrade.`,
      hint: `mount another directory as volume "${volume}"`,
    }),
  ];
}

const isAbove = (path: string, root: string): boolean => path !== root && holds(path, root);

/** Finds PersistentVolumes in a Docker directory, which is deleted when Docker is removed. */
function volumeFindings(view: ClusterView, roots: readonly string[]): Finding[] {
  return ofKind(view, 'PersistentVolume').flatMap((volume): Finding[] => {
    const spec = specOf(volume);
    const given = ['hostPath', 'local'].map((key) => textOf(objectOf(spec[key])['path']));
    const path = plainPath(given.find((one) => one !== '') ?? '/');
    const { target } = kubectlWordsOf(volume);
    if (SOCKETS.includes(path))
      return [
        {
          id: 'docker_socket',
          severity: 'error',
          blocking: false,
          object: titled(volume),
          evidence: `The volume is the Docker socket ${path}. After the upgrade, pods run in containerd: a program that uses this socket sees no pods.`,
          remedy: `kubectl describe ${target} # find the claim and its pods, and remove the volume from them`,
        },
      ];
    if (!roots.some((root) => holds(root, path))) return [];
    return [
      {
        id: 'docker_files',
        severity: 'warning',
        blocking: false,
        object: titled(volume),
        evidence: `The volume keeps its data in the Docker directory ${path}. The upgrade keeps the data, but removing Docker deletes it.`,
        remedy: `kubectl get ${target} -o yaml # copy the data to another directory and create the volume with that path`,
      },
    ];
  });
}

function finding(
  { title, inNamespace, target }: Workload,
  { hint, ...found }: { id: string; severity: Severity; evidence: string; hint: string },
): Finding {
  return {
    ...found,
    blocking: false,
    object: title,
    remedy: `kubectl${inNamespace} edit ${target} # ${hint}`,
  };
}
