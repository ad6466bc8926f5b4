import { arrayOf, objectOf, type JsonObject } from '../core/json.ts';
import { chosenProfile } from './convert/hosts.ts';
import { kubeletField } from './convert/kubelet-fields.ts';
import { freeName } from './convert/profile-names.ts';
import type { Conversion, ConvertHost, Unconverted } from './convert/types.ts';
import { setPath, textMap } from './convert/values.ts';

export interface WorkerProfile {
  name: string;
  values: JsonObject;
}

/** The kubelet settings in the form of k0s. */
export interface K0sKubelet {
  profiles: WorkerProfile[];
  /** Flags of "k0s install" by host. */
  flags: Record<string, string[]>;
  unconverted: Unconverted[];
}

type Role = ConvertHost['role'];

/** Custom kubelet flags, as fields of worker profiles, flags of "k0s install", and arguments of the kubelet. */
interface Extra {
  fields: JsonObject;
  flags: string[];
  words: string[];
}

const MANAGER_PROFILE = 'mke-manager';

/** Builds worker profiles, and flags for each host. Managers and workers reserve different resources. */
export function k0sKubelet(conversion: Conversion, hosts: readonly ConvertHost[]): K0sKubelet {
  const unconverted: Unconverted[] = [];
  const kubelet = objectOf(objectOf(conversion.config['spec'])['kubelet']);
  const extra = kubeletExtra(conversion, textMap(kubelet['extraArgs']), unconverted);
  const values = (role: Role, own: JsonObject = {}): JsonObject => ({
    maxPods: kubelet['maxPods'] ?? null,
    podsPerCore: kubelet['podsPerCore'] ?? null,
    podPidsLimit: kubelet['podPidsLimit'] ?? null,
    eventRecordQPS: kubelet['eventRecordQPS'] ?? null,
    protectKernelDefaults: kubelet['protectKernelDefaults'] ?? null,
    seccompDefault: kubelet['seccompDefault'] ?? null,
    kubeReserved: kubelet[`${role}KubeReserved`] ?? null,
    ...own,
    ...extra.fields,
  });
  // k0s uses the profile "default" for nodes without a profile.
  const profiles = [
    { name: 'default', values: values('worker') },
    { name: MANAGER_PROFILE, values: values('manager') },
  ];
  // Names of the k0s profiles for each custom profile: one for workers, one for managers.
  const names = new Map<string, Record<Role, string>>();
  const custom = Object.keys(conversion.profileNames);
  const isTaken = (name: string): boolean =>
    custom.includes(name) || profiles.some((one) => one.name === name);
  for (const item of arrayOf(kubelet['customProfiles'])) {
    const worker = String(objectOf(item)['name']);
    const name = conversion.profileNames[worker] ?? worker;
    const own = objectOf(objectOf(item)['values']);
    profiles.push({ name: worker, values: values('worker', own) });
    const manager = freeName(`${worker}-manager`, isTaken);
    names.set(name, { worker, manager });
    const byManager = hosts.some(
      (host) => host.role === 'manager' && chosenProfile(host, [name]) !== undefined,
    );
    if (byManager) profiles.push({ name: manager, values: values('manager', own) });
  }
  const flags = hosts.map((host) => [host.name ?? host.address, installFlags(host, names, extra)]);
  return {
    profiles,
    flags: Object.fromEntries(flags) as K0sKubelet['flags'],
    unconverted,
  };
}

function kubeletExtra(
  { origins }: Conversion,
  args: Record<string, string>,
  unconverted: Unconverted[],
): Extra {
  const extra: Extra = { fields: {}, flags: [], words: [] };
  for (const [name, text] of Object.entries(args)) {
    const field = kubeletField(name, text);
    if (field) setPath(extra.fields, field.path, field.value);
    // k0s sets node labels itself and merges those of --labels.
    else if (name === 'node-labels') extra.flags.push(`--labels=${text}`);
    // k0s splits the text at spaces, and systemd interprets quotes, backslashes, "%" and "$".
    else if (/[\s"'\\%$]/.test(text))
      unconverted.push({
        key: origins[`kubelet.extraArgs.${name}`] ?? 'cluster_config.custom_kubelet_flags',
        value: `--${name}=${text}`,
        why: 'the systemd unit of k0s cannot pass these characters',
        what: 'set the corresponding KubeletConfiguration field in a worker profile',
      });
    else extra.words.push(`--${name}=${text}`);
  }
  return extra;
}

function installFlags(
  host: ConvertHost,
  names: ReadonlyMap<string, Record<Role, string>>,
  { flags, words }: Extra,
): string[] {
  const own = names.get(chosenProfile(host, names.keys()) ?? '')?.[host.role];
  const profile = own ?? (host.role === 'manager' ? MANAGER_PROFILE : undefined);
  const chosen = profile === undefined ? [] : [`--profile=${profile}`];
  return [...chosen, ...flags, ...kubeletWords(host, words)];
}

/** Adds --node-ip: with several interfaces, a kubelet otherwise uses the address of the default route. */
function kubeletWords({ nodeAddress }: ConvertHost, words: readonly string[]): string[] {
  const chosen = words.some((word) => word.startsWith('--node-ip='));
  const all = [
    ...(nodeAddress === undefined || chosen ? [] : [`--node-ip=${nodeAddress}`]),
    ...words,
  ];
  return all.length === 0 ? [] : [`--kubelet-extra-args=${all.join(' ')}`];
}
