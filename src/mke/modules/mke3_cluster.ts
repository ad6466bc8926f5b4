import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../../core/errors.ts';
import { toJson, objectOf, type JsonObject } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { accessProperties, Mke3Client } from '../api.ts';
import { failingWebhooks } from '../webhooks.ts';

const schema = {
  type: 'object',
  properties: {
    ...accessProperties,
  },
  required: ['url', 'username', 'password'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke3_cluster: Module<FromSchema<typeof schema>> = {
  name: 'mke3_cluster',
  summary: 'Read the configuration, nodes, accounts and webhooks of an MKE 3 cluster from its API.',
  args: schema,
  effect: 'reads',

  async plan({ url, username, password, ca }, { controller }) {
    const client = new Mke3Client({ url, username, password, ca }, (request) =>
      controller.request(request),
    );
    await client.login();
    await client.requireAdmin();
    const toml = await client.configToml();
    const nodes = await client.nodes();
    const accounts = await client.accounts();
    const ldap = (await client.ldap()) ?? {};
    const { webhooks, webhooks_error } = await webhooksOf(client);
    return {
      actions: [],
      result: { webhooks, webhooks_error, toml, nodes: nodes.map(describeNode), ldap, ...accounts },
    };
  },
};

/** Returns an error as data: only the check "webhooks" needs them, and it reports the error. */
async function webhooksOf(client: Mke3Client) {
  try {
    const webhooks = failingWebhooks(await client.admission()).map(toJson);
    return { webhooks, webhooks_error: '' };
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    return { webhooks: [], webhooks_error: error.message };
  }
}

function describeNode(node: JsonObject): JsonObject {
  const spec = objectOf(node['Spec']);
  const description = objectOf(node['Description']);
  const status = objectOf(node['Status']);
  const platform = objectOf(description['Platform']);
  return {
    id: String(node['ID']),
    hostname: String(description['Hostname']),
    address: String(status['Addr']),
    role: String(spec['Role']),
    state: String(status['State']),
    os: String(platform['OS']),
    arch: String(platform['Architecture']),
    reachability: String(objectOf(node['ManagerStatus'])['Reachability'] ?? ''),
    leader: objectOf(node['ManagerStatus'])['Leader'] === true,
    labels: objectOf(spec['Labels']),
    kubernetes: objectOf(spec['Labels'])['com.docker.ucp.orchestrator.kubernetes'] === 'true',
  };
}
