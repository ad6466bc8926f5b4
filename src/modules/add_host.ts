import type { Module } from '../core/module.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';

export const add_host: Module<{ name: string; groups?: string | string[] }> = {
  name: 'add_host',
  summary: 'Add a host to the inventory for the rest of the run.',
  args: {
    type: 'object',
    properties: {
      name: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        description:
          'Name of the host. A host that exists already gets the groups and variables, too; how it is reached does not change.',
      },
      groups: textOrTexts('Groups to add the host to, besides "all".'),
    },
    required: ['name'],
    additionalProperties: {
      description:
        'Any variable of the host; ansible_host, ansible_port and others define how it is reached.',
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
