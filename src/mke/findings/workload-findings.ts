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

/** All that the checks of workloads know. */
export interface WorkloadFacts {
  view: ClusterView;
  hosts: readonly HostFacts[];
  accounts: Accounts;
  /** Metrics of the API in the text format of Prometheus. */
  metrics: string;
  /** Release of Kubernetes after the upgrade, such as "v1.29.15+k0s.0". */
  release: string;
  ports: NeededPorts;
}

/** What breaks for the users of a cluster when it becomes MKE 4, in the order of the checks. */
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
