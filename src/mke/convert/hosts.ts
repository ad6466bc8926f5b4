import type { Draft } from './draft.ts';
import { profileNames } from './profile-names.ts';
import type { Section } from './row.ts';
import type { ConvertHost } from './types.ts';

/** The nodes, and values that come from the operator rather than from an MKE 3 setting. */
export const hosts: Section = [
  {
    rows: [
      {
        key: 'scheduling_configuration.enable_admin_ucp_scheduling',
        type: 'any',
        defaults: [true, false],
        elsewhere: 'a taint on the managers',
      },
    ],
    convert(draft) {
      // User pods run on managers in MKE 3, and a taint would keep their replacements away.
      draft.managersTakePods =
        draft.from.get('scheduling_configuration.enable_admin_ucp_scheduling') !== false;
    },
  },
  { rows: [], convert: convertHosts },
  { rows: [], convert: convertAddresses },
];

function convertHosts({ from, options, spec }: Draft): void {
  const names = profileNames(
    Object.keys(from.table('cluster_config.custom_kubelet_flags_profiles')),
  );
  spec['hosts'] = options.hosts.map((host) => {
    const { role, address, port, user, keyPath } = host;
    const profile = names.get(chosenProfile(host, names.keys()) ?? '');
    return {
      role: role === 'manager' ? 'controller+worker' : 'worker',
      ssh: { address, port, user, keyPath },
      ...(profile === undefined ? {} : { installFlags: [`--profile=${profile}`] }),
    };
  });
}

function convertAddresses(draft: Draft): void {
  const { externalAddress, registries = {}, airgapped = false } = draft.options;
  if (externalAddress !== '') draft.set('apiServer.externalAddress', externalAddress);
  if (draft.target !== '4.1') return;
  draft.set('registries.imageRegistry.url', registries.image);
  draft.set('registries.chartRegistry.url', registries.chart);
  if (airgapped) draft.set('airgap.enabled', true);
}

/** The kubelet profile whose name is the value of one of the host's labels. */
export function chosenProfile(
  { labels = {} }: ConvertHost,
  names: Iterable<string>,
): string | undefined {
  const values = new Set(Object.values(labels));
  return [...names].find((name) => values.has(name));
}
