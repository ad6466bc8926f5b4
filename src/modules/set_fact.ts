import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const set_fact: Module = {
  name: 'set_fact',
  summary: 'Set variables of the host for the rest of the run.',
  args: {
    type: 'object',
    minProperties: 1,
    additionalProperties: { description: 'Any value, under the name of the variable.' },
  },
  effect: 'reads',

  plan(args) {
    for (const key of Object.keys(args)) {
      if (!name.test(key)) throw new TaskError(`"${key}" cannot be the name of a variable.`);
    }
    return { actions: [], run: [{ kind: 'set-facts', facts: args }] };
  },
};
