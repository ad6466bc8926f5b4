import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { packageManager } from '../facts/dnf.ts';
import { apt } from './apt.ts';
import { dnf } from './dnf.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      description: 'Names of packages in the package manager of the host.',
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
    },
    state: { enum: ['present', 'latest', 'absent'], description: 'Default: present.' },
    use: {
      enum: ['auto', 'apt', 'dnf'],
      description: 'Package manager to use. Default: auto, the one that is installed.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const packageModule: Module<Args> = {
  name: 'package',
  summary: 'Install, upgrade or remove packages with the package manager of the host.',
  args: schema,
  effect: 'restores',

  async plan({ name, state, use = 'auto' }, sight) {
    const manager = use === 'auto' ? await sight.host.fact(packageManager) : use;
    const args = { name, ...(state === undefined ? {} : { state }) };
    return manager === 'apt' ? apt.plan(args, sight) : dnf.plan(args, sight);
  },

  // The output of DNF never contains the summary that this looks for.
  conclude: (answer, { name }) => apt.conclude?.(answer, { name }) ?? {},
};

export { packageModule as package };
