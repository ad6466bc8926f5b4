import type { Module } from '../../core/module.ts';
import { lazy } from '../../util/lazy.ts';
import { mke4ConfigSchema, type Mke4ConfigArgs } from '../config-args.ts';

/** Playbooks that convert nothing start sooner without it. */
export const loadConversion = lazy(() => import('../config-result.ts'));

export const mke4_config: Module<Mke4ConfigArgs> = {
  name: 'mke4_config',
  summary: 'Convert a configuration of MKE 3 into one of MKE 4.',
  args: mke4ConfigSchema,
  effect: 'reads',

  async plan(args) {
    const { configResult } = await loadConversion();
    return { actions: [], result: configResult(args) };
  },
};
