import type { Component } from './kubernetes-flags.ts';

interface Rule {
  /** Names of flags; a "*" matches any text. */
  flags: string[];
  /** Returns true for a refused value. Absent: every value is refused. */
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
  why: 'it allows insecure TLS versions; k0s requires 1.2 or later',
};
const cloud: Rule = {
  flags: ['cloud-provider'],
  when: (value) => value !== '' && value !== 'external',
  why: 'Kubernetes no longer has built-in cloud providers and does not start with this value',
};
const identity: Rule = {
  flags: ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig', 'master'],
  why: 'k0s sets it, and with another value the component could not reach its API server',
};
const election: Rule = {
  flags: ['leader-elect'],
  when: off,
  why: 'several managers would run an active instance at the same time',
};

/**
 * Flags that k0s accepts silently although they make the cluster insecure or break it. Flags whose value is a file are never
 * converted, so most certificate flags are not listed.
 */
const rules: Record<Component, Rule[]> = {
  'kube-apiserver': [
    {
      flags: ['authorization-mode'],
      when: has('AlwaysAllow'),
      why: 'every authenticated user could do everything',
    },
    {
      flags: ['authorization-mode'],
      when: lacks('Node', 'RBAC'),
      why: 'nodes and k0s components need Node and RBAC',
    },
    { flags: ['anonymous-auth'], when: on, why: 'it would accept requests without credentials' },
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
      why: 'nodes and pods would get more rights than they need, or no service account',
    },
    {
      flags: ['enable-admission-plugins', 'admission-control'],
      when: has('AlwaysDeny'),
      why: 'it rejects every request, including those of k0s',
    },
    {
      flags: ['enable-admission-plugins', 'admission-control'],
      when: has('ImagePolicyWebhook'),
      why: 'runner does not copy its configuration file, and kube-apiserver does not start without it; with the file, it would also check the k0s images',
    },
    {
      flags: ['etcd-servers', 'etcd-servers-overrides'],
      why: 'k0s adds its own etcd, and data would be spread over two databases',
    },
    {
      flags: ['etcd-*file', 'etcd-prefix', 'storage-backend'],
      why: 'k0s sets it for its own etcd',
    },
    {
      flags: ['advertise-address', 'bind-address', 'secure-port'],
      why: 'k0s sets it on each manager and expects its API server there',
    },
    {
      flags: [
        'client-ca-file',
        'requestheader-*',
        'proxy-client-*',
        'kubelet-certificate-authority',
      ],
      why: 'k0s sets it, and with another value its components could not authenticate',
    },
    { flags: ['kubelet-client-*', 'tls-cert-file', 'tls-private-key-file'], why: 'k0s sets it' },
    {
      flags: ['service-account-key-file', 'service-account-signing-key-file'],
      why: 'k0s sets it to the keys that the upgrade copies from MKE 3',
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
      why: 'the setting service_cluster_ip_range replaces it, and all components must use the same value',
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
      why: 'all controllers would share the same rights',
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
      why: 'anyone who can reach a node could run commands in its pods',
    },
    {
      flags: ['authorization-mode'],
      when: (value) => value !== 'Webhook',
      why: 'every authenticated user could run commands in the pods of a node',
    },
    {
      flags: ['read-only-port'],
      when: (value) => value !== '0',
      why: 'it shows all pods without authentication',
    },
    {
      flags: ['kubeconfig', 'bootstrap-kubeconfig', 'config', 'config-dir', 'cert-dir', 'root-dir'],
      why: 'k0s sets it, and with another value the node could not join',
    },
    {
      flags: [
        'containerd',
        'container-runtime-endpoint',
        'image-service-endpoint',
        'cgroup-driver',
      ],
      why: 'it must match the k0s containerd',
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
      why: 'its value differs per node, but these flags apply to all nodes',
    },
    oldTls,
    cloud,
  ],
  'kube-proxy': [],
};

/** Why a component must not get a flag with this value; undefined if it can. */
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
