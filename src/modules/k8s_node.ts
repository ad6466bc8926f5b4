import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { nodeSchedulable, podsToMove } from '../facts/kubernetes.ts';
import { programProperty, programWords } from './gate.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, description: 'Node, as Kubernetes calls it.' },
    state: {
      enum: ['cordoned', 'drained', 'uncordoned'],
      description: 'Takes no new pods; has none that can be moved; takes pods.',
    },
    kubectl: programProperty('kubectl'),
    kubeconfig: { type: 'string', pattern: '^/', description: 'Configuration on the host.' },
    context: { type: 'string', minLength: 1, description: 'Context in the configuration.' },
    delete_emptydir_data: {
      type: 'boolean',
      description: 'Drain pods whose data in an emptyDir is lost. Default: false.',
    },
    force: {
      type: 'boolean',
      description: 'Drain pods that nothing starts again elsewhere. Default: false.',
    },
    disable_eviction: {
      type: 'boolean',
      description: 'Delete pods without asking their disruption budgets. Default: false.',
    },
    grace_period: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds each pod has to end. Default: what the pod says.',
    },
    pod_selector: { type: 'string', minLength: 1, description: 'Drain only these pods.' },
    timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds that draining may take. Default: 300.',
    },
  },
  required: ['name', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const k8s_node: Module<Args> = {
  name: 'k8s_node',
  summary: 'Cordon, drain or uncordon a node of Kubernetes.',
  schema,

  async plan(args, host) {
    const { name, state } = args;
    const call = callOf(args);
    const key = JSON.stringify(call);
    const [takesPods, pods] = await Promise.all([
      host.fact(nodeSchedulable, key, name),
      state === 'drained' ? host.fact(podsToMove, key, name) : [],
    ]);
    if (takesPods === undefined)
      throw new TaskError(`Kubernetes has no node "${name}".`, {
        hint: `List them with: ${call.join(' ')} get nodes.`,
      });
    const kubectl = (...words: string[]) => exec(...([...call, ...words] as [string, ...string[]]));
    const result = { name, unschedulable: !takesPods, pods };
    if (state === 'uncordoned')
      return { actions: takesPods ? [] : [kubectl('uncordon', name)], result };
    if (state === 'cordoned')
      return { actions: takesPods ? [kubectl('cordon', name)] : [], result };
    const settled = !takesPods && pods.length === 0;
    return { actions: settled ? [] : [kubectl('drain', name, ...drainFlags(args))], result };
  },

  /** Pods that were moved are started by their controllers where there is room; only the mark goes back. */
  async restore(args, host) {
    const { name, kubectl, kubeconfig, context } = args;
    const takesPods = await host.fact(nodeSchedulable, JSON.stringify(callOf(args)), name);
    const how = { kubectl, kubeconfig, context };
    const given = Object.entries(how).filter(([, value]) => value !== undefined);
    const state = takesPods === false ? 'cordoned' : 'uncordoned';
    return [
      { module: 'k8s_node', args: { name, state, ...(Object.fromEntries(given) as JsonObject) } },
    ];
  },
};

function callOf({ kubectl, kubeconfig, context }: Args): string[] {
  return [
    ...programWords(kubectl, 'kubectl'),
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
  ];
}

function drainFlags(args: Args): string[] {
  return [
    '--ignore-daemonsets',
    ...(args.delete_emptydir_data ? ['--delete-emptydir-data'] : []),
    ...(args.force ? ['--force'] : []),
    ...(args.disable_eviction ? ['--disable-eviction'] : []),
    ...(args.grace_period === undefined ? [] : [`--grace-period=${String(args.grace_period)}`]),
    ...(args.pod_selector === undefined ? [] : [`--pod-selector=${args.pod_selector}`]),
    `--timeout=${String(args.timeout ?? 300)}s`,
  ];
}
