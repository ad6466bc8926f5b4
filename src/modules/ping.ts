import type { Module } from '../core/module.ts';

export const ping: Module = {
  name: 'ping',
  summary: 'Log in, become who the task says, and answer.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  plan: () => ({
    actions: [{ kind: 'exec', argv: ['true'] }],
    result: { ping: 'pong' },
  }),
};
