import { barePods } from './bare-pods.ts';
import type { ClusterView } from './cluster-view.ts';
import { disruptionBudgets } from './disruption-budgets.ts';
import { DOCKER_ROOT, dockerMounts } from './docker-mounts.ts';
import { dockerLogs } from './docker-logs.ts';
import { drainWebhooks } from './drain-webhooks.ts';
import { dataRoots, engineSettings } from './engine-settings.ts';
import type { Finding } from './finding.ts';
import { helmReleases } from './helm-releases.ts';
import type { HostFacts } from './host-facts.ts';
import { hostPorts, type NeededPorts } from './host-ports.ts';
import { localImages } from './local-images.ts';
import { lostAccess, type Accounts } from './lost-access.ts';
import { apiCallers, removedApis, storedVersions } from './removed-apis.ts';

/** Input of the workload checks. */
export interface WorkloadFacts {
  view: ClusterView;
  hosts: readonly HostFacts[];
  accounts: Accounts;
  /** Metrics of the Kubernetes API in the Prometheus text format. */
  metrics: string;
  /** Kubernetes version after the upgrade, such as "v1.29.15+k0s.0". */
  release: string;
  ports: NeededPorts;
}

/** Runs all workload checks: what the upgrade breaks for the users of the cluster. */
export function workloadFindings(facts: WorkloadFacts): Finding[] {
  const { view, hosts, accounts, metrics, release, ports } = facts;
  const roots = [...new Set([DOCKER_ROOT, ...dataRoots(hosts)])];
  return [
    ...dockerMounts(view, roots),
    ...dockerLogs(view, roots),
    ...engineSettings(hosts),
    ...localImages(view, hosts),
    ...hostPorts(view, ports),
    ...removedApis(view, release),
    ...helmReleases(view, release),
    ...storedVersions(view),
    ...apiCallers(metrics, release),
    ...disruptionBudgets(view),
    ...drainWebhooks(view),
    ...barePods(view),
    ...lostAccess(view, accounts),
  ];
}
