import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { targets } from './mke4-defaults.ts';

/** Arguments of the module mke4_config. */
export const mke4ConfigSchema = {
  type: 'object',
  properties: {
    toml: { type: 'string', description: 'Configuration of MKE 3, as its API gives it.' },
    hosts: {
      type: 'array',
      description: 'The nodes.',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name in the inventory; the address by default.' },
          node: { type: 'string', description: 'Name of the node in MKE 3.' },
          role: { enum: ['manager', 'worker'], description: 'Role in MKE 3.' },
          address: { type: 'string', description: 'Address for SSH.' },
          node_address: {
            type: 'string',
            description:
              'Address by which the other nodes reach it; becomes --node-ip of its kubelet.',
          },
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
    nodes: {
      type: 'array',
      description:
        'Nodes as mke3_cluster reads them; their labels are added to those of the hosts.',
      items: {
        type: 'object',
        properties: {
          hostname: { type: 'string', description: 'Name of the node.' },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Its labels.',
          },
        },
        required: ['hostname'],
        additionalProperties: { description: 'Other facts about the node, which are ignored.' },
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
    leave_out: {
      type: 'array',
      items: { type: 'string' },
      description: 'Flags and admission plugins that are not taken over, by name.',
    },
    k0s_version: {
      type: 'string',
      description: 'Release of k0s whose components get the custom flags, such as v1.29.15+k0s.0.',
    },
    kubernetes_flags: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'string' } },
      },
      description:
        'Further flags that components know, by minor release of Kubernetes and by component: { "1.33": { "kubelet": ["max-pods"] } }; "admission-plugins" and "feature-gates" likewise.',
    },
  },
  required: ['toml', 'hosts'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Mke4ConfigArgs = FromSchema<typeof mke4ConfigSchema>;
