import type { JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../../core/errors.ts';
import { toJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { containers } from '../../facts/container.ts';
import { dockerObjects, swarmState } from '../../facts/docker.ts';
import { imageParts, sortObjects } from '../mke3-objects.ts';

const schema = {
  type: 'object',
  properties: {},
  additionalProperties: false,
} as const satisfies JSONSchema;

const call = JSON.stringify(['docker']);

export const mke3_stock: Module = {
  name: 'mke3_stock',
  summary:
    'List the Docker objects of MKE 3 on a host, and the user objects that are removed with the Swarm.',
  args: schema,
  effect: 'reads',

  async plan(_args, { host }) {
    const objects = (kind: string) => host.fact(dockerObjects, call, kind);
    const [found, swarm, volumes, networks] = await Promise.all([
      host.fact(containers, call, '[]'),
      host.fact(swarmState, call),
      ...['volume', 'network'].map(objects),
    ]);
    const proxy = found.find(({ name }) => name === 'ucp-proxy');
    if (!proxy)
      throw new TaskError(
        `"${host.name}" has no container "ucp-proxy", so it is not an MKE 3 node.`,
        {
          hint: 'Remove the host from the hosts file, or repair MKE 3 on it first.',
        },
      );
    const [services = [], configs = [], secrets = []] = swarm.manager
      ? await Promise.all(['service', 'config', 'secret'].map(objects))
      : [];
    const { mke3, ...others } = sortObjects({
      containers: found,
      volumes: volumes ?? [],
      networks: networks ?? [],
      services,
      configs,
      secrets,
    });
    const { path, tag } = imageParts(proxy.image);
    const result = { ...mke3, ...others, version: tag, image_path: path };
    return { actions: [], result: toJson(result) };
  },
};
