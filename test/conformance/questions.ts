// Commands to k0s with the expected answers, on which the roles, modules and facts rely. The same questions are sent to the
// stand-ins of the embedded lab and to a real k0s; see docs/lab.md.
import { expect } from 'vitest';

/** Text to expect: exact, by pattern, as JSON, or as the kubeconfig in a join token. */
export type Shape = string | RegExp | { json: unknown } | { token: RegExp };

export interface Question {
  /** The claim to test, which is the title of the test. */
  claim: string;
  /** `h1` is the host of the controller, `h2` that of the worker. Default: h1. */
  on?: HostName;
  /** Shell commands that must succeed before the question. */
  arrange?: string;
  /** The question, a shell command. */
  ask: string;
  /** Exit code. */
  code: number;
  /** Default: no output. */
  stdout?: Shape;
  stderr?: Shape;
  /** Only for releases with this fix, or without it; see `isFixed`. */
  from?: Fix;
  before?: Fix;
  /** What the question needs and some stand-ins lack. */
  needs?: Reason;
}

/** Questions about one situation. */
export interface Chapter {
  situation: string;
  /** Creates the situation. The standard input of a step is the output of the step before. */
  enter?: Step[];
  /** Shell commands before each question, on its host. */
  each?: string;
  questions: Question[];
}

export type HostName = 'h1' | 'h2';

export interface Step {
  on: HostName;
  run: string;
}

/** Releases that fixed a bug, one for each affected minor version, such as v1.29.5 and v1.30.1. */
export type Fix = readonly string[];

const TEN_SECONDS: Fix = ['v1.28.10', 'v1.29.5', 'v1.30.1'];
const TOKEN_ONCE: Fix = ['v1.28.9', 'v1.29.4'];
const KEEPS_MOUNTS: Fix = ['v1.29.11', 'v1.30.7', 'v1.31.3'];

/** Whether a release of k0s, such as v1.29.15+k0s.0, contains a fix. */
export function isFixed(version: string, fix: Fix): boolean {
  const [minor, patch] = numbers(version);
  const fixes = fix.map(numbers);
  const own = fixes.find(([fixMinor]) => fixMinor === minor);
  if (own) return patch >= own[1];
  return minor > Math.max(...fixes.map(([fixMinor]) => fixMinor));
}

function numbers(version: string): [minor: number, patch: number] {
  const [, minor = '', patch = ''] = /^v1\.(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(minor), Number(patch)];
}

/** Shell functions for `arrange`, `enter` and `each`. The arrangement adds "own_address", "bring_images" and "pause". */
export const FUNCTIONS = String.raw`
units=/etc/systemd/system
# within SECONDS COMMAND…: runs the command once per second until it succeeds.
within() {
  left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "never succeeded: $*" >&2; return 1; }
    sleep 1
  done
}
remove_unit() {
  [ -e "$units/k0s$1.service" ] || return 0
  systemctl stop "k0s$1.service"
  systemctl disable "k0s$1.service"
  rm -f "$units/k0s$1.service"
  systemctl daemon-reload
}
clean() {
  for role in controller worker; do
    remove_unit $role
    systemctl reset-failed k0s$role.service
  done >/dev/null 2>&1
  k0s reset >/dev/null 2>&1
  rm -f /etc/k0s/k0s.yaml /etc/k0s/k0stoken
}
write_config() {
  mkdir -p /etc/k0s
  printf '%s\n' 'apiVersion: k0s.k0sproject.io/v1beta1' 'kind: ClusterConfig' 'metadata:' '  name: k0s' 'spec:' '  api:' "    address: $(own_address)" \
    "$1" '  network:' '    provider: calico' '  telemetry:' '    enabled: false' >/etc/k0s/k0s.yaml
}
# untainted NODE: succeeds if the controller-manager has removed the not-ready taint, which it does after the node is Ready.
untainted() {
  k0s kubectl get node "$1" -o json >/tmp/node && ! grep -q '"node.kubernetes.io/not-ready"' /tmp/node
}
controller_runs() {
  if [ "$(systemctl is-active k0scontroller)" != active ]; then
    if [ ! -e $units/k0scontroller.service ]; then
      clean
      bring_images
      write_config '    externalAddress: mke.example.com'
      k0s install controller --enable-worker --config /etc/k0s/k0s.yaml || return 1
    fi
    systemctl reset-failed k0scontroller 2>/dev/null
    systemctl start k0scontroller || return 1
  fi
  within 120 k0s kubectl get --raw /readyz && within 120 k0s kubectl wait --for=condition=Ready node/h1 --timeout=60s &&
    within 120 k0s kubectl -n kube-system rollout status daemonset/calico-node --timeout=60s
} >&2
worker_runs() {
  clean
  bring_images
  mkdir -p /etc/k0s
  cat >/etc/k0s/k0stoken
  chmod 600 /etc/k0s/k0stoken
  k0s install worker --token-file /etc/k0s/k0stoken && systemctl start k0sworker && within 120 k0s status
} >&2
`;

const NO_SOCKET =
  /^Error: status: can't get "status" via "\/run\/k0s\/status\.sock": .*no such file or directory\n$/;
const NO_STATUS =
  /^Error: failed to get k0s status: status: can't get "status" via "\/run\/k0s\/status\.sock": .*\n$/;
const NO_ADMIN = 'Error: stat /var/lib/k0s/pki/admin.conf: no such file or directory\n';
const NO_KUBECONFIG =
  'Error: cannot stat k0s kubeconfig, is the server running?: stat /var/lib/k0s/pki/admin.conf: no such file or directory\n';
const NO_UNIT = 'Error: k0s has not been installed as a service\n';
const RUNNING = /level=fatal msg="k0s seems to be running! please stop k0s before reset\."\n$/;
const RESET_DONE = /level=warning msg="To ensure a full reset, a node reboot is recommended\."\n$/;
const notFound = (name: string): string =>
  `Error from server (NotFound): nodes "${name}" not found\n`;
const unknownFlag = (flag: string): string => `Error: unknown flag: ${flag}\n`;

/** Reasons why a stand-in cannot answer a question, as docs/lab.md lists them. */
export const REASONS = {
  processes: 'no processes of k0s and its pods',
  users: 'one user only',
  usr: '/usr of the machine is read-only',
  time: 'a start and a stop take no time',
} as const;
export type Reason = keyof typeof REASONS;

