import type { Module } from '../../core/module.ts';
import { lazy } from '../../util/lazy.ts';
import { mke4ConfigSchema, type Mke4ConfigArgs } from '../config-args.ts';

/** Loaded on first use, so that other playbooks start faster. */
export const loadConversion = lazy(() => import('../config-result.ts'));

export const mke4_config: Module<Mke4ConfigArgs> = {
  name: 'mke4_config',
  summary: 'Convert an MKE 3 configuration to MKE 4.',
  args: mke4ConfigSchema,
  effect: 'reads',

  async plan(args) {
    const { configResult } = await loadConversion();
    return { actions: [], result: configResult(args) };
  },
};
