import { objectOf, type JsonObject } from '../../core/json.ts';
import { listOf, nameOf, namespaceOf, ofKind, textOf, type ClusterView } from './cluster-view.ts';
import type { Finding, Severity } from './finding.ts';
import { holds, hostMountsOf, plainPath } from './host-mounts.ts';
import { containersOf, wordsOfContainer, workloadsOf, type Workload } from './workload.ts';

/*
 * With Docker, /var/log/containers/*.log are links to /var/log/pods, which are links to JSON files in
 * /var/lib/docker/containers. With containerd, the files are in /var/log/pods in the CRI format: "TIME stdout F text". An agent
 * that reads /var/log/containers and supports both formats continues to work; one that reads Docker's directory finds no logs.
 */

const LOGS = '/var/log';

/** Whether a path is mounted to read container logs. */
export function readsLogFiles(workload: Workload, path: string, root: string): boolean {
  if (holds(`${root}/containers`, path)) return true;
  return path === root && hostMountsOf(workload).some((one) => isLogMount(one.path));
}

const isLogMount = (path: string): boolean =>
  [LOGS, `${LOGS}/containers`, `${LOGS}/pods`].includes(path);

/** Settings of log agents that select the Docker format. */
const DOCKER_FORMAT = [
  /^\s*parser\s+docker\b/im,
  /^\s*docker_mode\s+on\b/im,
  /^\s*multiline\.parser\s+docker\s*$/im,
  /^\s*(-\s*)?docker:\s*(\{\s*\})?\s*$/m,
  /\bstage\.docker\b/,
  /^\s*(-\s*)?type:\s*["']?docker["']?\s*$/m,
  // Only in a source of fluentd: an output can use JSON for any input format.
  /<source>(?:(?!<\/source>)[^])*\/var\/log\/containers(?:(?!<\/source>)[^])*^\s*(?:format|@type)\s+json\b/m,
  /^FLUENT_CONTAINER_TAIL_PARSER_TYPE=["']?json\b/m,
];
/** Selects only the Docker format: without it, `container` of filebeat and the OpenTelemetry collector reads both formats. */
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

/** Names of the ConfigMaps that a pod uses. */
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

/** Workloads that read container logs. Only their ConfigMaps are needed. */
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
        remedy: `kubectl${inNamespace} edit ${target} # mount /var/log and read /var/log/containers/*.log in the CRI format`,
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
      evidence: `The agent is configured to read ${files}. After the upgrade, pod logs are no longer written there.`,
    };
  if (docker !== undefined && !paths.some(isLogMount))
    return {
      severity: 'error',
      evidence: `The agent reads logs from ${docker} and does not mount /var/log. containerd writes pod logs to /var/log/pods, so the agent finds no logs after the upgrade.`,
    };
  const isDocker = matches(ONLY_DOCKER, settings);
  if (!isDocker && matches(CRI_FORMAT, settings)) return undefined;
  if (isDocker || matches(DOCKER_FORMAT, settings))
    return {
      severity: docker === undefined ? 'warning' : 'error',
      evidence: `The agent parses pod logs as Docker JSON. containerd writes the CRI format to the same paths in /var/log/containers, so the agent cannot parse them after the upgrade.`,
    };
  return docker === undefined
    ? undefined
    : {
        severity: 'warning',
        evidence: `The agent mounts ${docker}, as agents for Docker's JSON logs do, and its configuration does not show whether it supports the CRI format. After the upgrade, the files are in /var/log/pods.`,
      };
}
