import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    msg: { description: 'Text or value to show.' },
    var: {
      type: ['string', 'number', 'boolean', 'object', 'array', 'null'],
      format: 'variable',
      description: 'Name of a variable to show, instead of msg.',
    },
    verbosity: {
      type: 'integer',
      minimum: 0,
      description:
        'Above 0, the text is shown only with --verbose and returned as "stdout". Default: 0.',
    },
  },
  oneOf: [{ required: ['msg'] }, { required: ['var'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const debug: Module<FromSchema<typeof schema>> = {
  name: 'debug',
  summary: 'Show a message or a value.',
  args: schema,
  effect: 'reads',
  shorthand: 'msg',

  plan({ msg, var: value, verbosity = 0 }) {
    const shown = value ?? msg ?? null;
    const text = typeof shown === 'string' ? shown : JSON.stringify(shown, undefined, 2);
    return { actions: [], result: verbosity > 0 ? { stdout: text } : { msg: text } };
  },
};