const notInstalled: Chapter = {
  situation: 'k0s on a host where it is not installed',
  enter: [
    { on: 'h2', run: 'clean' },
    { on: 'h1', run: 'clean' },
  ],
  questions: [
    {
      claim: 'version prints the release as one line',
      ask: 'k0s version',
      code: 0,
      stdout: /^v\d+\.\d+\.\d+\+k0s\.\d+\n$/,
    },
    {
      claim: 'an unknown flag is an error',
      ask: 'k0s version --bogus',
      code: 1,
      stderr: unknownFlag('--bogus'),
    },
    {
      claim: 'an unknown command is an error',
      ask: 'k0s bogus',
      code: 1,
      stderr: `Error: unknown command "bogus" for "k0s"\nRun 'k0s --help' for usage.\n`,
    },
    {
      claim: 'an unknown subcommand prints help and succeeds',
      ask: 'k0s etcd bogus',
      code: 0,
      stdout: /^Manage etcd cluster\n\nUsage:\n {2}k0s etcd \[command\]\n/,
    },
    { claim: 'status fails', ask: 'k0s status', code: 1, stderr: NO_SOCKET },
    {
      claim: 'status -o json fails without JSON',
      ask: 'k0s status -o json',
      code: 1,
      stderr: NO_SOCKET,
    },
    {
      claim: 'token create fails',
      ask: 'k0s token create --role=worker --expiry=10m',
      code: 1,
      stderr: NO_STATUS,
    },
    {
      claim: 'token create refuses an unknown role before it looks for a controller',
      ask: 'k0s token create --role=bogus',
      code: 1,
      stderr: 'Error: unsupported role "bogus"; supported roles are "controller" and "worker"\n',
    },
    {
      claim: 'token invalidate fails',
      ask: 'k0s token invalidate abcdef',
      code: 1,
      stderr: NO_ADMIN,
    },
    {
      claim: 'etcd member-list fails',
      ask: 'k0s etcd member-list',
      code: 1,
      stderr:
        "Error: can't list etcd cluster members: open /var/lib/k0s/pki/apiserver-etcd-client.crt: no such file or directory\n",
    },
    { claim: 'kubectl fails', ask: 'k0s kubectl get nodes', code: 1, stderr: NO_KUBECONFIG },
    { claim: 'kc is kubectl', ask: 'k0s kc get --raw /readyz', code: 1, stderr: NO_KUBECONFIG },
    {
      claim: 'kubeconfig admin fails',
      ask: 'k0s kubeconfig admin',
      code: 1,
      stderr:
        'Error: failed to read admin config, check if the control plane is initialized on this node: open /var/lib/k0s/pki/admin.conf: no such file or directory\n',
    },
    { claim: 'start fails', ask: 'k0s start', code: 1, stderr: NO_UNIT },
    { claim: 'stop fails', ask: 'k0s stop', code: 1, stderr: NO_UNIT },
    {
      claim: 'backup fails',
      ask: 'k0s backup --save-path /tmp',
      code: 1,
      stderr: /^Error: cannot find data-dir \(\/var\/lib\/k0s\)/,
    },
    { claim: 'reset succeeds with a warning', ask: 'k0s reset', code: 0, stderr: RESET_DONE },
    {
      claim: 'sysinfo succeeds although it warns',
      ask: 'k0s sysinfo',
      code: 0,
      stdout: /^Machine ID: .*\(pass\)\n(.*\((pass|warning).*\)\n)+$/,
      stderr: /^/,
    },
    {
      claim: 'a unit that does not exist is inactive and not found',
      ask: 'systemctl is-active k0scontroller; systemctl show -p LoadState k0scontroller',
      code: 0,
      stdout: 'inactive\nLoadState=not-found\n',
    },
  ],
};

const systemd: Chapter = {
  situation: 'systemd, with a service and its socket',
  each: `printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/asked.service
    printf '[Socket]\\nListenStream=/run/asked.sock\\n' >/etc/systemd/system/asked.socket
    systemctl daemon-reload
    systemctl stop asked.socket asked.service`,
  questions: [
    {
      claim: 'is-active prints the state of each unit, and succeeds if one is active',
      arrange: 'systemctl start asked.service',
      ask: 'systemctl is-active asked.socket asked.service',
      code: 0,
      stdout: 'inactive\nactive\n',
    },
    {
      claim: 'is-active fails if none of several units is active',
      ask: 'systemctl is-active asked.socket asked.service',
      code: 3,
      stdout: 'inactive\ninactive\n',
    },
    {
      claim: 'does not start the socket of a service that runs',
      arrange: 'systemctl start asked.service',
      ask: 'systemctl start asked.socket',
      code: 1,
      stderr: 'Job failed. See "journalctl -xe" for details.\n',
    },
    {
      claim: 'starts the service of a socket that listens',
      arrange: 'systemctl start asked.socket',
      ask: 'systemctl start asked.service && systemctl is-active asked.socket asked.service',
      code: 0,
      stdout: 'active\nactive\n',
    },
    {
      claim: 'assigns a new invocation ID at each start of a unit',
      arrange: 'systemctl start asked.service',
      ask: `number() { systemctl show --property=InvocationID asked.service; }
        first=$(number); systemctl start asked.service; [ "$first" = "$(number)" ] || echo "changed without a start"
        systemctl restart asked.service; [ "$first" != "$(number)" ] || echo "unchanged after a start"; number`,
      code: 0,
      stdout: /^InvocationID=[0-9a-f]{32}\n$/,
    },
  ],
};

const UNIT = '/etc/systemd/system/k0scontroller.service';
const WORKER_UNIT = '/etc/systemd/system/k0sworker.service';
const settingsOf = (unit: string): string => `grep -E '^(ExecStart|KillMode|Restart)=' ${unit}`;
const settings = (command: string): string =>
  `ExecStart=/usr/local/bin/k0s ${command}\nKillMode=process\nRestart=always\n`;

