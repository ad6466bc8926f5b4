import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec } from '../core/action.ts';
import type { Module } from '../core/module.ts';
import { kernelHostname } from '../facts/system.ts';
import { inOrder, planFile } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$',
      description: 'Name of the host, with or without a domain; 64 characters at most.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const FILE = '/etc/hostname';

export const hostname: Module<FromSchema<typeof schema>> = {
  name: 'hostname',
  summary: 'Set the hostname, now and at boot.',
  args: schema,
  effect: 'restores',
  shorthand: 'name',

  async plan({ name }, { host }) {
    const [running, plan] = await Promise.all([
      host.fact(kernelHostname),
      planFile({ path: FILE, content: Buffer.from(`${name}\n`) }, host),
    ]);
    const now = running === name ? [] : [exec('hostname', name)];
    return {
      ...plan,
      actions: [...plan.actions, ...now],
      result: { name },
      // The old file may contain another name than the kernel had.
      undo: inOrder({ module: 'hostname', args: { name: running } }, plan.undo),
      touches: ['the name of the host'],
    };
  },
};
