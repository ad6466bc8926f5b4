import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { rpmState } from '../../facts/dnf.ts';
import { dnfCall } from '../lib/packages.ts';

const schema = {
  type: 'object',
  properties: {
    checksum: { type: 'string', description: 'Checksum over the packages before the step.' },
    transaction: {
      type: 'integer',
      description: 'Last transaction of DNF before the step; 0 for none.',
    },
  },
  required: ['checksum', 'transaction'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_rpms: Module<FromSchema<typeof schema>> = {
  name: 'restore_rpms',
  summary: 'Restore the installed packages and their versions with DNF. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ checksum, transaction }, { host }) {
    const now = await host.fact(rpmState);
    if (now.checksum === checksum || now.transaction === 0) return { actions: [] };
    const history = (verb: string, id: number) => dnfCall('history', verb, String(id));
    if (transaction > 0) return { actions: [history('rollback', transaction)] };
    // "history rollback" needs a transaction to return to, so the first one is undone separately.
    const later = now.transaction > 1 ? [history('rollback', 1)] : [];
    return { actions: [...later, history('undo', 1)] };
  },
};
