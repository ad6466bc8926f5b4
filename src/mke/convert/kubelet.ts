import type { JsonObject } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import { flagName } from './flags.ts';
import { chosenProfile } from './hosts.ts';
import { profileToFields } from './kubelet-fields.ts';
import { profileNames } from './profile-names.ts';
import type { Row, Section } from './row.ts';
import { pairs } from './values.ts';

const C = 'cluster_config';
const ARGS = 'kubelet.extraArgs';
const PROFILES = `${C}.custom_kubelet_flags_profiles`;
const HARDENING = 'hardening_configuration';
const LIMIT = { type: 'any', to: 'kubelet.podPidsLimit' } as const;

export const kubelet: Section = [
  { key: `${C}.kubelet_max_pods`, type: 'number', to: 'kubelet.maxPods' },
  { key: `${C}.kubelet_event_record_qps`, type: 'number', to: 'kubelet.eventRecordQPS' },
  { key: `${C}.kubelet_pods_per_core`, type: 'number', to: 'kubelet.podsPerCore' },
  {
    key: `${C}.kube_protect_kernel_defaults`,
    type: 'boolean',
    to: 'kubelet.protectKernelDefaults',
  },
  {
    rows: [
      { ...LIMIT, type: 'boolean', key: `${HARDENING}.hardening_enabled` },
      { ...LIMIT, type: 'number', key: `${HARDENING}.pids_limit_k8s` },
      { ...LIMIT, key: `${HARDENING}.pids_limit_unspecified_k8s` },
    ],
    convert: convertPidsLimit,
  },
  reserved('manager'),
  reserved('worker'),
  { key: `${C}.custom_kubelet_flags`, type: 'flags', to: ARGS },
  {
    key: `${C}.cipher_suites_for_kubelet`,
    type: 'text',
    flag: { of: ARGS, name: 'tls-cipher-suites' },
  },
  {
    key: `${C}.kubelet_serialize_image_pulls`,
    type: 'any',
    defaults: [true],
    flag: { of: ARGS, name: 'serialize-image-pulls' },
    as: (on) => (on === false ? 'false' : undefined),
  },
  {
    rows: [{ key: PROFILES, type: 'table', to: 'kubelet.customProfiles' }],
    convert: convertProfiles,
  },
  { rows: [], convert: setRootDir },
  {
    key: `${C}.kubelet_data_root`,
    type: 'text',
    defaults: ['/var/lib/kubelet'],
    advice: {
      why: 'the k0s kubelet keeps its data in /var/lib/k0s/kubelet',
      what: 'check that it has enough disk space, and check the host paths of CSI drivers',
    },
  },
  {
    key: `${C}.disable_seccomp_default`,
    type: 'boolean',
    advice: { why: 'seccompDefault is off in MKE 4 by default', what: 'no action needed' },
  },
];

/** The upgrade uses the default directory of k0s, and it cannot be changed later. */
function setRootDir(draft: Draft): void {
  if (draft.target === '4.1') draft.set('kubelet.kubeletRootDir', '/var/lib/k0s/kubelet');
}

function reserved(kind: 'manager' | 'worker'): Row {
  return {
    key: `${C}.${kind}_kube_reserved_resources`,
    type: 'text',
    to: `kubelet.${kind}KubeReserved`,
    as: (text) => (text === undefined ? undefined : pairs(text, '=')),
    unreadable: { why: 'expected the form cpu=…,memory=…', what: 'set it by hand' },
  };
}

/** MKE 3 applies the limit only if hardening_enabled is on and pids_limit_unspecified_k8s is false. */
function convertPidsLimit(draft: Draft): void {
  const { from } = draft;
  const key = `${HARDENING}.pids_limit_k8s`;
  const hardened = from.flag(`${HARDENING}.hardening_enabled`);
  const limit = from.number(key) ?? 0;
  const unspecified = from.get(`${HARDENING}.pids_limit_unspecified_k8s`) !== false;
  if (limit <= 0) return;
  if (hardened && !unspecified) draft.set('kubelet.podPidsLimit', limit);
  else
    draft.report(key, limit, {
      why: `it has no effect because ${hardened ? 'pids_limit_unspecified_k8s is not false' : 'hardening_enabled is off'} in MKE 3`,
      what: 'no action needed, or set kubelet.podPidsLimit',
    });
}

function convertProfiles(draft: Draft): void {
  const profiles: JsonObject[] = [];
  const table = draft.from.table(PROFILES);
  const names = profileNames(Object.keys(table));
  for (const [name, flags] of Object.entries(table)) {
    const key = `${PROFILES}.${name}`;
    const used = names.get(name) ?? name;
    draft.profileNames[used] = name;
    profiles.push({ name: used, values: profileValues(draft, name, String(flags)) });
    if (used !== name)
      draft.report(key, '(name)', {
        why: 'k0s does not accept this profile name',
        what: `it is called "${used}" in MKE 4`,
      });
    const { hosts } = draft.options;
    if (!hosts.some((host) => chosenProfile(host, [name]) !== undefined))
      draft.report(key, '(choice of nodes)', {
        why:
          hosts.length === 0
            ? 'node labels select it, and this file does not contain them'
            : 'no node has a label whose value is its name',
        what: `add installFlags: ["--profile=${used}"] to its hosts`,
      });
  }
  draft.set('kubelet.customProfiles', profiles);
}

function profileValues(draft: Draft, name: string, flags: string): JsonObject {
  const key = `${PROFILES}.${name}`;
  const words = flags.split(/\s+/).filter((flag) => !draft.leftOut(key, flagName(flag)));
  const { fields, taken, problems } = profileToFields(words.join(' '));
  draft.profileFlags[name] = taken;
  for (const { flag, reason } of problems)
    draft.report(key, flag, { why: reason, what: 'set it on the hosts by hand' });
  return fields;
}
