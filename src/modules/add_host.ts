import type { Module } from '../core/module.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';

export const add_host: Module<{ name: string; groups?: string | string[] }> = {
  name: 'add_host',
  summary: 'Make a host known to the rest of the run.',
  args: {
    type: 'object',
    properties: {
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        description:
          'What the host is called. One that is known gets the groups and variables, too, and stays where it is reached.',
      },
      groups: textOrTexts('Groups it joins, besides "all".'),
    },
    required: ['name'],
    additionalProperties: {
      description:
        'Any variable of the host; ansible_host, ansible_port and others tell how it is reached.',
    },
  },
  effect: 'reads',
  shorthand: 'name',

  plan({ name, groups, ...vars }) {
    const added = { name, groups: listOf(groups), vars };
    return {
      actions: [],
      run: [{ kind: 'add-host', host: added }],
      result: { add_host: { ...added } },
    };
  },
};
