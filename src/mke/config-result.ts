import { objectOf, toJson, type JsonObject } from '../core/json.ts';
import { checkFlags } from './component-flags.ts';
import { convertConfig } from './convert/convert.ts';
import type { ConvertOptions } from './convert/types.ts';
import { configToYaml } from './convert/yaml.ts';
import { k0sSettings } from './k0s-config.ts';
import { parseMke3Config } from './mke3-config.ts';
import type { Mke4ConfigArgs } from './config-args.ts';
import { compatibility, compatibilityText, shownConfig } from './report.ts';

/** The result of the module mke4_config. @throws TomlError if the MKE 3 configuration is not valid */
export function configResult(args: Mke4ConfigArgs): JsonObject {
  const { toml, target, airgapped, k0s_version: k0sVersion, kubernetes_flags: tables = {} } = args;
  const source = parseMke3Config(toml, 'config-toml');
  const options = optionsOf(args);
  const file = convertConfig(source, options);
  // The k0s settings are derived from the 4.0 configuration, whatever the target is.
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
    // Versions without secrets, which can be shown.
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
  return toJson(result);
}

/** The HTTPS node port of MKE 4: that of the Gateway in 4.1, otherwise of the ingress controller; 0 if there is none. */
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
}: Mke4ConfigArgs): ConvertOptions {
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
