import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { toJson, objectOf, type JsonObject } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { directoryUse, dockerObjects, type ObjectKind } from '../facts/docker.ts';
import { composeFiles, configFiles, type NamedFile } from '../util/compose.ts';
import { programProperty, programWords } from './lib/gate.ts';

const names = (description: string) =>
  ({ type: 'array', items: { type: 'string', minLength: 1 }, description }) as const;

const schema = {
  type: 'object',
  properties: {
    services: names('Names of services. Needs a Swarm manager.'),
    configs: names('Names of configs. Needs a Swarm manager.'),
    secrets: names(
      'Names of secrets; the engine does not return their values. Needs a Swarm manager.',
    ),
    networks: names('Names of networks.'),
    volumes: names('Names of volumes. The result includes their size and owner.'),
    docker: programProperty('docker'),
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const docker_export: Module<Args> = {
  name: 'docker_export',
  summary:
    'Return definitions of Docker services, configs, secrets, networks and volumes as files: JSON as the engine prints it, and Compose files.',
  args: schema,
  effect: 'reads',

  async plan(args, { host }) {
    const call = JSON.stringify(programWords(args.docker, 'docker'));
    const described = async (kind: ObjectKind, wanted: readonly string[] = []) =>
      wanted.length === 0
        ? []
        : (await host.fact(dockerObjects, call, kind)).filter((one) =>
            wanted.includes(String(one['Name'] ?? objectOf(one['Spec'])['Name'])),
          );
    const [services, configs, secrets, networks, volumes] = await Promise.all([
      described('service', args.services),
      described('config', args.configs),
      described('secret', args.secrets),
      described('network', args.networks),
      described('volume', args.volumes),
    ]);
    const paths = volumes.map((one) => String(one['Mountpoint'] ?? '')).filter((one) => one !== '');
    const use = paths.length === 0 ? {} : await host.fact(directoryUse, JSON.stringify(paths));
    const measured = volumes.map((one) => {
      const { kib, ...owner } = use[String(one['Mountpoint'] ?? '')] ?? {};
      return { ...one, ...owner, ...(kib === undefined ? {} : { kib }) };
    });
    const json = (name: string, list: readonly JsonObject[]): NamedFile[] =>
      list.length === 0 ? [] : [{ name, content: `${JSON.stringify(list, null, 2)}\n` }];
    const files = [
      ...json('services.json', services),
      ...json('configs.json', configs),
      ...json('secrets.json', secrets),
      ...json('networks.json', networks),
      ...json('volumes.json', measured),
      ...configFiles(configs),
      ...composeFiles({ services, networks, configs }),
    ];
    return { actions: [], result: { files: files.map(toJson) } };
  },
};