const installs: Chapter = {
  situation: 'k0s install',
  each: 'clean',
  questions: [
    {
      claim: 'of a controller prints nothing',
      ask: 'k0s install controller --enable-worker',
      code: 0,
    },
    {
      claim: 'enables the unit and does not start it',
      arrange: 'k0s install controller',
      ask: 'systemctl is-enabled k0scontroller; systemctl is-active k0scontroller',
      code: 3,
      stdout: 'enabled\ninactive\n',
    },
    {
      claim: 'writes a unit that everyone can read',
      arrange: 'k0s install controller',
      ask: `stat -c '%a %U:%G' ${UNIT}`,
      code: 0,
      stdout: '644 root:root\n',
    },
    {
      claim: 'writes the flags of a controller into its unit, sorted and with values',
      arrange: 'write_config',
      ask: `k0s install controller --no-taints --enable-worker --profile gpu -c /etc/k0s/k0s.yaml && ${settingsOf(UNIT)}`,
      code: 0,
      stdout: settings(
        'controller --config=/etc/k0s/k0s.yaml --enable-worker=true --no-taints=true --profile=gpu',
      ),
    },
    {
      claim: 'writes the token file of a joining controller into its unit',
      arrange: 'write_config; echo token >/etc/k0s/k0stoken',
      ask: `k0s install controller --config=/etc/k0s/k0s.yaml --token-file=/etc/k0s/k0stoken --enable-worker && ${settingsOf(UNIT)}`,
      code: 0,
      stdout: settings(
        'controller --config=/etc/k0s/k0s.yaml --enable-worker=true --token-file=/etc/k0s/k0stoken',
      ),
    },
    {
      claim: 'writes the token file of a worker into its unit',
      arrange: 'mkdir -p /etc/k0s; echo token >/etc/k0s/k0stoken',
      ask: `k0s install worker --token-file /etc/k0s/k0stoken && ${settingsOf(WORKER_UNIT)}`,
      code: 0,
      stdout: settings('worker --token-file=/etc/k0s/k0stoken'),
    },
    {
      claim: 'configures systemd to restart a failed k0s after 120 seconds',
      before: TEN_SECONDS,
      arrange: 'k0s install worker',
      ask: `grep ^RestartSec ${WORKER_UNIT}`,
      code: 0,
      stdout: 'RestartSec=120\n',
    },
    {
      claim: 'configures systemd to restart a failed k0s after 10 seconds',
      from: TEN_SECONDS,
      arrange: 'k0s install worker',
      ask: `grep ^RestartSec ${WORKER_UNIT}`,
      code: 0,
      stdout: 'RestartSec=10\n',
    },
    { claim: 'of a worker succeeds without a token', ask: 'k0s install worker', code: 0 },
    {
      claim: 'of a worker succeeds beside a controller',
      arrange: 'k0s install controller',
      ask: 'k0s install worker && ls /etc/systemd/system/k0s*',
      code: 0,
      stdout: `${UNIT}\n${WORKER_UNIT}\n`,
    },
    {
      claim: 'fails when it is repeated',
      arrange: 'k0s install worker',
      ask: 'k0s install worker',
      code: 1,
      stderr: `Error: failed to install k0s service: failed to install service: Init already exists: ${WORKER_UNIT}\n`,
    },
    {
      claim: 'of an unknown role prints help, succeeds and installs nothing',
      ask: 'k0s install bogus | head -n 1; ls /etc/systemd/system | grep -c k0s',
      code: 1,
      stdout: 'Install k0s on a brand-new system. Must be run as root (or with sudo)\n0\n',
    },
    {
      claim: 'fails without its configuration file and installs nothing',
      ask: `k0s install controller -c /nowhere.yaml || ls ${UNIT} 2>/dev/null || exit 1`,
      code: 1,
      stderr: 'Error: failed to load node config: open /nowhere.yaml: no such file or directory\n',
    },
    {
      claim: 'fails when its configuration has an unknown field and installs nothing',
      arrange: 'mkdir -p /etc/k0s; printf "spec:\\n  bogus: 1\\n" >/etc/k0s/k0s.yaml',
      ask: `k0s install controller -c /etc/k0s/k0s.yaml || ls ${UNIT} 2>/dev/null || exit 1`,
      code: 1,
      stderr:
        'Error: failed to load node config: error unmarshaling JSON: while decoding JSON: json: unknown field "bogus"\n',
    },
    {
      claim: 'fails without its token file and installs nothing',
      ask: `k0s install worker --token-file /nowhere || ls ${WORKER_UNIT} 2>/dev/null || exit 1`,
      code: 1,
      stderr: 'Error: /nowhere does not exist\n',
    },
    {
      claim: 'fails with an unknown flag',
      ask: 'k0s install controller --no-such-flag',
      code: 1,
      stderr: unknownFlag('--no-such-flag'),
    },
    {
      claim: 'of a worker refuses flags of a controller',
      ask: 'k0s install worker --enable-worker',
      code: 1,
      stderr: unknownFlag('--enable-worker'),
    },
    {
      claim: 'fails with a flag whose value is missing',
      ask: 'k0s install controller --profile',
      code: 1,
      stderr: 'Error: flag needs an argument: --profile\n',
    },
    {
      claim: 'of a controller creates the users of its components, with the data directory as home',
      needs: 'users',
      arrange: 'k0s install controller',
      ask: `awk -F: '$6 == "/var/lib/k0s" { print $1, $7 }' /etc/passwd | sort`,
      code: 0,
      stdout:
        'etcd /usr/sbin/nologin\nkonnectivity-server /usr/sbin/nologin\nkube-apiserver /usr/sbin/nologin\nkube-scheduler /usr/sbin/nologin\n',
    },
    {
      claim: 'reset removes units that were never started',
      arrange: 'k0s install controller; k0s install worker',
      ask: 'k0s reset 2>/dev/null; ls /etc/systemd/system | grep -c k0s',
      code: 1,
      stdout: '0\n',
    },
  ],
};

/** Whether k0s accepts a configuration. `spec` is the YAML below "spec:", without indentation. */
function validates(claim: string, spec: string, error = ''): Question {
  const text = `apiVersion: k0s.k0sproject.io/v1beta1\nkind: ClusterConfig\nmetadata:\n  name: k0s\nspec:\n${spec.replaceAll(/^/gm, '  ')}\n`;
  return {
    claim,
    ask: `cat >/tmp/conformance.yaml <<'YAML'\n${text}YAML\nk0s config validate --config /tmp/conformance.yaml`,
    code: error === '' ? 0 : 1,
    stderr: error === '' ? '' : `Error: ${error}\n`,
  };
}

const DECODING = 'failed to read config: error unmarshaling JSON: while decoding JSON: json:';
const UNKNOWN = `${DECODING} unknown field "bogus"`;

