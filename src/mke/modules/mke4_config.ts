import type { Module } from '../../core/module.ts';
import { mke4ConfigSchema, type Mke4ConfigArgs } from '../config-args.ts';

export const mke4_config: Module<Mke4ConfigArgs> = {
  name: 'mke4_config',
  summary: 'Convert a configuration of MKE 3 into one of MKE 4.',
  args: mke4ConfigSchema,
  effect: 'reads',

  async plan(args) {
    // Loaded when it is used: other playbooks begin sooner.
    const { configResult } = await import('../config-result.ts');
    return { actions: [], result: configResult(args) };
  },
};
