import type { Component } from './kubernetes-flags.ts';

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

/** Why a flag with this value is not passed to a component; undefined where nothing speaks against it. */
export function objection(component: Component, name: string, value: string): string | undefined {
  return rules[component].find(
    ({ flags, when }) => flags.some((flag) => matches(flag, name)) && (when?.(value) ?? true),
  )?.why;
}

function matches(pattern: string, name: string): boolean {
  const [head = '', tail] = pattern.split('*');
  return tail === undefined
    ? name === pattern
    : name.length >= pattern.length - 1 && name.startsWith(head) && name.endsWith(tail);
}