const configuration: Chapter = {
  situation: 'k0s config validate',
  questions: [
    validates(
      'accepts the settings that the upgrade writes',
      `api:
  address: 10.77.0.11
  externalAddress: mke.example.com
  sans: ["10.77.0.11","127.0.0.1"]
  extraArgs: {"encryption-provider-config":"/var/lib/k0s/encryption.cfg","profiling":"false"}
controllerManager:
  extraArgs: {"terminated-pod-gc-threshold":"12500"}
scheduler:
  extraArgs: {}
storage:
  type: etcd
  etcd:
    peerAddress: 10.77.0.11
    extraArgs:
      quota-backend-bytes: "8589934592"
network:
  provider: calico
  podCIDR: 192.168.0.0/16
  serviceCIDR: 10.96.0.0/16
  kubeProxy:
    mode: iptables
  calico:
    mode: vxlan
    overlay: Always
    vxlanPort: 4789
    vxlanVNI: 10000
    mtu: 1480
workerProfiles: [{"name":"gpu","values":{"maxPods":150}}]
images:
  repository: "registry.example.com/mke"
telemetry:
  enabled: false`,
    ),
    validates('refuses an unknown field of spec', 'bogus: 1', UNKNOWN),
    validates('refuses an unknown field of spec.api', 'api:\n  bogus: 1', UNKNOWN),
    validates('refuses an unknown field in flow style', 'api: {"bogus": 1}', UNKNOWN),
    validates(
      'refuses an unknown field of a component',
      'controllerManager:\n  bogus: {}',
      UNKNOWN,
    ),
    validates(
      'refuses an unknown field of a worker profile',
      'workerProfiles:\n- bogus: x',
      UNKNOWN,
    ),
    validates('accepts an unknown field of spec.network', 'network:\n  bogus: 1'),
    validates('accepts an unknown field of Calico', 'network:\n  calico:\n    bogus: 1'),
    validates('accepts an unknown field of storage', 'storage:\n  etcd:\n    bogus: 1'),
    validates('accepts an unknown field of images', 'images:\n  bogus: 1'),
    validates(
      'refuses a truth value in extraArgs',
      'api:\n  extraArgs: {"profiling":false}',
      `${DECODING} cannot unmarshal bool into Go struct field APISpec.spec.api.extraArgs of type string`,
    ),
    validates(
      'refuses a number in extraArgs',
      'scheduler:\n  extraArgs:\n    v: 2',
      `${DECODING} cannot unmarshal number into Go struct field SchedulerSpec.spec.scheduler.extraArgs of type string`,
    ),
    validates(
      'accepts any flag of kube-apiserver',
      'api:\n  extraArgs: {"no-such-flag":"1","authorization-mode":"AlwaysAllow"}',
    ),
    validates(
      'refuses a bad network of pods',
      'network:\n  podCIDR: 10.0.0.0/99',
      'spec: network: podCIDR: Invalid value: "10.0.0.0/99": invalid CIDR address',
    ),
    validates(
      'refuses a bad network of services',
      'network:\n  serviceCIDR: abc',
      'spec: network: serviceCIDR: Invalid value: "abc": invalid CIDR address',
    ),
    validates(
      'refuses a name as address of the API',
      'api:\n  address: host.example.com',
      'spec: api: address: Invalid value: "host.example.com": invalid IP address',
    ),
    validates('accepts an address that the host does not have', 'api:\n  address: 10.9.9.9'),
    validates(
      'refuses a port in the external address',
      'api:\n  externalAddress: lb.example.com:6443',
      'spec: api: externalAddress: Invalid value: "lb.example.com:6443": invalid IP address / DNS name',
    ),
    validates(
      'refuses an unknown network provider',
      'network:\n  provider: bogus',
      'spec: network: provider: Unsupported value: "bogus": supported values: "kuberouter", "calico", "custom"',
    ),
    validates(
      'refuses an unknown mode of kube-proxy',
      'network:\n  kubeProxy:\n    mode: bogus',
      'spec: network: unsupported mode bogus for kubeProxy config',
    ),
    validates('accepts an unknown overlay of Calico', 'network:\n  calico:\n    overlay: bogus'),
    validates(
      'accepts an unknown setting of a kubelet',
      'workerProfiles: [{"name":"x","values":{"bogus":1}}]',
    ),
    validates(
      'refuses a setting of a kubelet that k0s makes itself',
      'workerProfiles: [{"name":"x","values":{"clusterDNS":["1.2.3.4"]}}]',
      'spec: workerProfiles: field `clusterDNS` is prohibited to override in worker profile',
    ),
    validates(
      'refuses text in place of a truth value',
      'telemetry:\n  enabled: "yes"',
      `${DECODING} cannot unmarshal string into Go struct field ClusterTelemetry.spec.telemetry.enabled of type bool`,
    ),
    {
      claim: 'refuses an unknown field at the top',
      ask: 'echo "bogus: 1" >/tmp/conformance.yaml; k0s config validate --config /tmp/conformance.yaml',
      code: 1,
      stderr: `Error: ${UNKNOWN}\n`,
    },
    {
      claim: 'ignores kind and apiVersion',
      ask: 'printf "kind: Bogus\\napiVersion: bogus/v1\\n" >/tmp/conformance.yaml; k0s config validate -c /tmp/conformance.yaml',
      code: 0,
    },
    {
      claim: 'refuses a file that does not exist',
      ask: 'k0s config validate --config /nowhere.yaml',
      code: 1,
      stderr: 'Error: open /nowhere.yaml: no such file or directory\n',
    },
    {
      claim: 'refuses to run without a file',
      ask: 'k0s config validate',
      code: 1,
      stderr: 'Error: required flag(s) "config" not set\n',
    },
    {
      claim: 'refuses an unknown flag',
      ask: 'k0s config validate --config /nowhere.yaml --bogus',
      code: 1,
      stderr: unknownFlag('--bogus'),
    },
  ],
};

const STATES = 'systemctl show -p ActiveState -p SubState -p Result';

const failing: Chapter = {
  situation: 'a k0s that exits at its start',
  enter: [
    {
      on: 'h1',
      run: 'clean; k0s install worker && systemctl start k0sworker && within 30 sh -c \'[ "$(systemctl is-active k0sworker)" = activating ]\'',
    },
  ],
  questions: [
    {
      claim: 'waits for a restart by systemd in a state that is neither active nor failed',
      ask: `${STATES} k0sworker; systemctl is-active k0sworker; systemctl is-failed k0sworker`,
      code: 1,
      stdout:
        'Result=exit-code\nActiveState=activating\nSubState=auto-restart\nactivating\nactivating\n',
    },
    {
      claim: 'writes its error to the journal of its unit',
      ask: 'journalctl -u k0sworker -o cat -n 50 --no-pager | grep ^Error:',
      code: 0,
      stdout: /^Error: .*\n$/,
    },
    { claim: 'has no status', ask: 'k0s status', code: 1, stderr: NO_SOCKET },
    {
      claim: 'can be stopped, and is not restarted',
      ask: 'systemctl stop k0sworker; systemctl is-active k0sworker',
      code: 3,
      stdout: 'inactive\n',
    },
  ],
};

