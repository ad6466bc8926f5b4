import { describe, expect, it } from 'vitest';
import { lostAccess, type Accounts } from '../../../src/mke/findings/lost-access.ts';
import { viewOf } from './views.ts';

const ACCOUNTS: Accounts = {
  users: [
    { id: 'u-1', name: 'mika', bundles: 0 },
    { id: 'u-2', name: "o'neill", bundles: 3 },
    { id: '', name: 'system', bundles: 0 },
  ],
  teams: [{ id: 't-1', name: 'ops/night' }],
  orgs: [{ id: 'o-1', name: 'ops' }],
};
const binding = (kind: string, subjects: string) => `
kind: ${kind}
metadata: { name: b${kind === 'RoleBinding' ? ', namespace: shop' : ''} }
roleRef: { kind: Role, name: editor }
subjects: [${subjects}]`;
const found = (text: string, accounts = ACCOUNTS) => lostAccess(viewOf(text), accounts);

describe('access to the new cluster', () => {
  it('is lost by bindings to MKE 3 account IDs; the remedy creates a new binding', () => {
    const subjects =
      "{ kind: User, name: u-2 }, { kind: Group, name: t-1 }, { kind: User, name: '' }";
    const [only] = found(binding('RoleBinding', subjects));
    expect(only).toMatchObject({
      id: 'lost_access',
      object: 'RoleBinding shop/b',
      blocking: false,
    });
    expect(only?.evidence).toContain("user o'neill and team ops/night");
    expect(only?.remedy).toBe(
      String.raw`kubectl -n shop create rolebinding b-mke4 --role=editor --user='o'\''neill' --group=ops/night`,
    );
  });

  it('is kept by user names, service accounts and Kubernetes groups', () => {
    const subjects =
      "{ kind: User, name: mika }, { kind: ServiceAccount, name: u-1 }, { kind: Group, name: 'system:masters' }";
    expect(found(binding('ClusterRoleBinding', subjects)).map(({ id }) => id)).toEqual([
      'client_bundles',
    ]);
  });

  it('is lost by users with client bundles, in one finding', () => {
    const [only, ...others] = found('');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ id: 'client_bundles', severity: 'warning' });
    expect(only?.evidence).toContain("o'neill (3)");
  });
});
