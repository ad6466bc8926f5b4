import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { runEffect } from '../../../src/engine/run-effects.ts';
import { mke_upgrade_summary } from '../../../src/mke/modules/mke_upgrade_summary.ts';
import { fakeHost, testModule } from '../../helpers/module-tester.ts';

const facts = {
  unconverted: [],
  metallb_pools: [],
  users: 1,
  orgs: 2,
  teams: 3,
  mke3_version: '3.7.16',
};
async function textOf(args: typeof facts & { later?: JsonObject[] }) {
  return runEffect(await mke_upgrade_summary.plan(args, fakeHost({})), 'show')?.text;
}

testModule(mke_upgrade_summary, { settled: [{ title: 'prints the summary', args: facts }] });

it('lists the features that are active only after the configuration is applied', async () => {
  const later = [
    { key: 'auth.backend', feature: 'logins by OIDC, SAML or LDAP' },
    { key: 'cluster_config.cadvisor_enabled', feature: 'cAdvisor' },
    { key: 'auth.samlEnabled', feature: 'logins by OIDC, SAML or LDAP' },
  ];
  expect(await textOf({ ...facts, later })).toContain(
    'Configured, but not active until you apply the configuration: logins by OIDC, SAML or LDAP, cAdvisor.\n',
  );
});

it('has the sections of mkectl in the same order', async () => {
  const titles = (await textOf(facts))
    ?.split('\n')
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