const ROWS =
  'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Ready")].status}{"\\t"}{.status.nodeInfo.kubeletVersion}{"\\t"}{.status.nodeInfo.containerRuntimeVersion}{"\\n"}{end}';
const PODS =
  'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.ownerReferences[0].kind} {.status.phase} {.metadata.annotations.kubernetes\\.io/config\\.mirror}{"\\n"}{end}';
const text = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const DELETE =
  "k0s kubectl -n kube-system delete daemonset,deployment --field-selector metadata.name=ucp-metrics --selector '!k0s.k0sproject.io/stack'";

const running: Chapter = {
  situation: 'a running controller that is also a worker',
  enter: [{ on: 'h1', run: 'controller_runs' }],
  questions: [
    {
      claim: 'prints its status as text, one field per line',
      ask: 'k0s status',
      code: 0,
      stdout:
        /^Version: v\d.*\nProcess ID: \d+\nRole: controller\nWorkloads: true\nSingleNode: false\n(.*: .*\n)*$/,
    },
    {
      claim: 'prints its status as JSON only with -o json',
      ask: 'k0s status -o json',
      code: 0,
      stdout: {
        json: {
          Version: text(/^v\d+\.\d+\.\d+\+k0s\.\d+$/),
          Pid: expect.any(Number) as unknown,
          Role: 'controller',
          Workloads: true,
          SingleNode: false,
          Args: [
            ...['/usr/local/bin/k0s', 'controller', '--config=/etc/k0s/k0s.yaml'],
            '--enable-worker=true',
          ],
        },
      },
    },
    {
      claim: 'is active and enabled for systemd',
      ask: `${STATES} -p ExecMainStatus k0scontroller; systemctl is-enabled k0scontroller`,
      code: 0,
      stdout: 'Result=success\nExecMainStatus=0\nActiveState=active\nSubState=running\nenabled\n',
    },
    {
      claim: '/readyz answers "ok" without a line break',
      ask: 'k0s kubectl get --raw /readyz --request-timeout=10s',
      code: 0,
      stdout: 'ok',
    },
    {
      claim: 'lists nodes as JSON with conditions and versions',
      ask: 'k0s kubectl get nodes -o json',
      code: 0,
      stdout: {
        json: {
          apiVersion: 'v1',
          kind: 'List',
          items: [
            {
              kind: 'Node',
              metadata: {
                name: 'h1',
                labels: {
                  'kubernetes.io/hostname': 'h1',
                  'node.k0sproject.io/role': 'control-plane',
                },
              },
              spec: { taints: [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }] },
              status: {
                conditions: expect.arrayContaining([
                  expect.objectContaining({
                    type: 'Ready',
                    status: 'True',
                    lastHeartbeatTime: text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
                  }),
                ]) as unknown,
                nodeInfo: {
                  kubeletVersion: text(/^v\d+\.\d+\.\d+\+k0s$/),
                  containerRuntimeVersion: text(/^containerd:\/\/\d/),
                },
              },
            },
          ],
        },
      },
    },
    {
      claim: 'prints the JSON of nodes sorted, with one field per line',
      ask: `k0s kubectl get nodes -o json | grep -A 1 '"status": "True",$'`,
      code: 0,
      stdout: /^ {20,}"status": "True",\n {20,}"type": "Ready"\n$/,
    },
    {
      claim: 'lists nodes with the template of k8s_wait',
      ask: `k0s kubectl get nodes -o '${ROWS}' --request-timeout=10s`,
      code: 0,
      stdout: /^h1\tTrue\tv\d+\.\d+\.\d+\+k0s\tcontainerd:\/\/\d\S*\n$/,
    },
    {
      claim: 'lists the pods of a node with the template of k8s_node',
      ask: `k0s kubectl get pods --all-namespaces --field-selector spec.nodeName=h1 -o '${PODS}'`,
      code: 0,
      stdout: /^(\S+\/\S+ \w* \w+ \S*\n)*kube-system\/calico-node-\w+ DaemonSet Running \n/m,
    },
    {
      claim: 'wait succeeds for a node that is ready',
      ask: 'k0s kubectl wait --for=condition=Ready node/h1 --timeout=60s',
      code: 0,
      stdout: 'node/h1 condition met\n',
    },
    {
      claim: 'wait fails at once for a node that does not exist',
      ask: 'timeout 20 k0s kubectl wait --for=condition=Ready node/nobody --timeout=60s',
      code: 1,
      stderr: notFound('nobody'),
    },
    {
      claim: 'get fails for a node that does not exist',
      ask: "k0s kubectl get node nobody -o 'jsonpath={.spec.unschedulable}'",
      code: 1,
      stderr: notFound('nobody'),
    },
    {
      claim: 'prints nothing for a schedulable node, and "true" for a cordoned one',
      ask: "k0s kubectl get node h1 -o 'jsonpath={.spec.unschedulable}'; k0s kubectl cordon h1; k0s kubectl get node h1 -o 'jsonpath={.spec.unschedulable}'; k0s kubectl uncordon h1",
      code: 0,
      stdout: 'node/h1 cordoned\ntruenode/h1 uncordoned\n',
    },
    {
      claim: 'uncordon of a schedulable node succeeds',
      ask: 'k0s kubectl uncordon h1',
      code: 0,
      stdout: 'node/h1 already uncordoned\n',
    },
    {
      claim: 'cordon of a cordoned node succeeds',
      arrange: 'k0s kubectl cordon h1',
      ask: 'k0s kubectl cordon h1; k0s kubectl uncordon h1',
      code: 0,
      stdout: 'node/h1 already cordoned\nnode/h1 uncordoned\n',
    },
    ...[
      'cordon nobody',
      'uncordon nobody',
      'drain nobody --ignore-daemonsets',
      'label node nobody a-',
    ].map((words): Question => ({
      claim: `${words.split(' ')[0] ?? ''} fails for a node that does not exist`,
      ask: `k0s kubectl ${words}`,
      code: 1,
      stderr: notFound('nobody'),
    })),
    {
      claim: 'removing a missing label succeeds with a message',
      ask: 'k0s kubectl label node h1 bogus-',
      code: 0,
      stdout: 'label "bogus" not found.\nnode/h1 not labeled\n',
    },
    {
      claim: 'label sets, keeps and removes a label',
      ask: 'k0s kubectl label node h1 test/a=b; k0s kubectl label node h1 test/a=b; k0s kubectl label node h1 test/a- other-',
      code: 0,
      stdout: 'node/h1 labeled\nnode/h1 not labeled\nlabel "other" not found.\nnode/h1 unlabeled\n',
    },
    {
      claim: 'label does not change a value without --overwrite',
      arrange: 'k0s kubectl label node h1 test/a=b',
      ask: 'k0s kubectl label node h1 test/a=c; k0s kubectl label node h1 test/a=d --overwrite; k0s kubectl label node h1 test/a-',
      code: 0,
      stdout: 'node/h1 labeled\nnode/h1 unlabeled\n',
      stderr: "error: 'test/a' already has a value (b), and --overwrite is false\n",
    },
    {
      claim: 'deletes the endpoints of the API, which k0s re-creates',
      ask: 'k0s kubectl -n default delete --ignore-not-found endpoints/kubernetes endpointslices/kubernetes',
      code: 0,
      stdout:
        /^endpoints "kubernetes" deleted\n(endpointslice\.discovery\.k8s\.io "kubernetes" deleted\n)?$/,
    },
    {
      claim: 'delete by a selector that nothing matches succeeds',
      ask: DELETE,
      code: 0,
      stdout: 'No resources found\n',
    },
    {
      claim: 'delete skips the objects of k0s',
      ask: DELETE.replace('ucp-metrics', 'calico-node'),
      code: 0,
      stdout: 'No resources found\n',
    },
    {
      claim: 'rollout status succeeds for a DaemonSet that runs on every node',
      ask: 'k0s kubectl -n kube-system rollout status daemonset/calico-node --timeout=60s',
      code: 0,
      stdout: 'daemon set "calico-node" successfully rolled out\n',
    },
    {
      claim: 'rollout status fails at once for a DaemonSet that does not exist',
      ask: 'timeout 20 k0s kubectl -n kube-system rollout status daemonset/nobody --timeout=60s',
      code: 1,
      stderr: 'Error from server (NotFound): daemonsets.apps "nobody" not found\n',
    },
    {
      claim: 'kubectl refuses an unknown flag',
      ask: 'k0s kubectl get nodes --bogus',
      code: 1,
      stderr: /^Error: unknown flag: --bogus\n/,
    },
    {
      claim: 'lists the members of etcd as JSON, with peer addresses by name',
      ask: 'k0s etcd member-list',
      code: 0,
      stdout: { json: { members: { h1: text(/^https:\/\/[0-9.]+:2380$/) } } },
    },
    {
      claim: 'etcd member-list refuses an unknown flag',
      ask: 'k0s etcd member-list --bogus',
      code: 1,
      stderr: unknownFlag('--bogus'),
    },
    {
      claim: 'the token of a worker is a kubeconfig for the external address',
      ask: 'k0s token create --role=worker --expiry=10m',
      code: 0,
      stdout: {
        token:
          /^ {4}server: https:\/\/mke\.example\.com:6443\n[^]*^- name: kubelet-bootstrap\n {2}user:\n {4}token: [a-z0-9]{6}\.[a-z0-9]{16}$/m,
      },
    },
    {
      claim: 'the token of a controller is a kubeconfig for the join port of the external address',
      ask: 'k0s token create --role=controller --expiry=10m',
      code: 0,
      stdout: {
        token:
          /^ {4}server: https:\/\/mke\.example\.com:9443\n[^]*^- name: controller-bootstrap\n {2}user:\n {4}token: [a-z0-9]{6}\.[a-z0-9]{16}$/m,
      },
    },
    {
      claim: 'token create refuses an unknown flag',
      ask: 'k0s token create --bogus',
      code: 1,
      stderr: unknownFlag('--bogus'),
    },
    {
      claim: 'token create refuses a bad expiry',
      ask: 'k0s token create --expiry=x',
      code: 1,
      stderr: 'Error: time: invalid duration "x"\n',
    },
    {
      claim: 'token list refuses to list the tokens of all roles',
      ask: 'k0s token list',
      code: 1,
      stderr: 'Error: unsupported role ""; supported roles are "controller" and "worker"\n',
    },
    {
      claim: 'token list prints ID, role and expiry of tokens',
      arrange: 'k0s token create --role=worker --expiry=10m >/dev/null',
      ask: 'k0s token list --role=worker',
      code: 0,
      stdout:
        /^ID +\tROLE +\tEXPIRES AT +\t?\n([a-z0-9]{6} *\tworker *\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ *\t?\n)+$/,
    },
    {
      claim: 'token invalidate removes tokens',
      arrange: 'k0s token create --role=worker >/dev/null',
      ask: 'k0s token invalidate $(k0s token list --role=worker | sed 1d | cut -f 1) >/dev/null && k0s token list --role=worker',
      code: 0,
      stdout: 'No k0s join tokens found\n',
    },
    {
      claim: 'token invalidate succeeds for a token that does not exist',
      ask: 'k0s token invalidate abcdef',
      code: 0,
      stdout: 'token abcdef deleted successfully\n',
    },
    {
      claim: 'token invalidate refuses to run without an id',
      ask: 'k0s token invalidate',
      code: 1,
      stderr: 'Error: invalidate requires at least one token ID to invalidate\n',
    },
    {
      claim: 'kubeconfig admin contains the external address',
      ask: 'k0s kubeconfig admin',
      code: 0,
      stdout:
        /^apiVersion: v1\nclusters:\n- cluster:\n[^]* {4}server: https:\/\/mke\.example\.com:6443\n {2}name: local\ncontexts:\n- context:\n {4}cluster: local\n {4}user: user\n {2}name: Default\ncurrent-context: Default\nkind: Config\n[^]*- name: user\n/,
    },
    {
      claim: 'backup writes an archive into its directory',
      arrange: 'rm -rf /tmp/backup; mkdir /tmp/backup',
      ask: "k0s backup --save-path /tmp/backup >/dev/null 2>&1; ls /tmp/backup | grep -c '^k0s_backup.*[.]tar[.]gz$'",
      code: 0,
      stdout: '1\n',
    },
    {
      claim: 'backup refuses a directory that does not exist',
      ask: 'k0s backup --save-path /nowhere',
      code: 1,
      stderr: 'Error: the save-path directory (/nowhere) does not exist\n',
    },
    { claim: 'start fails', ask: 'k0s start', code: 1, stderr: 'Error: already running\n' },
    { claim: 'reset fails', ask: 'k0s reset', code: 1, stderr: RUNNING },
    {
      claim:
        'sa.key, etcd data and the keys of kube-apiserver belong to the users of these components',
      needs: 'users',
      ask: "cd /var/lib/k0s; stat -c '%a %U:%G %n' etcd pki/sa.key pki/ca.key pki/apiserver-etcd-client.key pki/admin.conf",
      code: 0,
      stdout:
        '700 etcd:root etcd\n640 root:root pki/sa.key\n640 kube-apiserver:root pki/ca.key\n640 kube-apiserver:root pki/apiserver-etcd-client.key\n640 root:root pki/admin.conf\n',
    },
    {
      claim: 'directories and kubeconfigs are not accessible to other users',
      ask: "cd /var/lib/k0s; stat -c '%a %n' etcd pki pki/admin.conf kubelet.conf",
      code: 0,
      stdout: '700 etcd\n751 pki\n640 pki/admin.conf\n600 kubelet.conf\n',
    },
    {
      claim: 'components run as separate users, kubelet and containerd as root',
      needs: 'processes',
      ask: 'ps -eo user:32,args | awk \'$2 ~ /^\\/var\\/lib\\/k0s\\/bin\\/(etcd|kube-|kubelet|containerd$)/ { sub(/.*\\//, "", $2); print $2, $1 }\' | sort -u',
      code: 0,
      stdout:
        'containerd root\netcd etcd\nkube-apiserver kube-apiserver\nkube-controller-manager kube-apiserver\nkube-scheduler kube-scheduler\nkubelet root\n',
    },
    {
      claim: 'kube-apiserver runs with the group root, so that it can read files with mode 0640',
      needs: 'processes',
      ask: 'ps -C kube-apiserver -o group= | sort -u',
      code: 0,
      stdout: 'root\n',
    },
    {
      claim: 'has the CNI configuration that the pods of Calico write',
      ask: 'ls /etc/cni/net.d',
      code: 0,
      stdout: '10-calico.conflist\n',
    },
  ],
};

