import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { accessProperties } from './api.ts';

/** Arguments of the module mke3_workloads. */
export const mke3WorkloadsSchema = {
  type: 'object',
  properties: {
    ...accessProperties,
    kubernetes_url: {
      type: 'string',
      pattern: '^(https://.*)?$',
      description:
        'Address of the Kubernetes API, for its metrics. Default: port 6443 of the host in url.',
    },
    kubernetes_version: {
      type: 'string',
      description: 'Release of k0s or Kubernetes after the upgrade, such as v1.29.15+k0s.0.',
    },
    controller_ports: {
      type: 'array',
      items: { type: 'integer' },
      description: 'TCP ports that k0s needs on managers, besides those that runner knows.',
    },
    hosts: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          host: { type: 'string', description: 'Name of the host.' },
          daemon_json: {
            type: 'string',
            description: 'Text of /etc/docker/daemon.json; empty where there is none.',
          },
          images: {
            type: 'string',
            description:
              "Lines of docker image ls --digests: '{{.Repository}} {{.Tag}} {{.Digest}}'.",
          },
        },
        required: ['host', 'daemon_json', 'images'],
        additionalProperties: false,
      },
      description: 'What is known of each host. Default: nothing.',
    },
  },
  required: ['url', 'username', 'password', 'kubernetes_version'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Mke3WorkloadsArgs = FromSchema<typeof mke3WorkloadsSchema>;
