import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { podAddresses } from '../facts/kubernetes.ts';
import { kubectlCall, kubectlProperties } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    namespace: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9-]*$',
      description: 'Namespace of the pods.',
    },
    selector: { type: 'string', minLength: 1, description: 'Label selector. Default: all pods.' },
    ...kubectlProperties,
  },
  required: ['namespace'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const k8s_pods: Module<FromSchema<typeof schema>> = {
  name: 'k8s_pods',
  summary: 'List running pods with their own IP addresses and TCP ports.',
  args: schema,
  effect: 'reads',

  async plan({ namespace, selector, ...args }, { host }) {
    const call = kubectlCall(args);
    const pods = await host.fact(podAddresses, JSON.stringify(call), namespace, selector ?? '');
    const targets = pods.flatMap(({ address, ports }) => {
      const where = address.includes(':') ? `[${address}]` : address;
      return ports.map((port) => `${where}:${String(port)}`);
    });
    return { actions: [], result: { pods: pods.map((pod) => ({ ...pod })), targets } };
  },
};
