import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../core/json.ts';
import { named, wordsOf } from './cluster-view.ts';
import type { Finding, Severity } from './finding.ts';
import type { HostFacts } from './host-facts.ts';

/*
 * Settings of the Docker engine in /etc/docker/daemon.json. Pods of k0s run in containerd, which does not read that file. Sources:
 * the reference of dockerd, https://docs.docker.com/reference/cli/dockerd/, and https://docs.k0sproject.io/stable/runtime/. Settings
 * that concern Swarm, logging of the engine itself, or what the kubelet decides for pods are not listed: nothing is lost with them.
 */

interface Setting {
  severity: Severity;
  /** What a pod loses. */
  effect: string;
  /** A command for each host, or a sentence. */
  remedy: (value: JsonValue) => string;
  /** Whether a value means anything to pods; any that is not empty when left out. */
  counts?: (value: JsonValue) => boolean;
}

const DROP_IN = '/etc/k0s/containerd.d';
const UNIT_DROP_IN = '/etc/systemd/system/k0sworker.service.d';

const isOn = (value: JsonValue): boolean => value === true;
const isNot =
  (...defaults: string[]) =>
  (value: JsonValue): boolean =>
    typeof value === 'string' && value !== '' && !defaults.includes(value);
const looksUp = (key: string): string =>
  `grep -A5 '"${key}"' /etc/docker/daemon.json # on each of the hosts`;

/** The text of a field, found by the shell on the host. */
const ofDaemonJson = (key: string): string =>
  `"$(grep -o '"${key}": *"[^"]*"' /etc/docker/daemon.json | cut -d'"' -f4)"`;

