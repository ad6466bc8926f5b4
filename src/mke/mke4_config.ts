import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { JsonObject } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { configToYaml, convertConfig } from './convert.ts';
import { parseMke3Config } from './mke3-config.ts';
import { compatibility, compatibilityText, shownConfig } from './report.ts';
import { targets } from './mke4-defaults.ts';

const schema = {
  type: 'object',
  properties: {
    toml: { type: 'string', description: 'Configuration of MKE 3, as its API gives it.' },
    hosts: {
      type: 'array',
      description: 'The nodes.',
      items: {
        type: 'object',
        properties: {
          role: { enum: ['manager', 'worker'], description: 'Role in MKE 3.' },
          address: { type: 'string', description: 'Address for SSH.' },
          port: { type: 'integer', description: 'Port of SSH.' },
          user: { type: 'string', description: 'User of SSH.' },
          key_path: { type: 'string', description: 'Private key on the operator machine.' },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Labels of the node; one with the name of a kubelet profile chooses it.',
          },
        },
        required: ['role', 'address', 'port', 'user', 'key_path'],
        additionalProperties: false,
      },
    },
    external_address: {
      type: 'string',
      description: 'Name of the load balancer in front of the managers.',
    },
    target: {
      enum: targets,
      description: 'Release of MKE 4 whose configuration is made. Default: 4.0.',
    },
    ldap: {
      type: 'object',
      description: 'LDAP settings of MKE 3 as its API gives them; empty when there are none.',
    },
    image_registry: {
      type: 'string',
      description: 'Registry of images, HOST[:PORT]/PATH. Only 4.1.',
    },
    chart_registry: { type: 'string', description: 'Registry of charts, oci://…. Only 4.1.' },
    airgapped: { type: 'boolean', description: 'The cluster has no access to the internet.' },
  },
  required: ['toml', 'hosts'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke4_config: Module<FromSchema<typeof schema>> = {
  name: 'mke4_config',
  summary: 'Convert a configuration of MKE 3 into one of MKE 4.',
  schema,
  readOnly: true,

  plan({ toml, hosts, external_address: externalAddress = '', target, ldap = {}, ...rest }) {
    const source = parseMke3Config(toml, 'config-toml');
    const conversion = convertConfig(source, {
      hosts: hosts.map(({ key_path: keyPath, ...host }) => ({ ...host, keyPath })),
      externalAddress,
      target,
      ldap: Object.keys(ldap).length > 0 ? (ldap as JsonObject) : undefined,
      registries: {
        image: rest.image_registry || undefined,
        chart: rest.chart_registry || undefined,
      },
      airgapped: rest.airgapped,
    });
    const { config, unconverted, refusals, metallbPools, managersTakePods } = conversion;
    const result = {
      yaml: configToYaml(config),
      // What may be shown: secrets are left out.
      shown: {
        mke3: shownConfig(source),
        mke4: configToYaml(config, { withSecrets: false }),
        report: compatibilityText(compatibility(source, conversion)),
      },
      spec: config['spec'],
      unconverted,
      refusals,
      metallb_pools: metallbPools,
      managers_take_pods: managersTakePods,
    };
    return { actions: [], result: result as unknown as JsonObject };
  },
};