const worker: Chapter = {
  situation: 'a running worker',
  enter: [
    { on: 'h1', run: 'controller_runs' },
    { on: 'h1', run: 'write_config; k0s token create --role=worker' },
    { on: 'h2', run: 'worker_runs' },
    {
      on: 'h1',
      run: 'within 120 k0s kubectl wait --for=condition=Ready node/h2 --timeout=60s && within 60 untainted h2',
    },
  ],
  questions: [
    {
      claim: 'prints its status as text',
      on: 'h2',
      ask: 'k0s status',
      code: 0,
      stdout:
        /^Version: v\d.*\nProcess ID: \d+\nRole: worker\nWorkloads: true\nSingleNode: false\n(.*: .*\n)*$/,
    },
    {
      claim: 'has a node without a role and without taints',
      ask: "k0s kubectl get node h2 -o json | grep -cE 'node.k0sproject.io/role|taints'",
      code: 1,
      stdout: '0\n',
    },
    { claim: 'creates no tokens', on: 'h2', ask: 'k0s token create', code: 1, stderr: NO_ADMIN },
    {
      claim: 'has no kubectl',
      on: 'h2',
      ask: 'k0s kubectl get nodes',
      code: 1,
      stderr: NO_KUBECONFIG,
    },
    { claim: 'cannot be reset', on: 'h2', ask: 'k0s reset', code: 1, stderr: RUNNING },
    {
      claim: 'is drained except for DaemonSets',
      // Other pods, such as CoreDNS, can have a disruption budget that refuses an eviction.
      ask: 'k0s kubectl drain h2 --ignore-daemonsets --delete-emptydir-data --pod-selector=k8s-app=calico-node --timeout=60s; k0s kubectl uncordon h2',
      code: 0,
      stdout: 'node/h2 cordoned\nnode/h2 drained\nnode/h2 uncordoned\n',
      stderr: /^Warning: ignoring DaemonSet-managed Pods: kube-system\/calico-node-/,
    },
  ],
};

