import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { objectOf, toJson, type JsonObject } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { checkFlags } from '../component-flags.ts';
import { convertConfig } from '../convert/convert.ts';
import type { ConvertOptions } from '../convert/types.ts';
import { configToYaml } from '../convert/yaml.ts';
import { k0sSettings } from '../k0s-config.ts';
import { parseMke3Config } from '../mke3-config.ts';
import { compatibility, compatibilityText, shownConfig } from '../report.ts';
import { targets } from '../mke4-defaults.ts';

const schema = {
  type: 'object',
  properties: {
    toml: { type: 'string', description: 'Configuration of MKE 3, as its API gives it.' },
    hosts: {
      type: 'array',
      description: 'The nodes.',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name in the inventory; the address by default.' },
          node: { type: 'string', description: 'Name of the node in MKE 3.' },
          role: { enum: ['manager', 'worker'], description: 'Role in MKE 3.' },
          address: { type: 'string', description: 'Address for SSH.' },
          node_address: {
            type: 'string',
            description:
              'Address by which the other nodes reach it; becomes --node-ip of its kubelet.',
          },
          port: { type: 'integer', description: 'Port of SSH.' },
          user: { type: 'string', description: 'User of SSH.' },
          key_path: { type: 'string', description: 'Private key on the operator machine.' },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Labels of the node; one with the name of a kubelet profile chooses it.',
          },
        },
        required: ['role', 'address', 'port', 'user', 'key_path'],
        additionalProperties: false,
      },
    },
    nodes: {
      type: 'array',
      description:
        'Nodes as mke3_cluster reads them; their labels are added to those of the hosts.',
      items: {
        type: 'object',
        properties: {
          hostname: { type: 'string', description: 'Name of the node.' },
          labels: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Its labels.',
          },
        },
        required: ['hostname'],
        additionalProperties: { description: 'Other facts about the node, which are ignored.' },
      },
    },
    external_address: {
      type: 'string',
      description: 'Name of the load balancer in front of the managers.',
    },
    target: {
      enum: targets,
      description: 'Release of MKE 4 whose configuration is made. Default: 4.0.',
    },
    ldap: {
      type: 'object',
      description: 'LDAP settings of MKE 3 as its API gives them; empty when there are none.',
    },
    image_registry: {
      type: 'string',
      description: 'Registry of images, HOST[:PORT]/PATH. Only 4.1.',
    },
    chart_registry: { type: 'string', description: 'Registry of charts, oci://…. Only 4.1.' },
    airgapped: { type: 'boolean', description: 'The cluster has no access to the internet.' },
    leave_out: {
      type: 'array',
      items: { type: 'string' },
      description: 'Flags and admission plugins that are not taken over, by name.',
    },
    k0s_version: {
      type: 'string',
      description: 'Release of k0s whose components get the custom flags, such as v1.29.15+k0s.0.',
    },
    kubernetes_flags: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'string' } },
      },
      description:
        'Further flags that components know, by minor release of Kubernetes and by component: { "1.33": { "kubelet": ["max-pods"] } }; "admission-plugins" and "feature-gates" likewise.',
    },
  },
  required: ['toml', 'hosts'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke4_config: Module<FromSchema<typeof schema>> = {
  name: 'mke4_config',
  summary: 'Convert a configuration of MKE 3 into one of MKE 4.',
  args: schema,
  effect: 'reads',

  plan(args) {
    const {
      toml,
      target,
      airgapped,
      k0s_version: k0sVersion,
      kubernetes_flags: tables = {},
    } = args;
    const source = parseMke3Config(toml, 'config-toml');
    const options = optionsOf(args);
    const file = convertConfig(source, options);
    // k0s has the form of 4.0, whatever form the file has.
    const base =
      target === undefined || target === '4.0'
        ? file
        : convertConfig(parseMke3Config(toml, 'config-toml'), { ...options, target: '4.0' });
    const k0s = k0sSettings(base, options.hosts);
    const { problems, imageProblems } =
      k0sVersion === undefined
        ? { problems: [], imageProblems: [] }
        : checkFlags(base, k0sVersion, {
            tables,
            airgapped,
            registry: args.image_registry,
          });
    const conversion = { ...file, unconverted: [...file.unconverted, ...k0s.unconverted] };
    const { config, unconverted, refusals, metallbPools, later, managersTakePods } = conversion;
    const result = {
      yaml: configToYaml(config),
      // What may be shown: secrets are left out.
      shown: {
        mke3: shownConfig(source),
        mke4: configToYaml(config, { withSecrets: false }),
        report: compatibilityText(compatibility(source, conversion)),
      },
      spec: config['spec'],
      https_node_port: httpsNodePort(objectOf(config['spec'])),
      k0s: {
        spec: k0s.spec,
        flags: k0s.flags,
        directories: k0s.directories,
        files: k0s.files,
      },
      unconverted,
      later,
      refusals,
      flag_problems: problems,
      image_problems: imageProblems,
      metallb_pools: metallbPools,
      managers_take_pods: managersTakePods,
    };
    return { actions: [], result: toJson(result) };
  },
};

/** Where MKE 4 itself is served: the Gateway of 4.1, or else the ingress controller. 0 where there is none. */
function httpsNodePort({ gatewayMKEIngress, ingressController }: JsonObject): number {
  const { nodePorts } = objectOf(gatewayMKEIngress ?? ingressController);
  const { https } = objectOf(nodePorts);
  return typeof https === 'number' ? https : 0;
}

function optionsOf({
  hosts,
  nodes = [],
  external_address: externalAddress = '',
  ldap = {},
  ...rest
}: FromSchema<typeof schema>): ConvertOptions {
  return {
    hosts: hosts.map(({ key_path: keyPath, node_address: nodeAddress, node, labels, ...host }) => ({
      ...host,
      keyPath,
      nodeAddress,
      labels: { ...nodes.find(({ hostname }) => hostname === node)?.labels, ...labels },
    })),
    externalAddress,
    target: rest.target,
    ldap: Object.keys(ldap).length > 0 ? (ldap as JsonObject) : undefined,
    registries: {
      image: rest.image_registry || undefined,
      chart: rest.chart_registry || undefined,
    },
    airgapped: rest.airgapped,
    leaveOut: rest.leave_out,
  };
}
