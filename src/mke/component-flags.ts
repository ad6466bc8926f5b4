import type { JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { pluginFlags } from './convert/admission-plugins.ts';
import type { Conversion, Unconverted } from './convert/types.ts';
import { knownFlags, minorOf, type Component, type FlagTables } from './kubernetes-flags.ts';

const PROFILES = 'custom_kubelet_flags_profiles';
/** Where the flags of a component are in "spec", and the TOML key of its custom flags. */
const componentFlags: [component: Component, path: string, key: string][] = [
  ['kube-apiserver', 'apiServer.extraArgs', 'custom_kube_api_server_flags'],
  [
    'kube-controller-manager',
    'controllerManager.extraArgs',
    'custom_kube_controller_manager_flags',
  ],
  ['kube-scheduler', 'scheduler.extraArgs', 'custom_kube_scheduler_flags'],
  ['kubelet', 'kubelet.extraArgs', 'custom_kubelet_flags'],
];

interface Rule {
  /** Names of flags; a "*" at the end stands for any ending. */
  flags: string[];
  /** Values that are refused. Any value when left out. */
  when?: (value: string) => boolean;
  why: string;
}

const off = (value: string): boolean => value === 'false';
const on = (value: string): boolean => value !== 'false';
const has =
  (...names: string[]) =>
  (value: string): boolean =>
    value.split(',').some((one) => names.includes(one.trim()));
const lacks =
  (...names: string[]) =>
  (value: string): boolean =>
    names.some((name) => !value.split(',').some((one) => one.trim() === name));

const oldTls: Rule = {
  flags: ['tls-min-version'],
  when: has('VersionTLS10', 'VersionTLS11'),
  why: 'it allows versions of TLS that are broken; k0s wants 1.2 or later',
};
const cloud: Rule = {
  flags: ['cloud-provider'],
  when: (value) => value !== '' && value !== 'external',
  why: 'Kubernetes has no cloud providers of its own any more and stops at this value',
};
const identity: Rule = {
  flags: ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig', 'master'],
  why: 'k0s sets it, and the component could not reach its API server',
};
const election: Rule = {
  flags: ['leader-elect'],
  when: off,
  why: 'each manager would run one that acts, all at the same time',
};

/**
 * Flags that k0s accepts without a word and that make the cluster insecure or break it. A value that names a file is never
 * taken over, so the many flags for certificates are not among them.
 */
const rules: Record<Component, Rule[]> = {
  'kube-apiserver': [
    {
      flags: ['authorization-mode'],
      when: has('AlwaysAllow'),
      why: 'anybody who can log in could do everything',
    },
    {
      flags: ['authorization-mode'],
      when: lacks('Node', 'RBAC'),
      why: 'nodes and components of k0s need Node and RBAC',
    },
    { flags: ['anonymous-auth'], when: on, why: 'requests without credentials would be accepted' },
    { flags: ['insecure-*'], why: 'it opens the API without authentication' },
    { flags: ['token-auth-file', 'basic-auth-file'], why: 'its credentials never expire' },
    {
      flags: ['service-account-lookup'],
      when: off,
      why: 'tokens of deleted service accounts would stay valid',
    },
    {
      flags: ['disable-admission-plugins'],
      when: has('NodeRestriction', 'ServiceAccount', 'NamespaceLifecycle'),
      why: 'nodes and pods would get more rights than they need, or lose their identity',
    },
    {
      flags: ['enable-admission-plugins', 'admission-control'],
      when: has('AlwaysDeny'),
      why: 'it refuses every request, also those of k0s',
    },
    {
      flags: ['enable-admission-plugins', 'admission-control'],
      when: has('ImagePolicyWebhook'),
      why: 'its configuration file is not taken over, without which kube-apiserver does not start; with it, it would also decide on the images of k0s',
    },
    {
      flags: ['etcd-servers', 'etcd-servers-overrides'],
      why: 'k0s adds its own, and data would be spread over two databases',
    },
    {
      flags: ['etcd-*file', 'etcd-prefix', 'storage-backend'],
      why: 'k0s sets it for its own etcd',
    },
    {
      flags: ['advertise-address', 'bind-address', 'secure-port'],
      why: 'k0s sets it on each manager, and looks for its API server there',
    },
    {
      flags: [
        'client-ca-file',
        'requestheader-*',
        'proxy-client-*',
        'kubelet-certificate-authority',
      ],
      why: 'k0s sets it, and its components could not log in',
    },
    { flags: ['kubelet-client-*', 'tls-cert-file', 'tls-private-key-file'], why: 'k0s sets it' },
    {
      flags: ['service-account-key-file', 'service-account-signing-key-file'],
      why: 'k0s sets it to the keys that are taken over from MKE 3',
    },
    {
      flags: [
        'encryption-provider-config',
        'egress-selector-config-file',
        'endpoint-reconciler-type',
      ],
      why: 'k0s sets it',
    },
    {
      flags: ['service-cluster-ip-range'],
      why: 'it is service_cluster_ip_range, and must be the same in all components',
    },
    { flags: ['enable-bootstrap-token-auth'], when: off, why: 'no node could join' },
    { flags: ['allow-privileged'], when: off, why: 'Calico and kube-proxy could not run' },
    oldTls,
    cloud,
  ],
  'kube-controller-manager': [
    identity,
    election,
    {
      flags: ['use-service-account-credentials'],
      when: off,
      why: 'all controllers would share the rights of one',
    },
    {
      flags: ['controllers'],
      when: lacks('bootstrapsigner', 'tokencleaner'),
      why: 'no node could join without bootstrapsigner and tokencleaner',
    },
    {
      flags: ['cluster-cidr', 'service-cluster-ip-range'],
      why: 'k0s sets it from pod_cidr and service_cluster_ip_range',
    },
    {
      flags: [
        'client-ca-file',
        'root-ca-file',
        'cluster-signing-*file',
        'requestheader-client-ca-file',
        'service-account-private-key-file',
      ],
      why: 'k0s sets it to its own certificates and keys',
    },
    oldTls,
    cloud,
  ],
  'kube-scheduler': [identity, election, oldTls],
  kubelet: [
    {
      flags: ['anonymous-auth'],
      when: on,
      why: 'anybody who reaches a node could run commands in its pods',
    },
    {
      flags: ['authorization-mode'],
      when: (value) => value !== 'Webhook',
      why: 'anybody who can log in could run commands in the pods of a node',
    },
    {
      flags: ['read-only-port'],
      when: (value) => value !== '0',
      why: 'it shows all pods without authentication',
    },
    {
      flags: ['kubeconfig', 'bootstrap-kubeconfig', 'config', 'config-dir', 'cert-dir', 'root-dir'],
      why: 'k0s sets it, and the node could not join',
    },
    {
      flags: [
        'containerd',
        'container-runtime-endpoint',
        'image-service-endpoint',
        'cgroup-driver',
      ],
      why: 'it must fit the containerd of k0s',
    },
    {
      flags: [
        'cluster-dns',
        'cluster-domain',
        'client-ca-file',
        'tls-cert-file',
        'tls-private-key-file',
      ],
      why: 'k0s sets it',
    },
    {
      flags: ['hostname-override', 'node-ip'],
      why: 'it differs from node to node, and these flags are for all of them',
    },
    oldTls,
    cloud,
  ],
  'kube-proxy': [],
};

/** What preflight wants to know about the flags that a configuration passes to the components of k0s. */
export interface FlagCheck {
  /** Flags with which a component does not start, or that make the cluster insecure. */
  problems: Unconverted[];
  /** Admission plugins with which the images that k0s brings cannot be used. */
  imageProblems: Unconverted[];
}

/**
 * Checks the custom flags of a converted configuration.
 *
 * @param k0sVersion such as v1.29.15+k0s.0
 * @param tables further flags, by minor release of Kubernetes
 */
export function checkFlags(
  conversion: Conversion,
  k0sVersion: string,
  {
    tables = {},
    airgapped = false,
    registry = '',
  }: { tables?: FlagTables; airgapped?: boolean | undefined; registry?: string | undefined } = {},
): FlagCheck {
  const problems: Unconverted[] = [];
  const imageProblems: Unconverted[] = [];
  const minor = minorOf(k0sVersion);
  const known = minor === undefined ? undefined : knownFlags(minor, tables);
  const release = minor === undefined ? k0sVersion : `Kubernetes ${minor}`;
  let unknowable: string | undefined;
  const places = [
    ...componentFlags.map(([component, path, key]) => {
      return { component, path, key, flags: flagsAt(conversion, path) };
    }),
    ...Object.entries(conversion.profileFlags).map(([name, flags]) => {
      return { component: 'kubelet' as const, path: '', key: `${PROFILES}.${name}`, flags };
    }),
  ];
  for (const { component, path, key: fallback, flags: given } of places) {
    for (const [name, value] of Object.entries(given)) {
      const keyOf = (item = ''): string =>
        conversion.origins[`${path}.${name}${item === '' ? '' : `.${item}`}`] ??
        conversion.origins[`${path}.${name}`] ??
        `cluster_config.${fallback}`;
      const stop = (shown: string, why: string, item = ''): void => {
        const key = keyOf(item);
        const what = `remove it from ${key} in MKE 3, or give --leave-out ${item === '' ? name : item}`;
        problems.push({ key, value: shown, why, what });
      };
      const shown = `--${name}=${value}`;
      for (const { flags, when, why } of rules[component])
        if (flags.some((flag) => matches(flag, name)) && (when?.(value) ?? true)) {
          stop(shown, why);
          break;
        }
      if (known === undefined) {
        unknowable ??= keyOf();
        continue;
      }
      if (!known.flags[component].has(name)) {
        if (!problems.some((one) => one.value === shown))
          stop(shown, `${component} of ${release} does not know it, and would not start`);
        continue;
      }
      const items = pluginFlags.includes(name)
        ? { all: known.plugins, named: value.split(','), kind: 'admission plugin' }
        : name === 'feature-gates'
          ? {
              all: known.gates,
              named: value.split(',').map((gate) => gate.split('=')[0] ?? ''),
              kind: 'feature gate',
            }
          : undefined;
      for (const item of items?.named.map((one) => one.trim()) ?? [])
        if (item !== '' && items !== undefined && !items.all.has(item))
          stop(
            `--${name}=${item}`,
            `${component} of ${release} does not know this ${items.kind}, and would not start`,
            items.kind === 'feature gate' ? '' : item,
          );
      if (component === 'kube-apiserver' && airgapped && registry === '' && name === pluginFlags[0])
        if (value.split(',').includes('AlwaysPullImages'))
          imageProblems.push({
            key: keyOf('AlwaysPullImages'),
            value: 'AlwaysPullImages',
            why: 'images that hosts import from /var/lib/k0s/images are not used then, so no pod of k0s starts without a registry',
            what: 'give --image-registry, or leave it out for the upgrade with --leave-out AlwaysPullImages',
          });
    }
  }
  if (unknowable !== undefined)
    problems.push({
      key: 'k0s_version',
      value: k0sVersion,
      why: `runner has no list of the flags of ${release}, so that ${unknowable} cannot be checked`,
      what: 'give one in "kubernetes_flags", or --skip-checks component_flags if you have checked them',
    });
  return { problems, imageProblems };
}

function flagsAt({ config }: Conversion, path: string): Record<string, string> {
  const found = ['spec', ...path.split('.')].reduce<JsonObject>((node, key) => {
    const next = node[key];
    return isJsonObject(next) ? next : {};
  }, config);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]));
}

function matches(pattern: string, name: string): boolean {
  const [head = '', tail] = pattern.split('*');
  return tail === undefined
    ? name === pattern
    : name.length >= pattern.length - 1 && name.startsWith(head) && name.endsWith(tail);
}
