import type { Module } from '../core/module.ts';
import { hostFacts } from '../facts/host.ts';

export const setup: Module = {
  name: 'setup',
  summary: 'Gather facts of the host into ansible_facts.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  async plan(_args, { host }) {
    const facts = await host.fact(hostFacts);
    return {
      actions: [],
      result: { ansible_facts: facts },
      run: [{ kind: 'set-facts', facts: { ansible_facts: facts } }],
    };
  },
};