const restarts: Chapter = {
  situation: 'a worker that was stopped',
  enter: [...(worker.enter ?? []), { on: 'h2', run: 'pause 5; systemctl stop k0sworker' }],
  questions: [
    {
      claim: 'has a node that keeps its Ready condition at first',
      ask: `k0s kubectl get nodes -o '${ROWS}' | cut -f 1,2`,
      code: 0,
      stdout: 'h1\tTrue\nh2\tTrue\n',
    },
    {
      claim: 'does not start again without its token file',
      before: TOKEN_ONCE,
      on: 'h2',
      arrange: 'rm -f /etc/k0s/k0stoken',
      ask: `systemctl start k0sworker; pause 3; ${STATES} k0sworker; journalctl -u k0sworker -o cat -n 50 --no-pager | grep ^Error:; systemctl stop k0sworker`,
      code: 0,
      stdout:
        'Result=exit-code\nActiveState=activating\nSubState=auto-restart\nError: open /etc/k0s/k0stoken: no such file or directory\n',
    },
    {
      claim: 'starts again without its token file',
      from: TOKEN_ONCE,
      on: 'h2',
      arrange: 'rm -f /etc/k0s/k0stoken',
      ask: `systemctl start k0sworker; pause 5; ${STATES} k0sworker`,
      code: 0,
      stdout: 'Result=success\nActiveState=active\nSubState=running\n',
    },
  ],
};

const ROLE_LABEL = 'node.k0sproject.io/role';

