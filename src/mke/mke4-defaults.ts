import type { JsonObject } from '../core/json.ts';

export const targets = ['4.0', '4.1'] as const;
/** MKE 4 release of the generated configuration. 4.1 means 4.1.5: the vendor advises against upgrades to 4.1.3. */
export type Target = (typeof targets)[number];

const spec40: JsonObject = {
  hosts: [],
  apiServer: {
    externalAddress: '',
    sans: [],
    requestTimeout: '1m0s',
    encryptionProvider: '/var/lib/k0s/encryption.cfg',
    eventRateLimit: { enabled: false },
    audit: {
      enabled: false,
      logPath: '/var/lib/k0s/audit.log',
      maxAge: 30,
      maxBackup: 10,
      maxSize: 10,
    },
    extraArgs: {},
  },
  controllerManager: { terminatedPodGCThreshold: 12500, extraArgs: {} },
  scheduler: { extraArgs: {} },
  etcd: { storageQuota: '2GB' },
  kubelet: {
    eventRecordQPS: 50,
    maxPods: 110,
    podPidsLimit: -1,
    podsPerCore: 0,
    protectKernelDefaults: false,
    seccompDefault: false,
    managerKubeReserved: { cpu: '250m', 'ephemeral-storage': '4Gi', memory: '2Gi' },
    workerKubeReserved: { cpu: '50m', 'ephemeral-storage': '500Mi', memory: '300Mi' },
    customProfiles: [],
    extraArgs: {},
  },
  network: {
    serviceCIDR: '10.96.0.0/16',
    nodePortRange: '32768-35535',
    kubeProxy: {
      mode: 'iptables',
      metricsBindAddress: '0.0.0.0:10249',
      iptables: { minSyncPeriod: '0s', syncPeriod: '0s' },
      ipvs: {
        minSyncPeriod: '0s',
        syncPeriod: '0s',
        tcpFinTimeout: '0s',
        tcpTimeout: '0s',
        udpTimeout: '0s',
      },
    },
    nllb: { disabled: true },
    cplb: { disabled: true },
    providers: [
      {
        provider: 'calico',
        enabled: true,
        extraConfig: {
          CALICO_DISABLE_FILE_LOGGING: 'true',
          CALICO_STARTUP_LOGLEVEL: 'DEBUG',
          FELIX_LOGSEVERITYSCREEN: 'DEBUG',
          clusterCIDRIPv4: '192.168.0.0/16',
          deployWithOperator: 'false',
          enableWireguard: 'false',
          ipAutodetectionMethod: '',
          mode: 'vxlan',
          overlay: 'Always',
          vxlanPort: '4789',
          vxlanVNI: '10000',
        },
      },
      { provider: 'kuberouter', enabled: false },
      { provider: 'custom', enabled: false },
    ],
  },
  authentication: {
    ldap: { enabled: false },
    oidc: { enabled: false },
    saml: { enabled: false },
    expiry: { refreshTokens: {} },
  },
  ingressController: {
    enabled: true,
    replicaCount: 2,
    enableLoadBalancer: false,
    preserveClientIP: false,
    externalIPs: [],
    tolerations: [],
    affinity: { nodeAffinity: {} },
    configMap: {},
    tcpServices: {},
    udpServices: {},
    extraArgs: {
      httpPort: 80,
      httpsPort: 443,
      enableSslPassthrough: false,
      defaultSslCertificate: 'mke/mke-ingress.tls',
    },
    nodePorts: { http: 33000, https: 33001 },
    ports: { http: 80, https: 443 },
  },
  addons: [
    {
      name: 'metallb',
      kind: 'chart',
      enabled: false,
      namespace: 'metallb-system',
      chart: { name: 'metallb', repo: 'https://metallb.github.io/metallb', version: '0.14.7' },
    },
  ],
  policyController: { opaGatekeeper: { enabled: false, exemptNamespaces: [] } },
  dns: { lameduck: { enabled: false, duration: '7s' } },
  devicePlugins: { nvidiaGPU: { enabled: false } },
  cloudProvider: { enabled: false },
  monitoring: { enableGrafana: true, enableCAdvisor: false, enableOpscare: false },
  backup: {
    enabled: true,
    scheduled_backup: { enabled: false },
    storage_provider: {
      type: 'InCluster',
      in_cluster_options: {
        enable_ui: true,
        admin_credentials_secret: 'minio-credentials',
        distributed: false,
      },
    },
  },
  license: { token: '' },
  tracking: { enabled: true },
  version: 'v4.0.0',
};

const providers41: JsonObject[] = [
  {
    provider: 'calico',
    enabled: true,
    extraConfig: {
      cidrV4: '192.168.0.0/16',
      linuxDataplane: 'Iptables',
      loglevel: 'Info',
    },
  },
  {
    provider: 'kuberouter',
    enabled: false,
    extraConfig: { cidrV4: '192.168.0.0/16', v: '5' },
  },
  { provider: 'custom', enabled: false, extraConfig: {} },
  { provider: 'cilium', enabled: false, extraConfig: {} },
];

/** `spec` as `mkectl init` prints it. */
export function defaultSpec(target: Target = '4.0'): JsonObject {
  return target === '4.0' ? structuredClone(spec40) : defaultSpec41();
}

/** Defaults of 4.1 that differ from those of 4.0. Keys that both have keep their order. */
function defaultSpec41(): JsonObject {
  const spec = structuredClone(spec40);
  // MetalLB is no longer an addon, and backups are files on the operator's machine.
  const gone = new Set(['addons', 'backup']);
  const common = Object.fromEntries(Object.entries(spec).filter(([key]) => !gone.has(key)));
  const part = (key: string) => spec[key] as JsonObject;
  return {
    ...common,
    apiServer: {
      ...part('apiServer'),
      audit: {
        enabled: false,
        level: 'Metadata',
        logPath: '/var/log/k0s/audit/mke4_audit.log',
        policyFile: '/var/lib/k0s/mke4_audit_policy.yaml',
        maxAge: 30,
        maxBackup: 10,
        maxSize: 10,
      },
    },
    kubelet: { ...part('kubelet'), kubeletRootDir: '/var/lib/kubelet' },
    network: {
      ...part('network'),
      kubeProxy: {
        ...(part('network')['kubeProxy'] as JsonObject),
        nftables: { minSyncPeriod: '0s', syncPeriod: '0s' },
      },
      multus: { enabled: false },
      providers: structuredClone(providers41),
    },
    monitoring: {
      enableGrafana: true,
      enableCAdvisor: false,
      grafana: { ingress: { enabled: false } },
      prometheus: {},
    },
    // The Gateway serves MKE 4 itself; NGINX remains for workloads that used it in MKE 3.
    gatewayMKEIngress: {
      nodePorts: { http: 33000, https: 33001 },
      ports: { http: 80, https: 443 },
    },
    envoyGateway: { replicaCount: 2 },
    ingressController: { ...part('ingressController'), enabled: false, nodePorts: {}, ports: {} },
    nodeLocalDNS: { enabled: false, nodeLocalConfigPersist: false },
    metallb: { enabled: false },
    airgap: { enabled: false },
    registries: {
      imageRegistry: { url: 'registry.mirantis.com/mke' },
      chartRegistry: { url: 'oci://registry.mirantis.com/mke' },
    },
    version: 'v4.1.5',
  };
}
