import { objectOf, type JsonObject } from '../../core/json.ts';
import { listOf, nameOf, namespaceOf, ofKind, textOf, type ClusterView } from './cluster-view.ts';
import type { Finding, Severity } from './finding.ts';
import { holds, hostMountsOf, plainPath } from './host-mounts.ts';
import { containersOf, wordsOfContainer, workloadsOf, type Workload } from './workload.ts';

/*
 * Under Docker, /var/log/containers/*.log are links to /var/log/pods, and those to JSON files in /var/lib/docker/containers. Under
 * containerd the files themselves are in /var/log/pods, in the format of CRI: "TIME stdout F text". So an agent that reads
 * /var/log/containers goes on if it understands both formats; one that reads Docker's directory finds nothing.
 */

const LOGS = '/var/log';

/** Whether a mounted path is there for the logs of containers. */
export function readsLogFiles(workload: Workload, path: string, root: string): boolean {
  if (holds(`${root}/containers`, path)) return true;
  return path === root && hostMountsOf(workload).some((one) => isLogMount(one.path));
}

const isLogMount = (path: string): boolean =>
  [LOGS, `${LOGS}/containers`, `${LOGS}/pods`].includes(path);

/** What the settings of an agent say about formats. */
const DOCKER_FORMAT = [
  /^\s*parser\s+docker\b/im,
  /^\s*docker_mode\s+on\b/im,
  /^\s*multiline\.parser\s+docker\s*$/im,
  /^\s*(-\s*)?docker:\s*(\{\s*\})?\s*$/m,
  /\bstage\.docker\b/,
  /^\s*(-\s*)?type:\s*["']?docker["']?\s*$/m,
  // In a source of fluentd; an output may be JSON whatever it reads.
  /<source>(?:(?!<\/source>)[^])*\/var\/log\/containers(?:(?!<\/source>)[^])*^\s*(?:format|@type)\s+json\b/m,
  /^FLUENT_CONTAINER_TAIL_PARSER_TYPE=["']?json\b/m,
];
/** Says so whatever else the settings have: `container` of filebeat and of the OpenTelemetry collector reads both otherwise. */
const ONLY_DOCKER = [/^\s*format:\s*["']?docker\b/m];
const CRI_FORMAT = [
  /\bcri(-?o)?\b/i,
  /containerd/i,
  /^\s*(-\s*)?type:\s*["']?container["']?\s*$/m,
  /^\s*-\s*container:/m,
  /\bkubernetes_logs\b/,
];

const matches = (patterns: readonly RegExp[], text: string): boolean =>
  patterns.some((pattern) => pattern.test(text));

/** Names of the ConfigMaps that a pod reads, in its namespace. */
export function configMapsOf(pod: JsonObject): string[] {
  const names = [
    ...listOf(pod['volumes']).flatMap((volume) => [
      objectOf(volume['configMap'])['name'],
      ...listOf(objectOf(volume['projected'])['sources']).map(
        (source) => objectOf(source['configMap'])['name'],
      ),
    ]),
    ...containersOf(pod).flatMap((container) => [
      ...listOf(container['envFrom']).map((from) => objectOf(from['configMapRef'])['name']),
      ...listOf(container['env']).map(
        (one) => objectOf(objectOf(one['valueFrom'])['configMapKeyRef'])['name'],
      ),
    ]),
  ];
  return [...new Set(names.filter((name) => typeof name === 'string'))];
}

/** Workloads whose settings decide: the ConfigMaps of others need not be read. */
export function logAgentsOf(view: ClusterView, roots: readonly string[]): Workload[] {
  return workloadsOf(view).filter((workload) =>
    hostMountsOf(workload).some(
      ({ path }) =>
        isLogMount(path) || roots.some((root) => readsLogFiles(workload, path, plainPath(root))),
    ),
  );
}

/** @param roots data directories of the Docker engines */
export function dockerLogs(view: ClusterView, roots: readonly string[]): Finding[] {
  const plain = roots.map(plainPath);
  const maps = new Map(
    ofKind(view, 'ConfigMap').map((map) => [`${namespaceOf(map)}/${nameOf(map)}`, map]),
  );
  return logAgentsOf(view, roots).flatMap((workload) => {
    const judged = judge(workload, plain, settingsOf(workload, maps));
    if (!judged) return [];
    const { title, inNamespace, target } = workload;
    const { severity, evidence } = judged;
    return [
      {
        id: 'docker_logs',
        severity,
        blocking: false,
        object: title,
        evidence,
        remedy: `kubectl${inNamespace} edit ${target} # read /var/log/containers/*.log in the format of CRI, and mount /var/log`,
      },
    ];
  });
}

function settingsOf({ namespace, pod }: Workload, maps: ReadonlyMap<string, JsonObject>): string {
  const words = containersOf(pod).flatMap(wordsOfContainer);
  const files = configMapsOf(pod).flatMap((name) =>
    Object.values(objectOf(maps.get(`${namespace}/${name}`)?.['data'])).map(textOf),
  );
  return withoutComments([...words, ...files].join('\n'));
}

const withoutComments = (text: string): string => text.replaceAll(/^\s*#.*$/gm, '');

function judge(
  workload: Workload,
  roots: readonly string[],
  settings: string,
): { severity: Severity; evidence: string } | undefined {
  const paths = hostMountsOf(workload)
    .filter(({ container }) => container !== undefined)
    .map(({ path }) => path);
  const docker = paths.find((path) => roots.some((root) => readsLogFiles(workload, path, root)));
  const files = roots.map((root) => `${root}/containers`).find((one) => settings.includes(one));
  if (files !== undefined && docker !== undefined)
    return {
      severity: 'error',
      evidence: `The agent is told to read ${files}, where no logs of pods are written after the upgrade.`,
    };
  if (docker !== undefined && !paths.some(isLogMount))
    return {
      severity: 'error',
      evidence: `The agent reads logs from ${docker} and does not mount /var/log. containerd writes the logs of pods to /var/log/pods, so it finds none after the upgrade.`,
    };
  const isDocker = matches(ONLY_DOCKER, settings);
  if (!isDocker && matches(CRI_FORMAT, settings)) return undefined;
  if (isDocker || matches(DOCKER_FORMAT, settings))
    return {
      severity: docker === undefined ? 'warning' : 'error',
      evidence: `The agent reads the logs of pods as JSON of Docker. containerd writes lines in the format of CRI to the same paths in /var/log/containers, so they are not parsed after the upgrade.`,
    };
  return docker === undefined
    ? undefined
    : {
        severity: 'warning',
        evidence: `The agent mounts ${docker}, as readers of Docker's JSON logs do, and its settings do not say whether it understands the format of CRI. It finds the files after the upgrade in /var/log/pods.`,
      };
}
