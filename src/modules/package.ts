import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { JsonObject } from '../core/json.ts';
import type { OldModule as Module } from './lib/old-module.ts';
import { packageManager } from '../facts/dnf.ts';
import { apt } from './apt.ts';
import { dnf } from './dnf.ts';
import type { HostView } from './lib/old-module.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      description: 'Packages, as the manager of the host names them.',
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
    },
    state: { enum: ['present', 'latest', 'absent'], description: 'Default: present.' },
    use: { enum: ['auto', 'apt', 'dnf'], description: 'Which manager. Default: what is there.' },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

async function managerOf({ use = 'auto' }: Args, host: HostView): Promise<Module> {
  const name = use === 'auto' ? await host.fact(packageManager) : use;
  return name === 'apt' ? apt : dnf;
}

function without({ name, state }: Args): JsonObject {
  return { name, ...(state === undefined ? {} : { state }) };
}

const packageModule: Module<Args> = {
  name: 'package',
  summary: 'Install, upgrade or remove packages with what the host manages them with.',
  schema,

  async plan(args, host) {
    return (await managerOf(args, host)).plan(without(args), host);
  },

  async restore(args, host, captured) {
    return (await managerOf(args, host)).restore?.(without(args), host, captured);
  },

  // What APT says in the end is said by nothing else.
  finish: (result, args) => apt.finish?.(result, without(args)) ?? result,
};

export { packageModule as package };
