import { isJsonObject, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import { selects } from '../webhooks.ts';
import {
  kubectlWordsOf,
  named,
  namespaceOf,
  ofKind,
  specOf,
  titled,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';
import { workloadsOf, type Workload } from './workload.ts';

/**
 * Finds PodDisruptionBudgets that allow no eviction, so that a drain waits until its timeout. The upgrade from MKE 3 does not
 * drain nodes, but maintenance and later upgrades of the new cluster do.
 */
export function disruptionBudgets(view: ClusterView): Finding[] {
  const workloads = workloadsOf(view);
  return ofKind(view, 'PodDisruptionBudget').flatMap((budget): Finding[] => {
    const protectedOnes = workloads.filter((workload) => protects(budget, workload));
    // A drain does not evict DaemonSet pods.
    const evicted = protectedOnes.filter(({ kind }) => kind !== 'DaemonSet');
    if (protectedOnes.length > 0 && evicted.length === 0) return [];
    if (protectedOnes.length === 0 && protectsNothing(budget, workloads)) return [];
    const { inNamespace, target } = kubectlWordsOf(budget);
    const status = objectOf(budget['status']);
    const pods = podsOf(status, evicted);
    const why = strict(specOf(budget), pods);
    const base = { id: 'drain_budget', severity: 'warning', blocking: false } as const;
    const title = titled(budget);
    const whose = evicted.length > 0 ? ` of ${named(evicted.map((one) => one.title))}` : '';
    if (why !== undefined)
      return [
        {
          ...base,
          object: title,
          evidence: `${why}, so no pod${whose} can be evicted and a drain of its node waits until its timeout.`,
          remedy: `kubectl${inNamespace} patch ${target} --type=merge -p '{"spec":{"minAvailable":null,"maxUnavailable":1}}'`,
        },
      ];
    const missing = unhealthy(budget);
    return missing === undefined
      ? []
      : [
          {
            ...base,
            object: title,
            evidence: `${missing}, so no pod${whose} can be evicted and a drain of its node waits until the pods are healthy.`,
            remedy: `kubectl${inNamespace} patch ${target} --type=merge -p '{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}'`,
          },
        ];
  });
}

/** Whether a budget selects no workload in its namespace, and Kubernetes has not counted pods for it. */
function protectsNothing(budget: JsonObject, workloads: readonly Workload[]): boolean {
  const isCounted = Object.hasOwn(objectOf(budget['status']), 'expectedPods');
  const hasSelector = isJsonObject(specOf(budget)['selector']);
  const hasOthers = workloads.some(({ namespace }) => namespace === namespaceOf(budget));
  return !hasSelector || (!isCounted && hasOthers);
}

function protects(budget: JsonObject, { namespace, labels }: Workload): boolean {
  const { selector } = specOf(budget);
  return isJsonObject(selector) && namespace === namespaceOf(budget) && selects(selector, labels);
}

/** Number of pods that the budget protects; undefined if it is not known. */
function podsOf(status: JsonObject, workloads: readonly Workload[]): number | undefined {
  const counts = workloads.map(({ replicas }) => replicas);
  if (counts.length > 0 && counts.every((count) => count !== undefined))
    return counts.reduce((sum, count) => sum + count, 0);
  const { expectedPods } = status;
  return typeof expectedPods === 'number' ? expectedPods : undefined;
}

/** Why a budget allows no eviction even if all pods are healthy; undefined if it does. */
function strict(
  { minAvailable, maxUnavailable }: JsonObject,
  pods: number | undefined,
): string | undefined {
  if (pods === 0) return undefined;
  if (isGiven(maxUnavailable))
    return amount(maxUnavailable, pods ?? 100) === 0
      ? `maxUnavailable is ${String(maxUnavailable)}`
      : undefined;
  if (!isGiven(minAvailable)) return undefined;
  const said = `minAvailable is ${String(minAvailable)}`;
  if (pods === undefined) return minAvailable === '100%' ? said : undefined;
  const needed = amount(minAvailable, pods);
  const all = pods === 1 ? 'the only pod' : `all ${String(pods)} pods`;
  return needed >= pods ? `${said}, which means ${all}` : undefined;
}

const isGiven = (value: JsonValue | undefined): value is string | number =>
  typeof value === 'string' || typeof value === 'number';

/** Resolves a number or a percentage of the pods. Kubernetes rounds up in both fields. */
function amount(value: JsonValue, pods: number): number {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? Number(value) : Math.ceil((Number(percent) / 100) * pods);
}

/** Why a budget allows no eviction at present; undefined if it does. */
function unhealthy(budget: JsonObject): string | undefined {
  const { currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods } = objectOf(
    budget['status'],
  );
  if (disruptionsAllowed !== 0 || typeof expectedPods !== 'number' || expectedPods === 0)
    return undefined;
  if (typeof currentHealthy !== 'number' || typeof desiredHealthy !== 'number') return undefined;
  if (specOf(budget)['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return undefined;
  return currentHealthy <= desiredHealthy
    ? `${String(desiredHealthy)} pods must be healthy, but only ${String(currentHealthy)} of ${String(expectedPods)} are`
    : undefined;
}
