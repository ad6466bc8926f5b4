import { toJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { lazy } from '../../util/lazy.ts';
import { mke3WorkloadsSchema, type Mke3WorkloadsArgs } from '../workloads-args.ts';

/** Loaded on first use, so that other playbooks start faster. */
export const loadWorkloadChecks = lazy(() => import('../workloads.ts'));

export const mke3_workloads: Module<Mke3WorkloadsArgs> = {
  name: 'mke3_workloads',
  summary: 'Find workloads and users of an MKE 3 cluster that the upgrade breaks.',
  args: mke3WorkloadsSchema,
  effect: 'reads',

  async plan(args, { controller }) {
    const { findingsOfWorkloads } = await loadWorkloadChecks();
    const findings = await findingsOfWorkloads(args, (request) => controller.request(request));
    return { actions: [], result: { findings: findings.map(toJson) } };
  },
};
