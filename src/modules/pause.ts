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
        'Question to the operator, asked once for all hosts of the step. The answer is "user_input" in the result. Use instead of a time.',
    },
    echo: {
      type: 'boolean',
      description:
        'Show the answer while it is typed. With false, the answer is a secret, and a resumed run prompts for it again. Default: true.',
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
  summary: 'Pause the run for a time, or prompt the operator.',
  args: schema,
  effect: 'reads',

  plan({ seconds = 0, minutes = 0, prompt, echo = true }) {
    if (prompt !== undefined)
      return { actions: [], run: [{ kind: 'ask', question: { text: prompt, hidden: !echo } }] };
    return { actions: [], run: [{ kind: 'pause', seconds: seconds + minutes * 60 }] };
  },
};
