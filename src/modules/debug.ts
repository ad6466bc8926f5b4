import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    msg: { description: 'Text or value to show.' },
    var: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_.]*$',
      description: 'Name of a variable to show, instead of msg.',
    },
    verbosity: {
      type: 'integer',
      minimum: 0,
      description: 'Above 0 it is only shown with --verbose, and kept in "stdout". Default: 0.',
    },
  },
  oneOf: [{ required: ['msg'] }, { required: ['var'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const debug: Module<FromSchema<typeof schema>> = {
  name: 'debug',
  summary: 'Show a message or a value.',
  schema,
  readOnly: true,
  shorthand: 'msg',
  prepare: ({ var: name, ...rest }) =>
    name === undefined ? rest : { ...rest, msg: `{{${String(name).replaceAll(/[{}]/g, '')}}}` },

  plan({ msg = null, verbosity = 0 }) {
    const text = typeof msg === 'string' ? msg : JSON.stringify(msg, undefined, 2);
    return { actions: [], result: verbosity > 0 ? { stdout: text } : { msg: text } };
  },
};
