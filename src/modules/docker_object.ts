import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { dockerNames, objectKinds } from '../facts/docker.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { programProperty, programWords } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    kind: {
      enum: objectKinds,
      description: 'Kind of the objects. Services, configs and secrets need a Swarm manager.',
    },
    name: textOrTexts('Exact names of the objects.'),
    state: { const: 'absent', description: 'Remove the objects.' },
    docker: programProperty('docker'),
  },
  required: ['kind', 'name', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const docker_object: Module<Args> = {
  name: 'docker_object',
  summary: 'Remove Docker volumes, networks, services, configs or secrets by their exact names.',
  args: schema,
  effect: 'changes',

  async plan({ kind, name, docker }, { host }) {
    const wanted = listOf(name);
    if (wanted.length === 0) return { actions: [], result: { removed: [] } };
    const call = programWords(docker, 'docker');
    const present = new Set(await host.fact(dockerNames, JSON.stringify(call), kind));
    const removed = wanted.filter((one) => present.has(one));
    return {
      actions:
        removed.length === 0 ? [] : [{ kind: 'exec', argv: [...call, kind, 'rm', ...removed] }],
      result: { removed },
    };
  },
};
