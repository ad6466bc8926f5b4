import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { MOUNTS_BELOW, quote } from '../util/shell.ts';

export interface K0sState {
  /** Output of `k0s version`, such as "v1.30.9+k0s.0"; undefined if the program does not exist. */
  version: string | undefined;
  /** Role of the installed service. */
  role: 'controller' | 'worker' | undefined;
  /** The service runs, or systemd will restart it after a failure. */
  active: boolean;
  enabled: boolean;
  /** The data directory is not empty. */
  hasData: boolean;
  /** Units and entries of the data directory, without empty directories and "lost+found": what a reset would remove. */
  left: string[];
  /** File systems that are mounted at the data directory or below it. */
  mounts: string[];
  /** systemd lists a failed unit that has no file, or the runtime directory exists. */
  hasTraces: boolean;
}

export const UNITS = '/etc/systemd/system';

/** State of k0s on a host with systemd. */
export const k0sState: Fact<[program: string, dataDir: string], K0sState> = {
  name: 'k0s.state',
  command: (program, dataDir) => ({
    script: `${MOUNTS_BELOW}
for rw in controller worker; do
if [ -e ${UNITS}/k0s$rw.service ]; then echo "unit $rw $(systemctl is-active k0s$rw) $(systemctl is-enabled k0s$rw 2>/dev/null)"
elif [ "$(systemctl is-failed k0s$rw 2>/dev/null)" = failed ]; then echo traces; fi
done
if [ -n "$(ls -A ${quote(dataDir)} 2>/dev/null | grep -vxF lost+found)" ]; then echo data; fi
for rw in ${UNITS}/k0scontroller.service ${UNITS}/k0sworker.service; do if [ -e "$rw" ]; then echo "left $rw"; fi; done
if cd ${quote(dataDir)} 2>/dev/null; then
  find . -mindepth 1 -maxdepth 1 ! -name lost+found | sort | head -n 20 | while IFS= read -r rw; do
    if [ ! -d "$rw" ] || [ -h "$rw" ] || [ -n "$(ls -A "$rw" | grep -vxF lost+found)" ]; then echo "left ${dataDir}/\${rw#./}"; fi
  done
  mounts_below . 'mount ' self
fi
if [ -e /run/k0s ]; then echo traces; fi
if [ -x ${quote(program)} ]; then rw=$(${quote(program)} version) && echo "version $rw"; fi`,
  }),
  parse({ code, stdout, stderr }, program) {
    if (code !== 0)
      throw new TaskError(`Cannot read the version of "${program}": ${stderr.trim()}`);
    const state: K0sState = {
      version: undefined,
      role: undefined,
      active: false,
      enabled: false,
      hasData: false,
      left: [],
      mounts: [],
      hasTraces: false,
    };
    for (const line of stdout.split('\n')) {
      const [word, value = '', activity, enabled] = line.split(' ');
      if (word === 'data') state.hasData = true;
      if (word === 'left') state.left.push(line.slice('left '.length));
      if (word === 'mount') state.mounts.push(line.slice('mount '.length));
      if (word === 'traces') state.hasTraces = true;
      if (word === 'version') state.version = value;
      if (word !== 'unit') continue;
      state.role = value === 'controller' ? 'controller' : 'worker';
      state.active = activity !== 'inactive' && activity !== 'failed';
      state.enabled = enabled === 'enabled';
    }
    return state;
  },
};

/** Kernel settings that k0s, a kubelet or a kube-proxy changes. */
const SYSCTLS = [
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.root_maxkeys',
  'kernel.keys.root_maxbytes',
  'net.ipv4.ip_forward',
  'net.ipv4.conf.all.forwarding',
  'net.ipv4.conf.all.route_localnet',
  'net.ipv6.conf.all.forwarding',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_tcp_timeout_established',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait',
];
/** Files and directories that k0s and its pods create outside their own directories, and directories they add files to. */
const PATHS = [
  ...['/etc/k0s', '/etc/k0s/*', '/etc/cni', '/etc/cni/net.d', '/etc/cni/net.d/*'],
  ...['/opt/containerd', '/var/lib/kubelet', '/var/lib/kubelet/device-plugins'],
  ...['/var/lib/kubelet/device-plugins/*', '/var/lib/kubelet/pod-resources'],
  ...['/opt/cni', '/opt/cni/bin', '/opt/cni/bin/*', '/usr/libexec/k0s', '/var/lib/calico'],
  ...['/run/calico', '/run/nodeagent', '/run/xtables.lock', '/run/netns', '/run/netns/cni-*'],
  ...['/var/log/calico', '/var/log/pods', '/var/log/containers', '/var/lib/cni', '/run/flannel'],
];

/**
 * Shell function `stock`: prints one line for each thing outside the directories of k0s that k0s, its kubelet or its pods may
 * add: "path P", "link NAME", "route R", "sysctl NAME VALUE" or "chain PROGRAM TABLE CHAIN". The difference to the output from
 * before k0s was started is what they added. Chains for single services and pods, which may be thousands, need "all".
 */
export const STOCK = `of_many='^(KUBE-(SVC|SEP|FW|EXT|XLB)-|cali-(tw|fw|th|fh|pi|po|pri|pro|gw)-)'
# sysctl_file NAME: sets $rc to the file of a kernel parameter.
sysctl_file() {
  rc=$IFS IFS=.
  set -- $1
  IFS=/
  set -- "/proc/sys/$*" "$rc"
  rc=$1 IFS=$2
}
stock() {
  for rw in ${PATHS.join(' ')}; do
    if [ -e "$rw" ] || [ -L "$rw" ]; then echo "path $rw"; fi
  done
  for rw in /sys/class/net/*; do echo "link \${rw##*/}"; done
  ip -4 route show table main 2>/dev/null | sed 's/ *$//; s/^/route /'
  for rw in ${SYSCTLS.join(' ')}; do
    sysctl_file "$rw"
    if [ -r "$rc" ] && read -r rc <"$rc"; then echo "sysctl $rw $rc"; fi
  done
  for rw in iptables-nft iptables-legacy ip6tables-nft ip6tables-legacy; do
    command -v "$rw-save" >/dev/null || continue
    "$rw-save" 2>/dev/null | awk -v program="$rw" -v many="$of_many" -v all="\${1-}" '
      /^[*]/ { table = substr($0, 2) }
      /^:/ { chain = substr($1, 2); if (all != "" || chain !~ many) print "chain " program " " table " " chain }'
  done
}`;

/** Output of `stock`, for a later reset. */
export const k0sStock: Fact<[], string> = {
  name: 'k0s.stock',
  command: () => ({ script: `${STOCK}\nstock` }),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`Cannot read the state of the host: ${stderr.trim()}`);
    return stdout;
  },
};
