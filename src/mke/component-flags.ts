import { objectOf } from '../core/json.ts';
import { objection } from './component-rules.ts';
import { pluginFlags } from './convert/admission-plugins.ts';
import type { Conversion, Unconverted } from './convert/types.ts';
import { textMap } from './convert/values.ts';
import {
  knownFlags,
  minorOf,
  type Component,
  type FlagTables,
  type KnownFlags,
} from './kubernetes-flags.ts';

const PROFILES = 'custom_kubelet_flags_profiles';
/** For each component: the path of its flags in "spec", and the TOML key of its custom flags. */
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

/** Problems with the flags that a configuration passes to the k0s components. */
export interface FlagCheck {
  /** Flags that keep a component from starting, or that make the cluster insecure. */
  problems: Unconverted[];
  /** Admission plugins that prevent the use of imported images. */
  imageProblems: Unconverted[];
}

/**
 * Checks the custom flags of a converted configuration.
 *
 * @param k0sVersion such as v1.29.15+k0s.0
 * @param tables additional known flags, by Kubernetes minor release
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
  const flags = customFlags(conversion);
  for (const flag of flags) {
    const { component, name, value } = flag;
    const shown = `--${name}=${value}`;
    const why = objection(component, name, value);
    if (why !== undefined) problems.push(stop(flag, shown, why));
    if (known === undefined) continue;
    if (known.flags[component].has(name)) {
      problems.push(...unknownItems(flag, known, release));
      if (airgapped && registry === '') imageProblems.push(...alwaysPullImages(flag));
    } else if (why === undefined) {
      const unknown = `${component} of ${release} does not have this flag and would not start`;
      problems.push(stop(flag, shown, unknown));
    }
  }
  const [first] = flags;
  if (known === undefined && first !== undefined)
    problems.push({
      key: 'k0s_version',
      value: k0sVersion,
      why: `runner has no list of ${release} flags, so it cannot check ${first.keyOf()}`,
      what: 'add a list to "kubernetes_flags", or acknowledge the finding after you have checked the flags',
    });
  return { problems, imageProblems };
}

interface CustomFlag {
  component: Component;
  name: string;
  value: string;
  /** The TOML key that set the flag, or an item of its list. */
  keyOf: (item?: string) => string;
}

/** The flags of all components, followed by those of kubelet profiles. */
function customFlags({ config, origins, profileFlags }: Conversion): CustomFlag[] {
  const spec = objectOf(config['spec']);
  const places = [
    ...componentFlags.map(([component, path, key]) => {
      const flags = path.split('.').reduce((node, part) => objectOf(node[part]), spec);
      return { component, path, key, flags: textMap(flags) };
    }),
    ...Object.entries(profileFlags).map(([name, flags]) => {
      return { component: 'kubelet' as const, path: '', key: `${PROFILES}.${name}`, flags };
    }),
  ];
  return places.flatMap(({ component, path, key, flags }) =>
    Object.entries(flags).map(([name, value]) => {
      const keyOf = (item = ''): string =>
        origins[`${path}.${name}${item === '' ? '' : `.${item}`}`] ??
        origins[`${path}.${name}`] ??
        `cluster_config.${key}`;
      return { component, name, value, keyOf };
    }),
  );
}

function stop({ name, keyOf }: CustomFlag, shown: string, why: string, item = ''): Unconverted {
  const key = keyOf(item);
  const what = `remove it from ${key} in MKE 3, or use --leave-out ${item === '' ? name : item}`;
  return { key, value: shown, why, what };
}

/** Admission plugins and feature gates that the component does not have. */
function unknownItems(flag: CustomFlag, known: KnownFlags, release: string): Unconverted[] {
  const { component, name, value } = flag;
  const isGates = name === 'feature-gates';
  if (!isGates && !pluginFlags.includes(name)) return [];
  const [all, kind] = isGates ? [known.gates, 'feature gate'] : [known.plugins, 'admission plugin'];
  const why = `${component} of ${release} does not have this ${kind} and would not start`;
  return value
    .split(',')
    .map((one) => (isGates ? (one.split('=')[0] ?? '') : one).trim())
    .filter((item) => item !== '' && !all.has(item))
    .map((item) => stop(flag, `--${name}=${item}`, why, isGates ? '' : item));
}

function alwaysPullImages({ component, name, value, keyOf }: CustomFlag): Unconverted[] {
  const plugin = 'AlwaysPullImages';
  if (component !== 'kube-apiserver' || name !== 'enable-admission-plugins') return [];
  if (!value.split(',').includes(plugin)) return [];
  return [
    {
      key: keyOf(plugin),
      value: plugin,
      why: 'with it, the kubelet ignores images imported from /var/lib/k0s/images, so no k0s pod starts without a registry',
      what: `use --image-registry, or leave the plugin out of the upgrade with --leave-out ${plugin}`,
    },
  ];
}
