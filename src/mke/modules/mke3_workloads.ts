import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../../core/errors.ts';
import { toJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { accessProperties, Mke3Client } from '../api.ts';
import { DOCKER_ROOT } from '../findings/docker-mounts.ts';
import { dataRoots } from '../findings/engine-settings.ts';
import { imagesOf, type HostFacts } from '../findings/host-facts.ts';
import { NEEDED_PORTS } from '../findings/host-ports.ts';
import { readCluster } from '../findings/read-cluster.ts';
import { minorOf } from '../findings/removed-api-table.ts';
import { workloadFindings } from '../findings/workload-findings.ts';

const schema = {
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

export const mke3_workloads: Module<FromSchema<typeof schema>> = {
  name: 'mke3_workloads',
  summary: 'Find out which workloads of an MKE 3 cluster, and which users, the upgrade breaks.',
  args: schema,
  effect: 'reads',

  async plan(args, { controller }) {
    const { url, username, password, ca, kubernetes_version: release, hosts = [] } = args;
    if (Number.isNaN(minorOf(release)))
      throw new TaskError(`"${release}" is not a release of Kubernetes.`, {
        hint: 'Give it as in v1.29.15+k0s.0.',
      });
    const client = new Mke3Client({ url, username, password, ca }, (request) =>
      controller.request(request),
    );
    if (!(await client.isAdmin()))
      throw new TaskError(`"${username}" is no administrator of MKE 3.`);
    const facts = hosts.map(({ host, daemon_json, images }): HostFacts => ({
      host,
      daemon_json,
      images: imagesOf(images),
    }));
    const roots = [DOCKER_ROOT, ...dataRoots(facts)];
    const kubernetes = args.kubernetes_url ?? '';
    const { view, accounts, metrics, unread } = await readCluster(client, {
      kubernetes: kubernetes === '' ? kubernetesOf(url) : kubernetes,
      roots,
    });
    const known = NEEDED_PORTS.controllers;
    const others = (args.controller_ports ?? []).map((port) => [port, known[port] ?? 'k0s']);
    const ports = {
      ...NEEDED_PORTS,
      controllers: { ...known, ...(Object.fromEntries(others) as Record<number, string>) },
    };
    // Objects, Secrets of Helm among them, stay here: only findings are a result.
    const findings = workloadFindings({ view, hosts: facts, accounts, metrics, release, ports });
    return { actions: [], result: { findings: [...findings, ...unread].map(toJson) } };
  },
};

function kubernetesOf(url: string): string {
  return `https://${new URL(url).hostname}:6443`;
}
