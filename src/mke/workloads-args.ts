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
        'URL of the Kubernetes API, for its metrics. Default: port 6443 of the host in "url".',
    },
    kubernetes_version: {
      type: 'string',
      description: 'k0s or Kubernetes version after the upgrade, such as v1.29.15+k0s.0.',
    },
    controller_ports: {
      type: 'array',
      items: { type: 'integer' },
      description: 'Additional TCP ports that k0s needs on managers.',
    },
    hosts: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          host: { type: 'string', description: 'Name of the host.' },
          daemon_json: {
            type: 'string',
            description: 'Content of /etc/docker/daemon.json; empty if the file does not exist.',
          },
          images: {
            type: 'string',
            description:
              "Output of docker image ls --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}'.",
          },
        },
        required: ['host', 'daemon_json', 'images'],
        additionalProperties: false,
      },
      description: 'Facts about each host. Default: none.',
    },
  },
  required: ['url', 'username', 'password', 'kubernetes_version'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Mke3WorkloadsArgs = FromSchema<typeof mke3WorkloadsSchema>;
