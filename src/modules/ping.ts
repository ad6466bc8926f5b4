import type { Module } from '../core/module.ts';

export const ping: Module = {
  name: 'ping',
  summary: 'Check that login and privilege escalation work.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  plan: () => ({
    actions: [{ kind: 'exec', argv: ['true'] }],
    result: { ping: 'pong' },
  }),
};
