import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const set_fact: Module = {
  name: 'set_fact',
  summary: 'Set variables of the host for the rest of the run.',
  args: {
    type: 'object',
    minProperties: 1,
    additionalProperties: { description: 'Value of the variable with this name.' },
  },
  effect: 'reads',

  plan(args) {
    for (const key of Object.keys(args)) {
      if (!name.test(key)) throw new TaskError(`"${key}" is not a valid variable name.`);
    }
    return { actions: [], run: [{ kind: 'set-facts', facts: args }] };
  },
};
