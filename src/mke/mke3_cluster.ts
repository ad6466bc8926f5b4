import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { Mke3Client } from './api.ts';

const schema = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      pattern: '^https://',
      description: 'Address of the MKE 3 API, such as https://mke.example.com.',
    },
    username: { type: 'string', minLength: 1, description: 'An administrator of MKE 3.' },
    password: { type: 'string', minLength: 1, description: 'The password.' },
    ca: { type: 'string', description: 'PEM that the certificate of the API must chain to.' },
  },
  required: ['url', 'username', 'password'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke3_cluster: Module<FromSchema<typeof schema>> = {
  name: 'mke3_cluster',
  summary: 'Read configuration, nodes and accounts of an MKE 3 cluster from its API.',
  schema,
  readOnly: true,

  async plan({ url, username, password, ca }, host) {
    const client = new Mke3Client({ url, username, password, ca }, (request) =>
      host.request(request),
    );
    await client.login();
    if (!(await client.isAdmin()))
      throw new TaskError(`"${username}" is no administrator of MKE 3.`);
    const toml = await client.configToml();
    const nodes = await client.nodes();
    const accounts = await client.accounts();
    const ldap = (await client.ldap()) ?? {};
    return { actions: [], result: { toml, nodes: nodes.map(describeNode), ldap, ...accounts } };
  },
};

function describeNode(node: JsonObject): JsonObject {
  const part = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {});
  const spec = part(node['Spec']);
  const description = part(node['Description']);
  const status = part(node['Status']);
  const platform = part(description['Platform']);
  return {
    id: String(node['ID']),
    hostname: String(description['Hostname']),
    address: String(status['Addr']),
    role: String(spec['Role']),
    state: String(status['State']),
    os: String(platform['OS']),
    arch: String(platform['Architecture']),
    reachability: String(part(node['ManagerStatus'])['Reachability'] ?? ''),
    leader: part(node['ManagerStatus'])['Leader'] === true,
    labels: part(spec['Labels']),
    kubernetes: part(spec['Labels'])['com.docker.ucp.orchestrator.kubernetes'] === 'true',
  };
}
