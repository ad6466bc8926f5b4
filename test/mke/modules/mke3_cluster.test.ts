import { mke3_cluster } from '../../../src/mke/modules/mke3_cluster.ts';
import { testModule } from '../../helpers/module-tester.ts';

const api = 'https://mke';
const answers = (body: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      { status: 200, headers: {}, body: typeof value === 'string' ? value : JSON.stringify(value) },
    ]),
  );

const admission = {
  [`GET ${api}/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations`]: {
    items: [],
  },
  [`GET ${api}/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations`]: { items: [] },
  [`GET ${api}/apis/discovery.k8s.io/v1/endpointslices`]: { items: [] },
  [`GET ${api}/api/v1/namespaces/kube-system`]: { metadata: {} },
};

testModule(mke3_cluster, {
  settled: [
    {
      title: 'reads configuration, nodes and all pages of accounts',
      args: { url: api, username: 'a', password: 'b' },
      responses: answers({
        [`POST ${api}/auth/login`]: { auth_token: 't' },
        [`GET ${api}/id/`]: { isAdmin: true },
        [`GET ${api}/api/ucp/config-toml`]: 'x = 1',
        ...admission,
        [`GET ${api}/nodes`]: [
          {
            ID: '1',
            Spec: { Role: 'worker', Labels: {} },
            Description: { Hostname: 'w', Platform: { OS: 'linux' } },
            Status: { State: 'ready' },
          },
        ],
        [`GET ${api}/enzi/v0/config/auth`]: { backend: 'ldap' },
        [`GET ${api}/enzi/v0/config/auth/ldap`]: { serverURL: 'ldaps://l' },
        [`GET ${api}/accounts/?filter=all&limit=1000`]: {
          accounts: [{ name: 'u', isOrg: false }],
          nextPageStart: 'n',
        },
        [`GET ${api}/accounts/?filter=all&limit=1000&start=n`]: {
          accounts: [{ name: 'o', isOrg: true }],
          nextPageStart: '',
        },
        [`GET ${api}/accounts/o/teams?&limit=1000`]: { teams: [{ name: 't' }] },
      }),
      result: {
        toml: 'x = 1',
        users: ['u'],
        orgs: ['o'],
        teams: ['o/t'],
        ldap: { serverURL: 'ldaps://l' },
        webhooks: [],
        webhooks_error: '',
      },
    },
    {
      title: 'reads everything else if the webhooks cannot be read',
      args: { url: api, username: 'a', password: 'b' },
      responses: {
        ...answers({
          [`POST ${api}/auth/login`]: { auth_token: 't' },
          [`GET ${api}/id/`]: { isAdmin: true },
          [`GET ${api}/api/ucp/config-toml`]: 'x = 1',
          [`GET ${api}/nodes`]: [],
          [`GET ${api}/enzi/v0/config/auth`]: { backend: 'managed' },
          [`GET ${api}/accounts/?filter=all&limit=1000`]: { accounts: [] },
        }),
        [`GET ${api}/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations`]: {
          ...{ status: 403, body: '{"message":"forbidden"}', headers: {} },
        },
      },
      result: {
        toml: 'x = 1',
        webhooks: [],
        webhooks_error:
          'MKE 3 answered /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations with status 403: forbidden.',
      },
    },
  ],
  refused: [
    {
      title: 'a user who is not an administrator',
      args: { url: api, username: 'a', password: 'b' },
      responses: answers({
        [`POST ${api}/auth/login`]: { auth_token: 't' },
        [`GET ${api}/id/`]: { isAdmin: false },
      }),
      code: 'TASK_FAILED',
    },
    {
      title: 'plain HTTP',
      args: { url: 'http://mke', username: 'a', password: 'b' },
      code: 'SCHEMA',
    },
  ],
});
