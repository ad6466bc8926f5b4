import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quoteAll } from '../util/shell.ts';
import { gateProperties, programProperty, programWords, waitUntil } from './gate.ts';

const schema = {
  type: 'object',
  properties: {
    kind: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9.-]*$',
      description: 'Kind of object, such as node, deployment, daemonset, statefulset, job or pod.',
    },
    name: { type: 'string', minLength: 1, description: 'Name of one object.' },
    selector: { type: 'string', minLength: 1, description: 'Label selector, for several.' },
    namespace: { type: 'string', minLength: 1, description: 'Default: that of the context.' },
    condition: {
      type: 'string',
      pattern: '^[A-Za-z0-9=.-]+$',
      description:
        'What must hold: a condition such as Ready, or "deleted". Default: a workload is rolled out, a job is complete, anything else is Ready.',
    },
    kubectl: programProperty('kubectl'),
    kubeconfig: { type: 'string', pattern: '^/', description: 'Configuration on the host.' },
    context: { type: 'string', minLength: 1, description: 'Context in the configuration.' },
    ...gateProperties,
  },
  required: ['kind'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const workloads = ['deployment', 'daemonset', 'statefulset'];
/** One call of kubectl waits at most that long, so that one whose line broke is noticed. */
const CALL_SECONDS = 60;

export const k8s_wait: Module<Args> = {
  name: 'k8s_wait',
  summary: 'Wait until objects of Kubernetes are ready, rolled out or gone.',
  schema,
  readOnly: true,

  plan(args) {
    const { kind, name, selector, namespace, kubeconfig, context } = args;
    if (name !== undefined && selector !== undefined)
      throw new TaskError('"name" and "selector" do not go together.');
    const call = [
      ...programWords(args.kubectl, 'kubectl'),
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
      ...(context === undefined ? [] : ['--context', context]),
      ...(namespace === undefined ? [] : ['-n', namespace]),
    ];
    const singular = kind.toLowerCase().replace(/s$/, '');
    const rollsOut = workloads.includes(singular) && args.condition === undefined;
    if (rollsOut && name === undefined)
      throw new TaskError(`A rollout is waited for by "name": which ${singular}?`);
    const limit = `--timeout="$([ "$left" -lt ${String(CALL_SECONDS)} ] && echo "$left" || echo ${String(CALL_SECONDS)})"s`;
    const words = rollsOut
      ? ['rollout', 'status', `${singular}/${name ?? ''}`]
      : ['wait', `--for=${conditionOf(args, singular)}`, ...whichOf(args)];
    return waitUntil(`${quoteAll([...call, ...words])} ${limit}`, args);
  },
};

function conditionOf({ condition }: Args, kind: string): string {
  if (condition === 'deleted') return 'delete';
  return `condition=${condition ?? (kind === 'job' ? 'complete' : 'Ready')}`;
}

function whichOf({ kind, name, selector }: Args): string[] {
  if (name !== undefined) return [`${kind}/${name}`];
  return selector === undefined ? [kind, '--all'] : [kind, '-l', selector];
}