const stopped: Chapter = {
  situation: 'a stopped controller',
  enter: [{ on: 'h1', run: 'controller_runs; pause 5; k0s stop' }],
  questions: [
    {
      claim: 'is inactive for systemd',
      ask: `${STATES} -p ExecMainStatus k0scontroller`,
      code: 0,
      stdout: 'Result=success\nExecMainStatus=0\nActiveState=inactive\nSubState=dead\n',
    },
    {
      claim: 'cannot be stopped again',
      ask: 'k0s stop',
      code: 1,
      stderr: 'Error: already stopped\n',
    },
    { claim: 'can be stopped again through systemd', ask: 'systemctl stop k0scontroller', code: 0 },
    { claim: 'has no status', ask: 'k0s status', code: 1, stderr: NO_SOCKET },
    {
      claim: 'refuses kubectl',
      ask: 'k0s kubectl get nodes',
      code: 1,
      stderr:
        'The connection to the server localhost:6443 was refused - did you specify the right host or port?\n',
    },
    { claim: 'creates no tokens', ask: 'k0s token create', code: 1, stderr: NO_STATUS },
    {
      claim: 'waits endlessly for etcd in member-list',
      ask: 'timeout 2 k0s etcd member-list 2>/dev/null',
      code: 124,
    },
    {
      claim: 'prints the kubeconfig of the administrator',
      ask: 'k0s kubeconfig admin',
      code: 0,
      stdout: /^apiVersion: v1\n/,
    },
    {
      claim: 'cannot make a backup',
      ask: 'k0s backup --save-path /tmp',
      code: 1,
      stderr: /^Error: unable to detect cluster status status: can't get "status"/,
    },
    {
      claim: 'leaves the processes of pods running',
      needs: 'processes',
      ask: 'ps -eo args | grep -c "^/var/lib/k0s/bin/containerd-shim"',
      code: 0,
      stdout: /^[1-9]\d*\n$/,
    },
    {
      claim: 'has a node with a Ready condition as soon as the API answers again',
      arrange: 'k0s start; within 60 k0s kubectl get --raw /readyz',
      ask: `k0s kubectl get nodes -o '${ROWS}' | head -n 1 | cut -f 1,2`,
      code: 0,
      stdout: 'h1\tTrue\n',
    },
    {
      claim: 'does not restore the role label of a registered node',
      // Start twice: the kubelet that wrote the label may still run after the first start.
      arrange: `k0s start; within 60 k0s kubectl get --raw /readyz; k0s kubectl label node h1 ${ROLE_LABEL}-
k0s stop; k0s start; within 60 k0s kubectl get --raw /readyz; within 60 k0s kubectl wait --for=condition=Ready node/h1 --timeout=60s; pause 60`,
      ask: `k0s kubectl get node h1 -o json | grep -c '"${ROLE_LABEL}"'; k0s kubectl label node h1 ${ROLE_LABEL}=control-plane; k0s stop`,
      code: 0,
      stdout: '0\nnode/h1 labeled\n',
    },
    {
      claim:
        'fails if it is stopped two seconds after its start, and k0s can then neither start nor stop it',
      needs: 'time',
      arrange:
        'systemctl stop k0scontroller; systemctl start k0scontroller; pause 2; systemctl stop k0scontroller',
      ask: 'systemctl is-active k0scontroller; k0s start; k0s stop',
      code: 1,
      stdout: 'failed\n',
      stderr: 'Error: service in failed state\nError: service in failed state\n',
    },
  ],
};

/** A mount below the directory of the kubelet that a process uses. */
const MAKE_BUSY = `clean; volume=/var/lib/k0s/kubelet/pods/p/volumes/v
mkdir -p /srv/v $volume; echo data >/srv/v/file; mount --bind /srv/v $volume
(cd $volume && exec sleep 300 >/dev/null 2>&1 </dev/null) &
echo $! >/tmp/busy.pid`;
const RESET_BUSY = `k0s reset; echo $?; kill "$(cat /tmp/busy.pid)"; echo "files: $(ls /srv/v | grep -c .)"
umount -l /var/lib/k0s/kubelet/pods/p/volumes/v 2>/dev/null; rm -rf /srv/v; true`;

const LEFT = '/etc/k0s/containerd.toml /var/log/pods /var/log/containers';

const resets: Chapter = {
  situation: 'k0s reset of a stopped controller',
  enter: [
    {
      on: 'h1',
      run: 'controller_runs; systemctl stop k0scontroller; systemctl reset-failed k0scontroller; true',
    },
  ],
  questions: [
    {
      claim: 'succeeds',
      ask: 'k0s reset',
      code: 0,
      stderr: RESET_DONE,
    },
    {
      claim: 'removes the unit, the data and the runtime directory',
      ask: `ls -d ${UNIT} /var/lib/k0s /run/k0s /etc/cni/net.d/10-calico.conflist 2>/dev/null | wc -l; systemctl show -p LoadState k0scontroller`,
      code: 0,
      stdout: '0\nLoadState=not-found\n',
    },
    {
      claim: 'keeps the configuration, the settings of containerd, CNI plugins and log directories',
      ask: `ls -d /etc/k0s/k0s.yaml ${LEFT} && ls -A /opt/cni/bin | grep -c .`,
      code: 0,
      stdout:
        /^\/etc\/k0s\/containerd\.toml\n\/etc\/k0s\/k0s\.yaml\n\/var\/log\/containers\n\/var\/log\/pods\n[1-9]\d*\n$/,
    },
    {
      claim: 'keeps /usr/libexec/k0s',
      needs: 'usr',
      ask: 'ls -d /usr/libexec/k0s',
      code: 0,
      stdout: '/usr/libexec/k0s\n',
    },
    {
      claim: 'removes the users of components and terminates their processes',
      needs: 'users',
      ask: 'id kube-apiserver 2>/dev/null || ps -eo args | grep -c "^/var/lib/k0s/"',
      code: 1,
      stdout: '0\n',
    },
    { claim: 'succeeds when it is repeated', ask: 'k0s reset', code: 0, stderr: RESET_DONE },
    {
      claim: 'deletes the data in a volume that is in use and fails',
      before: KEEPS_MOUNTS,
      arrange: MAKE_BUSY,
      ask: RESET_BUSY,
      code: 0,
      stdout: '1\nfiles: 0\n',
      stderr: /device or resource busy/,
    },
    {
      claim: 'keeps the data in a volume that is in use',
      from: KEEPS_MOUNTS,
      arrange: MAKE_BUSY,
      ask: RESET_BUSY,
      code: 0,
      stdout: '0\nfiles: 1\n',
      stderr: /lazy unmounting \/var\/lib\/k0s\/kubelet\/pods\/p\/volumes\/v/,
    },
  ],
};

export const chapters: Chapter[] = [
  systemd,
  notInstalled,
  installs,
  configuration,
  failing,
  running,
  worker,
  restarts,
  stopped,
  resets,
];