/** A registry on the host itself, which containerd reaches without TLS by default, too. */
const isLocal = (registry: string): boolean => /^(localhost|127\.|\[?::1)/.test(registry);

/** As the role k0s_registry does it for the registry of MKE 4. */
const hostsToml = (registry: string, text: string): string =>
  [
    `mkdir -p ${DROP_IN} /etc/k0s/certs.d/${registry}`,
    `printf '${text}\\n' > /etc/k0s/certs.d/${registry}/hosts.toml`,
    `printf 'version = 2\\n[plugins."io.containerd.grpc.v1.cri".registry]\\n  config_path = "/etc/k0s/certs.d"\\n' > ${DROP_IN}/registry.toml # on each of the hosts`,
  ].join(' && ');

const SETTINGS: Record<string, Setting> = {
  'registry-mirrors': {
    severity: 'warning',
    effect:
      'containerd asks docker.io itself: pulls are slower, count against its limit, and fail without access to the internet.',
    remedy: (value) => hostsToml('docker.io', `[host."${withoutUser(wordsOf(value)[0] ?? '')}"]`),
  },
  'insecure-registries': {
    severity: 'error',
    effect:
      'containerd refuses registries without TLS or with an unknown certificate: pods with images from there do not start.',
    counts: (value) => wordsOf(value).some((one) => !isLocal(one)),
    remedy: (value) => {
      // containerd has no such setting for a range of addresses.
      const registry = wordsOf(value).find((one) => !isLocal(one) && !one.includes('/'));
      if (registry === undefined) return looksUp('insecure-registries');
      return hostsToml(registry, `[host."https://${registry}"]\\n  skip_verify = true`);
    },
  },
  proxies: {
    severity: 'error',
    effect: 'k0s pulls images without the proxy, unless its unit has the variables.',
    remedy: () =>
      `mkdir -p ${UNIT_DROP_IN} && printf '[Service]\\nEnvironment=HTTPS_PROXY=%s NO_PROXY=%s\\n' ${ofDaemonJson('https-proxy')} ${ofDaemonJson('no-proxy')} > ${UNIT_DROP_IN}/proxy.conf # on each of the hosts; k0scontroller on managers`,
  },
  'log-driver': {
    severity: 'warning',
    effect:
      'The logs of pods no longer go to this driver: containerd writes them to /var/log/pods, from where an agent must collect them.',
    counts: isNot('json-file', 'local'),
    remedy: () => 'kubectl get daemonset -A # is there an agent that reads /var/log/containers?',
  },
  'log-opts': {
    severity: 'info',
    counts: (value) => isJsonObject(value) && ['max-size', 'max-file'].some((key) => key in value),
    effect:
      'The kubelet rotates the logs of pods instead, at 10Mi with 5 files; containerLogMaxSize and containerLogMaxFiles change that.',
    remedy: () =>
      `grep -A5 '"log-opts"' /etc/docker/daemon.json # on each of the hosts; set the two fields in kubelet.customProfiles of MKE 4`,
  },
  'default-ulimits': {
    severity: 'warning',
    effect: 'Containers get the limits of the unit of k0s instead.',
    remedy: () =>
      `mkdir -p ${UNIT_DROP_IN} && printf '[Service]\\nLimitNOFILE=1048576\\n' > ${UNIT_DROP_IN}/limits.conf # on each of the hosts, with the limits of daemon.json; k0scontroller on managers`,
  },
  'default-shm-size': {
    severity: 'warning',
    effect: '/dev/shm of a pod has 64 MiB. Programs that use more, such as databases, fail.',
    remedy: () =>
      'kubectl explain pod.spec.volumes.emptyDir.medium # mount an emptyDir with medium Memory at /dev/shm where more is needed',
  },
  bip: {
    severity: 'info',
    effect:
      'No pod is on the bridge of Docker, so pods lose nothing. Containers outside Kubernetes keep it while Docker runs.',
    remedy: () => 'docker network inspect bridge # on each of the hosts; nothing else to do',
  },
  'fixed-cidr': {
    severity: 'info',
    effect: 'No pod is on the bridge of Docker, so pods lose nothing.',
    remedy: () => 'docker network inspect bridge # on each of the hosts; nothing else to do',
  },
  'default-address-pools': {
    severity: 'info',
    effect: 'Networks of Docker are not for pods, so pods lose nothing.',
    remedy: () => 'docker network ls # on each of the hosts; nothing else to do',
  },
  'data-root': {
    severity: 'warning',
    effect:
      'k0s keeps images and containers in /var/lib/k0s, not on the disk that was chosen for Docker.',
    counts: isNot('/var/lib/docker'),
    remedy: () =>
      'df -h /var/lib/k0s /var/lib # on each of the hosts; mount a disk at /var/lib/k0s',
  },
  'storage-driver': {
    severity: 'info',
    effect: 'containerd uses overlayfs.',
    counts: isNot('overlay2', 'overlay'),
    remedy: () =>
      'df -hT /var/lib # on each of the hosts: overlayfs wants ext4, or xfs with ftype=1',
  },
  'storage-opts': {
    severity: 'warning',
    effect: 'containerd has no such options: a limit on the size of a container no longer holds.',
    remedy: () =>
      'kubectl explain pod.spec.containers.resources.limits # set ephemeral-storage where a limit is needed',
  },
  'default-runtime': {
    severity: 'error',
    effect: 'Pods run with runc unless containerd has the runtime, so those for GPUs fail.',
    counts: isNot('runc', 'io.containerd.runc.v2'),
    remedy: (value) =>
      value === 'nvidia'
        ? `nvidia-ctk runtime configure --runtime=containerd --config ${DROP_IN}/nvidia.toml # on each of the hosts`
        : looksUp('default-runtime'),
  },
  runtimes: {
    severity: 'warning',
    effect: 'Pods whose RuntimeClass names one of these runtimes fail until containerd has it.',
    remedy: () => 'kubectl get runtimeclass',
  },
  'userns-remap': {
    severity: 'warning',
    effect: 'root in a container is root on the host, and owns its files there.',
    remedy: () => looksUp('userns-remap'),
  },
  'no-new-privileges': {
    severity: 'warning',
    effect: 'Containers may gain privileges again unless their pods forbid it.',
    counts: isOn,
    remedy: () =>
      'kubectl explain pod.spec.containers.securityContext.allowPrivilegeEscalation # set it to false',
  },
  'selinux-enabled': {
    severity: 'warning',
    effect: 'containerd labels containers for SELinux only with enable_selinux.',
    counts: isOn,
    remedy: () =>
      `mkdir -p ${DROP_IN} && printf 'version = 2\\n[plugins."io.containerd.grpc.v1.cri"]\\nenable_selinux = true\\n' > ${DROP_IN}/selinux.toml # on each of the hosts`,
  },
  'seccomp-profile': {
    severity: 'warning',
    effect: 'Pods with RuntimeDefault get the profile of containerd.',
    counts: isNot('builtin', 'unconfined'),
    remedy: () =>
      'kubectl explain pod.spec.securityContext.seccompProfile # use a profile of type Localhost',
  },
  'authorization-plugins': {
    severity: 'warning',
    effect: 'Nothing asks these plugins about containers of pods.',
    remedy: () => looksUp('authorization-plugins'),
  },
  init: {
    severity: 'warning',
    effect: 'No init process runs in containers, so ended child processes may stay as zombies.',
    counts: isOn,
    remedy: () =>
      'kubectl explain pod.spec.shareProcessNamespace # or start the program with tini in its image',
  },
};

const isEmpty = (value: JsonValue): boolean =>
  value === null ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isJsonObject(value) && Object.keys(value).length === 0);

