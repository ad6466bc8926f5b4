import type { Module } from '../core/module.ts';

export const ping: Module = {
  name: 'ping',
  summary: 'Log in, become who the task says, and answer.',
  schema: { type: 'object', properties: {}, additionalProperties: false },
  readOnly: true,

  plan: () => ({
    actions: [{ kind: 'exec', argv: ['true'] }],
    readOnly: true,
    result: { ping: 'pong' },
  }),
};
