import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { listOf } from './lib/arguments.ts';
import {
  gateProperties,
  kubectlCall,
  kubectlProperties,
  unitProperty,
  unitRestartsProperty,
  waitUntil,
} from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    kind: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9.-]*$',
      description: 'Kind of object, such as node, deployment, daemonset, statefulset, job or pod.',
    },
    name: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', pattern: '^[a-z0-9.-]+$' }, minItems: 1 },
      ],
      description: 'Name of one object, or names of several nodes.',
    },
    selector: { type: 'string', minLength: 1, description: 'Label selector, for several objects.' },
    namespace: {
      type: 'string',
      minLength: 1,
      description: 'Namespace. Default: that of the context.',
    },
    condition: {
      type: 'string',
      pattern: '^[A-Za-z0-9=.-]+$',
      description:
        'Condition to wait for, such as Ready, or "deleted". Default: a workload is rolled out, a job is complete, any other object is Ready.',
    },
    kubelet_version: {
      type: 'string',
      pattern: '^v[0-9A-Za-z.+-]+$',
      description:
        'Version that the kubelets of the nodes must report, such as v1.29.15+k0s. A node keeps its earlier Ready condition when its kubelet is replaced, so Ready alone is not enough.',
    },
    container_runtime: {
      type: 'string',
      pattern: '^[a-z-]+$',
      description: 'Container runtime that the nodes must report, such as containerd.',
    },
    path: {
      type: 'string',
      pattern: '^/[A-Za-z0-9/._?=&-]*$',
      description: 'API path that must answer, such as /readyz, instead of kind.',
    },
    ...kubectlProperties,
    unit: unitProperty,
    unit_restarts: unitRestartsProperty,
    ...gateProperties,
  },
  oneOf: [{ required: ['kind'] }, { required: ['path'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const workloads = ['deployment', 'daemonset', 'statefulset'];
/** Time limit of one kubectl call, so that a broken connection is noticed. */
const CALL_SECONDS = 60;

export const k8s_wait: Module<Args> = {
  name: 'k8s_wait',
  summary: 'Wait until Kubernetes answers, or until its objects are ready, rolled out or deleted.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { kind = '', name, selector, path, namespace } = args;
    if (name !== undefined && selector !== undefined)
      throw new TaskError('"name" and "selector" cannot be combined.');
    const call = [...kubectlCall(args), ...(namespace === undefined ? [] : ['-n', namespace])];
    if (path !== undefined)
      return waitUntil(quoteAll([...call, 'get', '--raw', path, REQUEST_LIMIT]), { ...args, once });
    const singular = kind.toLowerCase().replace(/s$/, '');
    const isNode = singular === 'node' || singular === 'no';
    const nodeFields = args.kubelet_version !== undefined || args.container_runtime !== undefined;
    if (!isNode && (nodeFields || Array.isArray(name)))
      throw new TaskError(
        'Several names, "kubelet_version" and "container_runtime" need "kind: node".',
      );
    if (isNode && (nodeFields || Array.isArray(name))) {
      if (args.condition !== undefined || selector !== undefined)
        throw new TaskError(
          '"condition" and "selector" cannot be combined with several names, "kubelet_version" or "container_runtime".',
        );
      return waitUntil(nodesLook(call, args), { ...args, once });
    }
    const one = listOf(name)[0];
    const rollsOut = workloads.includes(singular) && args.condition === undefined;
    if (rollsOut && one === undefined)
      throw new TaskError(`Waiting for a rollout needs the "name" of the ${singular}.`);
    const limit = `--timeout="$([ "$left" -lt ${String(CALL_SECONDS)} ] && echo "$left" || echo ${String(CALL_SECONDS)})"s`;
    const words = rollsOut
      ? ['rollout', 'status', `${singular}/${one ?? ''}`]
      : ['wait', `--for=${conditionOf(args, singular)}`, ...whichOf(kind, one, selector)];
    return waitUntil(`${quoteAll([...call, ...words])} ${limit}`, { ...args, once });
  },
};

/** Ends a request without an answer, so that the wait can retry. */
const REQUEST_LIMIT = '--request-timeout=10s';

const NODE_FIELDS = [
  '.metadata.name',
  '.status.conditions[?(@.type=="Ready")].status',
  '.status.nodeInfo.kubeletVersion',
  '.status.nodeInfo.containerRuntimeVersion',
];

/** Prints the problem of each node. Without names, all nodes are checked. */
const NODES_LOOK = `awk -F '\t' -v names="$1" -v kubelet="$2" -v runtime="$3" '
  function wrong(text) { print text; bad = 1 }
  BEGIN { count = split(names, list, " "); for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
  $1 == "" || (count > 0 && !($1 in wanted)) { next }
  { seen[$1] = 1; total++ }
  $2 != "True" { wrong($1 ": Ready is " ($2 == "" ? "not reported" : $2)); next }
  kubelet != "" && $3 != kubelet { wrong($1 ": kubelet " $3 " instead of " kubelet); next }
  runtime != "" && index($4, runtime "://") != 1 { wrong($1 ": container runtime " $4 " instead of " runtime); next }
  END {
    for (i = 1; i <= count; i++) if (!(list[i] in seen)) wrong(list[i] ": not registered")
    if (total == 0 && count == 0) wrong("there are no nodes")
    if (!bad) print total " nodes are ready"
    exit bad
  }'`;

function nodesLook(call: readonly string[], args: Args): string {
  const { name, kubelet_version: kubelet = '', container_runtime: runtime = '' } = args;
  const fields = NODE_FIELDS.map((field) => `{${field}}`).join('{"\\t"}');
  const template = `jsonpath={range .items[*]}${fields}{"\\n"}{end}`;
  const get = quoteAll([...call, 'get', 'nodes', '-o', template, REQUEST_LIMIT]);
  const wanted = [listOf(name).join(' '), kubelet, runtime].map((text) => quote(text)).join(' ');
  return `{ rows=$(${get}) && { set -- ${wanted}; printf '%s\\n' "$rows" | ${NODES_LOOK}; }; }`;
}

function conditionOf({ condition }: Args, kind: string): string {
  if (condition === 'deleted') return 'delete';
  return `condition=${condition ?? (kind === 'job' ? 'complete' : 'Ready')}`;
}

function whichOf(kind: string, name: string | undefined, selector: string | undefined): string[] {
  if (name !== undefined) return [`${kind}/${name}`];
  return selector === undefined ? [kind, '--all'] : [kind, '-l', selector];
}