/** Settings of daemon.json that containerd does not have, one finding for each, whatever the number of hosts. */
export function engineSettings(hosts: readonly HostFacts[]): Finding[] {
  const read = hosts.map(({ host, daemon_json }) => ({ host, settings: settingsOf(daemon_json) }));
  const damaged = read.filter(({ settings }) => settings === undefined);
  return [
    ...damaged.map(({ host }) => unreadable(host)),
    ...Object.entries(SETTINGS).flatMap(([key, setting]): Finding[] => {
      const { counts = () => true } = setting;
      const having = read.flatMap(({ host, settings }) => {
        const value = settings?.[key];
        return value === undefined || isEmpty(value) || !counts(value) ? [] : [{ host, value }];
      });
      const [first] = having;
      if (!first) return [];
      const names = [...new Set(having.map(({ host }) => host))].sort();
      const values = new Set(having.map(({ value }) => JSON.stringify(value)));
      const differ = values.size > 1 ? ' (with different values)' : '';
      return [
        {
          id: 'engine_settings',
          severity: setting.severity,
          blocking: false,
          object: `daemon.json ${key}`,
          evidence: `${key} is ${shown(first.value)} on ${named(names)}${differ}. ${setting.effect}`,
          remedy: setting.remedy(first.value),
        },
      ];
    }),
  ];
}

/** Directories that engines keep their data in, where that is not /var/lib/docker. */
export function dataRoots(hosts: readonly HostFacts[]): string[] {
  const roots = hosts.map(({ daemon_json }) => settingsOf(daemon_json)?.['data-root']);
  return roots.filter((root): root is string => typeof root === 'string' && root.startsWith('/'));
}

function settingsOf(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

function unreadable(host: string): Finding {
  return {
    id: 'engine_settings',
    severity: 'warning',
    blocking: false,
    object: `daemon.json of ${host}`,
    evidence: `/etc/docker/daemon.json on ${host} is not a JSON object, so its settings are not known. Docker does not start again with it.`,
    remedy: `python3 -m json.tool /etc/docker/daemon.json # on ${host}`,
  };
}

/** A value without passwords in addresses, and not longer than a line. */
function shown(value: JsonValue): string {
  const text = withoutUser(JSON.stringify(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

const withoutUser = (text: string): string => text.replaceAll(/\/\/[^/@\s"]*@/g, '//');
