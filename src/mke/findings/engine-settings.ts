import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../core/json.ts';
import { named, wordsOf } from './cluster-view.ts';
import type { Finding, Severity } from './finding.ts';
import type { HostFacts } from './host-facts.ts';

/*
 * Settings of the Docker engine in /etc/docker/daemon.json. k0s runs pods in containerd, which does not read that file. Sources:
 * the dockerd reference, https://docs.docker.com/reference/cli/dockerd/, and https://docs.k0sproject.io/stable/runtime/. Settings
 * that do not affect pods are not listed: Swarm, logs of the engine itself, and settings that the kubelet overrides.
 */

interface Setting {
  severity: Severity;
  /** The effect on pods after the upgrade. */
  effect: string;
  /** A command for each host, or a sentence. */
  remedy: (value: JsonValue) => string;
  /** Whether a value affects pods. Absent: every value that is not empty does. */
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
  `grep -A5 '"${key}"' /etc/docker/daemon.json # on each host`;

/** A shell expression for the text of a field. */
const ofDaemonJson = (key: string): string =>
  `"$(grep -o '"${key}": *"[^"]*"' /etc/docker/daemon.json | cut -d'"' -f4)"`;

/** Whether a registry is on the host itself: containerd also accepts those without TLS by default. */
const isLocal = (registry: string): boolean => /^(localhost|127\.|\[?::1)/.test(registry);

/** Commands that configure a registry for containerd, as the role k0s_registry does. */
const hostsToml = (registry: string, text: string): string =>
  [
    `mkdir -p ${DROP_IN} /etc/k0s/certs.d/${registry}`,
    `printf '${text}\\n' > /etc/k0s/certs.d/${registry}/hosts.toml`,
    `printf 'version = 2\\n[plugins."io.containerd.grpc.v1.cri".registry]\\n  config_path = "/etc/k0s/certs.d"\\n' > ${DROP_IN}/registry.toml # on each host`,
  ].join(' && ');

const SETTINGS: Record<string, Setting> = {
  'registry-mirrors': {
    severity: 'warning',
    effect:
      'containerd pulls from docker.io directly: pulls are slower, count against the rate limit, and fail without internet access.',
    remedy: (value) => hostsToml('docker.io', `[host."${withoutUser(wordsOf(value)[0] ?? '')}"]`),
  },
  'insecure-registries': {
    severity: 'error',
    effect:
      'containerd rejects registries without TLS or with an untrusted certificate: pods with images from there cannot start.',
    counts: (value) => wordsOf(value).some((one) => !isLocal(one)),
    remedy: (value) => {
      // containerd has no such setting for an address range.
      const registry = wordsOf(value).find((one) => !isLocal(one) && !one.includes('/'));
      if (registry === undefined) return looksUp('insecure-registries');
      return hostsToml(registry, `[host."https://${registry}"]\\n  skip_verify = true`);
    },
  },
  proxies: {
    severity: 'error',
    effect: 'k0s pulls images without the proxy unless its systemd unit sets the variables.',
    remedy: () =>
      `mkdir -p ${UNIT_DROP_IN} && printf '[Service]\\nEnvironment=HTTPS_PROXY=%s NO_PROXY=%s\\n' ${ofDaemonJson('https-proxy')} ${ofDaemonJson('no-proxy')} > ${UNIT_DROP_IN}/proxy.conf # on each host; k0scontroller on managers`,
  },
  'log-driver': {
    severity: 'warning',
    effect:
      'Pod logs no longer go to this driver: containerd writes them to /var/log/pods, where an agent must collect them.',
    counts: isNot('json-file', 'local'),
    remedy: () =>
      'kubectl get daemonset -A # check that an agent collects /var/log/containers/*.log',
  },
  'log-opts': {
    severity: 'info',
    counts: (value) => isJsonObject(value) && ['max-size', 'max-file'].some((key) => key in value),
    effect:
      'The kubelet rotates pod logs instead, at 10Mi with 5 files. Change this with containerLogMaxSize and containerLogMaxFiles.',
    remedy: () =>
      `grep -A5 '"log-opts"' /etc/docker/daemon.json # on each host; set the two fields in kubelet.customProfiles of MKE 4`,
  },
  'default-ulimits': {
    severity: 'warning',
    effect: 'Containers get the limits of the k0s systemd unit instead.',
    remedy: () =>
      `mkdir -p ${UNIT_DROP_IN} && printf '[Service]\\nLimitNOFILE=1048576\\n' > ${UNIT_DROP_IN}/limits.conf # on each host, with the limits from daemon.json; k0scontroller on managers`,
  },
  'default-shm-size': {
    severity: 'warning',
    effect: '/dev/shm in a pod has 64 MiB. Programs that need more, such as databases, can fail.',
    remedy: () =>
      'kubectl explain pod.spec.volumes.emptyDir.medium # if a pod needs more, mount an emptyDir with medium Memory at /dev/shm',
  },
  bip: {
    severity: 'info',
    effect:
      'It does not affect pods, which do not use the Docker bridge. Containers outside Kubernetes keep it while Docker runs.',
    remedy: () => 'docker network inspect bridge # on each host; no action needed for pods',
  },
  'fixed-cidr': {
    severity: 'info',
    effect: 'It does not affect pods, which do not use the Docker bridge.',
    remedy: () => 'docker network inspect bridge # on each host; no action needed for pods',
  },
  'default-address-pools': {
    severity: 'info',
    effect: 'It does not affect pods, which do not use Docker networks.',
    remedy: () => 'docker network ls # on each host; no action needed for pods',
  },
  'data-root': {
    severity: 'warning',
    effect: 'k0s keeps images and containers in /var/lib/k0s, not in the data directory of Docker.',
    counts: isNot('/var/lib/docker'),
    remedy: () =>
      'df -h /var/lib/k0s /var/lib # on each host; mount a disk at /var/lib/k0s if space is short',
  },
  'storage-driver': {
    severity: 'info',
    effect: 'containerd uses overlayfs.',
    counts: isNot('overlay2', 'overlay'),
    remedy: () => 'df -hT /var/lib # on each host; overlayfs requires ext4, or xfs with ftype=1',
  },
  'storage-opts': {
    severity: 'warning',
    effect: 'containerd has no such options: limits on the size of containers no longer apply.',
    remedy: () =>
      'kubectl explain pod.spec.containers.resources.limits # set ephemeral-storage for pods that need a limit',
  },
  'default-runtime': {
    severity: 'error',
    effect:
      'Pods run with runc unless containerd is configured with the runtime, so GPU pods fail.',
    counts: isNot('runc', 'io.containerd.runc.v2'),
    remedy: (value) =>
      value === 'nvidia'
        ? `nvidia-ctk runtime configure --runtime=containerd --config ${DROP_IN}/nvidia.toml # on each host`
        : looksUp('default-runtime'),
  },
  runtimes: {
    severity: 'warning',
    effect:
      'Pods whose RuntimeClass names one of these runtimes fail until containerd is configured with it.',
    remedy: () => 'kubectl get runtimeclass',
  },
  'userns-remap': {
    severity: 'warning',
    effect:
      'root in a container is root on the host, and files that it creates there belong to root.',
    remedy: () => looksUp('userns-remap'),
  },
  'no-new-privileges': {
    severity: 'warning',
    effect: 'Processes in containers can gain privileges unless their pods forbid it.',
    counts: isOn,
    remedy: () =>
      'kubectl explain pod.spec.containers.securityContext.allowPrivilegeEscalation # set it to false',
  },
  'selinux-enabled': {
    severity: 'warning',
    effect: 'containerd applies SELinux labels to containers only with enable_selinux.',
    counts: isOn,
    remedy: () =>
      `mkdir -p ${DROP_IN} && printf 'version = 2\\n[plugins."io.containerd.grpc.v1.cri"]\\nenable_selinux = true\\n' > ${DROP_IN}/selinux.toml # on each host`,
  },
  'seccomp-profile': {
    severity: 'warning',
    effect: 'Pods with RuntimeDefault get the default profile of containerd.',
    counts: isNot('builtin', 'unconfined'),
    remedy: () =>
      'kubectl explain pod.spec.securityContext.seccompProfile # use a profile of type Localhost',
  },
  'authorization-plugins': {
    severity: 'warning',
    effect: 'These plugins are no longer consulted for pods.',
    remedy: () => looksUp('authorization-plugins'),
  },
  init: {
    severity: 'warning',
    effect: 'Containers run without an init process, so zombie processes can accumulate.',
    counts: isOn,
    remedy: () =>
      'kubectl explain pod.spec.shareProcessNamespace # or start the program with tini in the image',
  },
};

const isEmpty = (value: JsonValue): boolean =>
  value === null ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isJsonObject(value) && Object.keys(value).length === 0);

/** Finds settings in daemon.json that containerd ignores. One finding per setting covers all hosts. */
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

/** Configured data directories of the engines, as set by "data-root". */
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
    evidence: `/etc/docker/daemon.json on ${host} is not a JSON object, so its settings are unknown. Docker cannot start with this file.`,
    remedy: `python3 -m json.tool /etc/docker/daemon.json # on ${host}`,
  };
}

/** A value on one line, truncated and without credentials in URLs. */
function shown(value: JsonValue): string {
  const text = withoutUser(JSON.stringify(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

const withoutUser = (text: string): string => text.replaceAll(/\/\/[^/@\s"]*@/g, '//');
