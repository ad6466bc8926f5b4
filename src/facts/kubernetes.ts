import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import { quoteAll } from '../util/shell.ts';

/** Whether a node takes new pods; undefined if the cluster has no such node. The call is a JSON list of words. */
export const nodeSchedulable: Fact<[call: string, node: string], boolean | undefined> = {
  name: 'kubernetes.schedulable',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'node', node, '-o', 'jsonpath={.spec.unschedulable}'],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code === 0) return stdout.trim() !== 'true';
    if (stderr.includes('NotFound')) return undefined;
    throw new TaskError(`Cannot read the node "${node}" from Kubernetes: ${stderr.trim()}`);
  },
};

const POD =
  '{.metadata.namespace}/{.metadata.name} {.metadata.ownerReferences[0].kind} {.status.phase} {.metadata.annotations.kubernetes\\.io/config\\.mirror}';

/** Pods on a node that a drain would evict: all but DaemonSet pods, static pods and finished pods. */
export const podsToMove: Fact<[call: string, node: string], string[]> = {
  name: 'kubernetes.pods',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'pods', '--all-namespaces', '--field-selector', `spec.nodeName=${node}`],
      ...['-o', `jsonpath={range .items[*]}${POD}{"\\n"}{end}`],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code !== 0) throw new TaskError(`Cannot list the pods of "${node}": ${stderr.trim()}`);
    return stdout.split('\n').flatMap((line) => {
      const [name = '', owner = '', phase = '', mirror = ''] = line.split(' ');
      const stays =
        owner === 'DaemonSet' || mirror !== '' || ['Succeeded', 'Failed'].includes(phase);
      return name === '' || stays ? [] : [name];
    });
  },
};

/** Labels, annotations and taints of a node. */
export interface NodeMarks {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: { key: string; value: string; effect: string }[];
}

const MARKS = ['{.metadata.labels}', '{.metadata.annotations}', '{.spec.taints}'];

/** Undefined if the cluster has no such node. */
export const nodeMarks: Fact<[call: string, node: string], NodeMarks | undefined> = {
  name: 'kubernetes.marks',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'node', node, '-o', `jsonpath=${MARKS.join('{"\\n"}')}`],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code !== 0) {
      if (stderr.includes('NotFound')) return undefined;
      throw new TaskError(`Cannot read the node "${node}" from Kubernetes: ${stderr.trim()}`);
    }
    const [labels, annotations, taints] = stdout.split('\n').map((line) => json(line, node));
    return {
      labels: texts(labels),
      annotations: texts(annotations),
      taints: (Array.isArray(taints) ? taints : []).filter(isJsonObject).map((taint) => ({
        key: String(taint['key']),
        value: typeof taint['value'] === 'string' ? taint['value'] : '',
        effect: String(taint['effect']),
      })),
    };
  },
};

const REQUIRED =
  '{.spec.nodeSelector}{"\\n"}{.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution}';

/**
 * Names of the labels that pods on a node require. After a restart, the kubelet rejects such a pod if the node has lost the
 * label (admission predicate NodeAffinity).
 */
export const requiredLabels: Fact<[call: string, node: string], string[]> = {
  name: 'kubernetes.required_labels',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'pods', '--all-namespaces', '--field-selector', `spec.nodeName=${node}`],
      ...['-o', `jsonpath={range .items[*]}${REQUIRED}{"\\n"}{end}`],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code !== 0) throw new TaskError(`Cannot list the pods of "${node}": ${stderr.trim()}`);
    const names = stdout.split('\n').flatMap((line) => {
      const rule = json(line, node);
      if (!isJsonObject(rule)) return [];
      const terms = rule['nodeSelectorTerms'];
      return Array.isArray(terms) ? terms.flatMap(labelsOfTerm) : Object.keys(rule);
    });
    return [...new Set(names)];
  },
};

/** Labels that a term of a node selector requires; "NotIn" and "DoesNotExist" are true without the label. */
function labelsOfTerm(term: JsonValue): string[] {
  const rules = isJsonObject(term) ? term['matchExpressions'] : undefined;
  return (Array.isArray(rules) ? rules : [])
    .filter(isJsonObject)
    .filter(({ operator }) => operator !== 'NotIn' && operator !== 'DoesNotExist')
    .map(({ key }) => String(key));
}

/** An empty line is a missing field. */
function json(line: string, node: string): JsonValue | undefined {
  if (line.trim() === '') return undefined;
  try {
    return JSON.parse(line) as JsonValue;
  } catch {
    throw new TaskError(`Expected JSON from kubectl for "${node}" but found: ${line}`, {
      hint: 'Use kubectl 1.20 or later.',
    });
  }
}

function texts(value: JsonValue | undefined): Record<string, string> {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([name, one]) => [name, String(one)]));
}

export interface PodAddress {
  name: string;
  node: string;
  address: string;
  /** TCP ports that its containers declare or that the kubelet probes. */
  ports: number[];
}

const PROBED = ['livenessProbe', 'readinessProbe'].map((probe) => `TCP/{.${probe}.httpGet.port} `);
const ADDRESS_FIELDS = [
  '{.metadata.name}',
  '{.spec.nodeName}',
  '{.status.phase}',
  '{.spec.hostNetwork}',
  '{.status.podIP}',
  `{range .spec.containers[*]}{range .ports[*]}{.protocol}/{.containerPort} {end}${PROBED.join('')}{end}`,
  '{.metadata.deletionTimestamp}',
];

/** Running pods with their own IP address and a TCP port. The selector may be empty. */
export const podAddresses: Fact<[call: string, namespace: string, selector: string], PodAddress[]> =
  {
    name: 'kubernetes.pod_addresses',
    command: (call, namespace, selector) => ({
      script: quoteAll([
        ...(JSON.parse(call) as string[]),
        ...['get', 'pods', '-n', namespace, ...(selector === '' ? [] : ['-l', selector])],
        ...['--request-timeout=30s', '-o'],
        `jsonpath={range .items[*]}${ADDRESS_FIELDS.join('{"\\t"}')}{"\\n"}{end}`,
      ]),
    }),
    parse({ code, stdout, stderr }, _call, namespace) {
      if (code !== 0)
        throw new TaskError(`Cannot list the pods of "${namespace}": ${stderr.trim()}`);
      return stdout.split('\n').flatMap((line) => {
        const [name = '', node = '', phase, hostNetwork, address = '', words = '', deleted = ''] =
          line.split('\t');
        const ports = words
          .split(' ')
          .flatMap((word) => /^TCP\/(\d+)$/.exec(word)?.[1] ?? [])
          .map(Number);
        const ends = phase !== 'Running' || deleted !== '';
        if (ends || hostNetwork === 'true' || address === '' || ports.length === 0) return [];
        return [{ name, node, address, ports: [...new Set(ports)] }];
      });
    },
  };
