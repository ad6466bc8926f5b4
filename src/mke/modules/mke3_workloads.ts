import { toJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { lazy } from '../../util/lazy.ts';
import { mke3WorkloadsSchema, type Mke3WorkloadsArgs } from '../workloads-args.ts';

/** Playbooks without these checks start sooner without it. */
export const loadWorkloadChecks = lazy(() => import('../workloads.ts'));

export const mke3_workloads: Module<Mke3WorkloadsArgs> = {
  name: 'mke3_workloads',
  summary: 'Find out which workloads of an MKE 3 cluster, and which users, the upgrade breaks.',
  args: mke3WorkloadsSchema,
  effect: 'reads',

  async plan(args, { controller }) {
    const { findingsOfWorkloads } = await loadWorkloadChecks();
    const findings = await findingsOfWorkloads(args, (request) => controller.request(request));
    return { actions: [], result: { findings: findings.map(toJson) } };
  },
};
