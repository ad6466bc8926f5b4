import { expect, it } from 'vitest';
import { convertLdap } from '../../../src/mke/convert/ldap.ts';

const source = {
  serverURL: 'ldap://ad.example.com',
  startTLS: false,
  readerDN: 'cn=reader',
  userSearchConfigs: [
    {
      baseDN: 'ou=people',
      filter: 'objectClass=person',
      usernameAttr: 'uid',
      fullNameAttr: 'cn',
    },
    { baseDN: 'ou=more' },
  ],
  adminSyncOpts: { enableSync: true, groupDN: 'cn=admins' },
  additionalDomains: [],
  syncSchedule: '',
  jitUserProvisioning: false,
};

it('converts the first user search and reports unsupported settings', () => {
  const { ldap, unconverted } = convertLdap(source, undefined);
  expect(ldap).toEqual({
    enabled: true,
    host: 'ad.example.com:389',
    insecureNoSSL: true,
    bindDN: 'cn=reader',
    bindPW: '',
    userSearch: {
      baseDN: 'ou=people',
      filter: '(objectClass=person)',
      username: 'uid',
      idAttr: 'DN',
      emailAttr: 'mail',
      nameAttr: 'cn',
    },
  });
  expect(unconverted.map(({ key }) => key)).toEqual([
    'auth.ldap.readerPassword',
    'auth.ldap.userSearchConfigs',
    'auth.ldap.adminSyncOpts',
  ]);
});
