import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    seconds: { type: 'number', minimum: 0, description: 'Seconds to wait.' },
    minutes: { type: 'number', minimum: 0, description: 'Minutes to wait, added to the seconds.' },
    prompt: {
      type: 'string',
      minLength: 1,
      description:
        'What is asked of the operator, once for all hosts of the step; the answer is "user_input" of the result. Instead of a time to wait.',
    },
    echo: {
      type: 'boolean',
      description:
        'Show what is typed. Without, the answer is a secret, which a resumed run asks for again. Default: true.',
    },
  },
  oneOf: [
    { required: ['prompt'] },
    { anyOf: [{ required: ['seconds'] }, { required: ['minutes'] }] },
  ],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const pause: Module<FromSchema<typeof schema>> = {
  name: 'pause',
  summary: 'Wait on the controller, for a time or for an answer of the operator.',
  args: schema,
  effect: 'reads',

  plan({ seconds = 0, minutes = 0, prompt, echo = true }) {
    if (prompt !== undefined)
      return { actions: [], run: [{ kind: 'ask', question: { text: prompt, hidden: !echo } }] };
    return { actions: [], run: [{ kind: 'pause', seconds: seconds + minutes * 60 }] };
  },
};
