import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { targets } from './mke4-defaults.ts';

/** Arguments of the module mke4_config. */
export const mke4ConfigSchema = {
  type: 'object',
  properties: {
    toml: { type: 'string', description: 'MKE 3 configuration in TOML, as its API returns it.' },
    hosts: {
      type: 'array',
      description: 'Nodes of the cluster.',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name in the inventory. Default: the address.' },
          node: { type: 'string', description: 'Node name in MKE 3.' },
          role: { enum: ['manager', 'worker'], description: 'Role in MKE 3.' },
          address: { type: 'string', description: 'SSH address.' },
          node_address: {
            type: 'string',
            description:
              'Address at which other nodes reach this node; passed to its kubelet as --node-ip.',
          },
          port: { type: 'integer', description: 'SSH port.' },
          user: { type: 'string', description: 'SSH user.' },
          key_path: {
            type: 'string',
            description: "Path of the private key on the operator's machine.",
          },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description:
              'Node labels. A label whose value is the name of a kubelet profile selects that profile.',
          },
        },
        required: ['role', 'address', 'port', 'user', 'key_path'],
        additionalProperties: false,
      },
    },
    nodes: {
      type: 'array',
      description:
        'Nodes as returned by mke3_cluster. Their labels are added to those of the hosts.',
      items: {
        type: 'object',
        properties: {
          hostname: { type: 'string', description: 'Node name.' },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Node labels.',
          },
        },
        required: ['hostname'],
        additionalProperties: { description: 'Other facts about the node; ignored.' },
      },
    },
    external_address: {
      type: 'string',
      description: 'DNS name or address of the load balancer for the managers.',
    },
    target: {
      enum: targets,
      description: 'MKE 4 release to write the configuration for. Default: 4.0.',
    },
    ldap: {
      type: 'object',
      description: 'MKE 3 LDAP settings, as its API returns them. Empty: no LDAP.',
    },
    image_registry: {
      type: 'string',
      description: 'Image registry, HOST[:PORT]/PATH. Only 4.1.',
    },
    chart_registry: { type: 'string', description: 'Chart registry, oci://…. Only 4.1.' },
    airgapped: { type: 'boolean', description: 'Whether the cluster has no internet access.' },
    leave_out: {
      type: 'array',
      items: { type: 'string' },
      description: 'Names of flags and admission plugins to leave out.',
    },
    k0s_version: {
      type: 'string',
      description:
        'k0s version to check the custom flags against, such as v1.29.15+k0s.0. Default: no check.',
    },
    kubernetes_flags: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'string' } },
      },
      description:
        'Additional known flags, by Kubernetes minor release and component: { "1.33": { "kubelet": ["max-pods"] } }. The keys "admission-plugins" and "feature-gates" add plugins and gates.',
    },
  },
  required: ['toml', 'hosts'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Mke4ConfigArgs = FromSchema<typeof mke4ConfigSchema>;
