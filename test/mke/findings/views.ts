import type { JsonObject } from '../../../src/core/json.ts';
import type { ClusterView } from '../../../src/mke/findings/cluster-view.ts';
import type { Finding } from '../../../src/mke/findings/finding.ts';
import { COMPLETE, parseDocuments } from './corpus.ts';

/** Creates a cluster view from objects in YAML. */
export function viewOf(text: string, complete: ReadonlySet<string> = COMPLETE): ClusterView {
  return { objects: parseDocuments(text), complete };
}

/** A DaemonSet with one container and hostPath volumes, given as `PATH` or `PATH=SUBPATH`. */
export function daemonSet(name: string, paths: readonly string[], container: JsonObject = {}) {
  const mounts = paths.map((path, index) => {
    const [, subPath] = path.split('=');
    const base = { name: `v${String(index)}`, mountPath: `/m${String(index)}` };
    return subPath === undefined ? base : { ...base, subPath };
  });
  const volumes = paths.map((path, index) => ({
    name: `v${String(index)}`,
    hostPath: { path: path.split('=')[0] ?? '' },
  }));
  const containers = [{ name: 'main', image: 'x:1', volumeMounts: mounts, ...container }];
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'ops' },
    spec: { template: { metadata: { labels: { app: name } }, spec: { containers, volumes } } },
  };
}

/** Summarizes findings: severity, ID and object. */
export const brief = (findings: readonly Finding[]): string[] =>
  findings.map(({ id, severity, object }) => `${severity} ${id} ${object}`);
