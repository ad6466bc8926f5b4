import { objectOf, type JsonObject } from '../../core/json.ts';
import { quote } from '../../util/shell.ts';
import {
  kindOf,
  listOf,
  named,
  nameOf,
  namespaceOf,
  ofKind,
  textOf,
  titled,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';

/** MKE 3 accounts. */
export interface Accounts {
  users: { id: string; name: string; bundles: number }[];
  /** Names are `ORG/TEAM`. */
  teams: { id: string; name: string }[];
  orgs: { id: string; name: string }[];
}

export const NO_ACCOUNTS: Accounts = { users: [], teams: [], orgs: [] };

/** Finds bindings whose subjects are MKE 3 account IDs, and users whose client bundles stop working. */
export function lostAccess(view: ClusterView, accounts: Accounts): Finding[] {
  const holders = [
    ...accounts.users.map(({ id, name }) => [id, { what: `user ${name}`, flag: '--user', name }]),
    ...accounts.teams.map(({ id, name }) => [id, { what: `team ${name}`, flag: '--group', name }]),
    ...accounts.orgs.map(({ id, name }) => [
      id,
      { what: `organization ${name}`, flag: '--group', name },
    ]),
  ] as [string, Holder][];
  const byId = new Map(holders.filter(([id]) => id !== ''));
  const bindings = ['ClusterRoleBinding', 'RoleBinding'].flatMap((kind) => ofKind(view, kind));
  return [...bindings.flatMap((binding) => ofBinding(binding, byId)), ...bundles(accounts)];
}

interface Holder {
  what: string;
  flag: string;
  name: string;
}

function ofBinding(binding: JsonObject, byId: ReadonlyMap<string, Holder>): Finding[] {
  const found = listOf(binding['subjects']).flatMap(({ kind, name }) => {
    const holder = kind === 'User' || kind === 'Group' ? byId.get(textOf(name)) : undefined;
    return holder ? [holder] : [];
  });
  if (found.length === 0) return [];
  const role = objectOf(binding['roleRef']);
  const isClusterWide = kindOf(binding) === 'ClusterRoleBinding';
  const roleFlag = isClusterWide || role['kind'] === 'ClusterRole' ? '--clusterrole' : '--role';
  const subjects = [...new Set(found.map(({ flag, name }) => `${flag}=${quote(name)}`))];
  const inNamespace = isClusterWide ? '' : ` -n ${namespaceOf(binding)}`;
  const verb = isClusterWide ? 'clusterrolebinding' : 'rolebinding';
  return [
    {
      id: 'lost_access',
      severity: 'warning',
      blocking: false,
      object: titled(binding),
      evidence: `The binding names ${named(found.map(({ what }) => what))} by MKE 3 account ID. In MKE 4, users log in through Dex under other names, so ${found.length === 1 ? 'this subject gets' : 'these subjects get'} no permissions from it after the upgrade.`,
      remedy: `kubectl${inNamespace} create ${verb} ${nameOf(binding)}-mke4 ${roleFlag}=${textOf(role['name'])} ${subjects.join(' ')}`,
    },
  ];
}

function bundles({ users }: Accounts): Finding[] {
  const having = users.filter((one) => one.bundles > 0);
  const [first] = having;
  if (!first) return [];
  return [
    {
      id: 'client_bundles',
      severity: 'warning',
      blocking: false,
      object: 'client bundles of MKE 3',
      evidence: `These users have client bundles: ${named(having.map(({ name, bundles: count }) => `${name} (${String(count)})`))}. The new cluster does not accept client bundles, so kubectl, docker and pipelines that use them fail after the upgrade.`,
      remedy: `k0s kubeconfig create ${quote(first.name)} > ${quote(`${first.name}.kubeconfig`)} # for each user, on a controller after the upgrade; or let users log in through Dex`,
    },
  ];
}
