import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { packageManager } from '../facts/dnf.ts';
import { apt } from './apt.ts';
import { dnf } from './dnf.ts';

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

const packageModule: Module<Args> = {
  name: 'package',
  summary: 'Install, upgrade or remove packages with what the host manages them with.',
  args: schema,
  effect: 'restores',

  async plan({ name, state, use = 'auto' }, sight) {
    const manager = use === 'auto' ? await sight.host.fact(packageManager) : use;
    const args = { name, ...(state === undefined ? {} : { state }) };
    return manager === 'apt' ? apt.plan(args, sight) : dnf.plan(args, sight);
  },

  // What APT says in the end is said by nothing else.
  conclude: (answer, { name }) => apt.conclude?.(answer, { name }) ?? {},
};

export { packageModule as package };
