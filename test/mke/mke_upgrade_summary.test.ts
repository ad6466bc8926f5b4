import { expect, it } from 'vitest';
import { mke_upgrade_summary } from '../../src/mke/modules/mke_upgrade_summary.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const facts = {
  unconverted: [],
  metallb_pools: [],
  users: 1,
  orgs: 2,
  teams: 3,
  mke3_version: '3.7.16',
};
testModule(mke_upgrade_summary, { settled: [{ title: 'prints', args: facts }] });

it('names the settings that take effect when the configuration is applied', async () => {
  const later = [
    { key: 'auth.backend', feature: 'logins by OIDC, SAML or LDAP' },
    { key: 'cluster_config.cadvisor_enabled', feature: 'cAdvisor' },
    { key: 'auth.samlEnabled', feature: 'logins by OIDC, SAML or LDAP' },
  ];
  const { document } = await mke_upgrade_summary.plan({ ...facts, later }, fakeHost({}));
  expect(document?.text).toContain(
    'In the file, but not in effect before you apply it: logins by OIDC, SAML or LDAP, cAdvisor.\n',
  );
});

it('has the sections of mkectl in their order', async () => {
  const { document } = await mke_upgrade_summary.plan(facts, fakeHost({}));
  const titles = document?.text
    .split('\n')
    .filter((_, index, lines) => lines[index + 1] === '-'.repeat(15));
  expect(titles).toEqual([
    'Upgrade Summary',
    'Configuration file',
    'Authentication',
    'Authorization',
    'Ports',
    'MCR',
    'MKE3 Cleanup',
  ]);
});
