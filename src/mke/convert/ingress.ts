import { isJsonObject, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import { needing, waitingFor, type Row, type Section } from './row.ts';
import { take } from './take.ts';

const KEY = 'cluster_config.ingress_controller';
const PORTS = `${KEY}.ingress_exposed_ports`;
const TO = 'ingressController';
const DEFAULT_RANGE = '32768-35535';

const exposed = (name: string, port: number, target: number, node: number): JsonObject => {
  return { name, port, target_port: target, node_port: node, protocol: '' };
};
/** Defaults in downloaded configurations and in the documentation. */
const defaultPorts: JsonValue[] = [
  [],
  [exposed('http2', 80, 80, 33000), exposed('https', 443, 443, 33001)],
  [
    exposed('http2', 80, 0, 33000),
    exposed('https', 443, 0, 33001),
    exposed('tcp', 31400, 0, 33002),
  ],
];

const rows: Row[] = needing(`${KEY}.enabled`, [
  { key: `${KEY}.ingress_num_replicas`, type: 'number', defaults: [2], to: `${TO}.replicaCount` },
  { key: `${KEY}.ingress_enable_lb`, type: 'boolean', to: `${TO}.enableLoadBalancer` },
  { key: `${KEY}.ingress_preserve_client_ip`, type: 'boolean', to: `${TO}.preserveClientIP` },
  { key: `${KEY}.ingress_external_ips`, type: 'list', to: `${TO}.externalIPs` },
  { key: `${KEY}.ingress_config_map`, type: 'any', to: `${TO}.configMap`, as: orEmpty },
  { key: `${KEY}.ingress_tcp_services`, type: 'any', to: `${TO}.tcpServices`, as: orEmpty },
  { key: `${KEY}.ingress_udp_services`, type: 'any', to: `${TO}.udpServices`, as: orEmpty },
  {
    key: `${KEY}.ingress_extra_args.http_port`,
    type: 'number',
    defaults: [80],
    to: `${TO}.extraArgs.httpPort`,
  },
  {
    key: `${KEY}.ingress_extra_args.https_port`,
    type: 'number',
    defaults: [443],
    to: `${TO}.extraArgs.httpsPort`,
  },
  {
    key: `${KEY}.ingress_extra_args.enable_ssl_passthrough`,
    type: 'boolean',
    to: `${TO}.extraArgs.enableSslPassthrough`,
  },
  {
    key: `${KEY}.ingress_extra_args.default_ssl_certificate`,
    type: 'text',
    to: `${TO}.extraArgs.defaultSslCertificate`,
  },
  {
    key: `${KEY}.ingress_extra_args.default_backend_service`,
    type: 'text',
    advice: { why: 'MKE 4 has no such setting', what: 'no action needed' },
  },
  {
    key: `${KEY}.ingress_node_toleration`,
    type: 'list',
    fields: ['key', 'value', 'operator', 'effect', 'tolerationSeconds'],
    defaults: [
      [],
      [{ key: 'com.docker.ucp.manager', value: '', operator: 'Exists', effect: 'NoSchedule' }],
    ],
    to: `${TO}.tolerations`,
    as: (list) =>
      list.filter((one) => isJsonObject(one) && one['key'] !== 'com.docker.ucp.manager'),
  },
  {
    key: `${KEY}.ingress_node_affinity`,
    type: 'table',
    defaults: [{}, { 'com.docker.ucp.manager': '' }],
    to: `${TO}.affinity.nodeAffinity`,
    as: nodeAffinity,
  },
]);

export const ingress: Section = waitingFor('ingress controller', [
  {
    rows: [
      { key: `${KEY}.enabled`, type: 'boolean', to: `${TO}.enabled` },
      ...rows,
      {
        key: PORTS,
        type: 'list',
        fields: ['name', 'port', 'target_port', 'node_port', 'protocol'],
        defaults: defaultPorts,
        needs: `${KEY}.enabled`,
        to: `${TO}.nodePorts`,
      },
    ],
    convert(draft) {
      const enabled = draft.from.flag(`${KEY}.enabled`);
      // MKE 4.0 needs its ingress controller, so it stays on even if MKE 3's was off. MKE 4.1 has the Gateway.
      if (enabled) for (const row of rows) take(draft, row);
      convertPorts(draft, enabled);
    },
  },
]);

function orEmpty(value: JsonValue | undefined): JsonValue {
  return value ?? {};
}

function nodeAffinity(affinity: JsonObject): JsonObject | undefined {
  const expressions = Object.entries(affinity)
    .filter(([label]) => !label.startsWith('com.docker.ucp.'))
    .map(([label, value]) =>
      value === ''
        ? { key: label, operator: 'Exists' }
        : { key: label, operator: 'In', values: [value] },
    );
  if (expressions.length === 0) return undefined;
  return {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: expressions }],
    },
  };
}

/**
 * In 4.1 the Gateway gets the ports of a disabled ingress controller. If the ingress controller is enabled, the Gateway gets
 * two other ports.
 */
function convertPorts(draft: Draft, enabled: boolean): void {
  const range = String(draft.at('network')['nodePortRange']);
  const first = Number(range.split('-')[0]);
  const free: JsonObject =
    range === DEFAULT_RANGE ? { http: 33000, https: 33001 } : { http: first, https: first + 1 };
  const { nodePorts, ports } = enabled
    ? exposedPorts(draft, draft.from.list(PORTS), free)
    : { nodePorts: free, ports: {} };
  if (enabled) reportOutside(draft, nodePorts, range);
  if (draft.target === '4.0') {
    draft.set(`${TO}.nodePorts`, nodePorts);
    Object.assign(draft.at(`${TO}.ports`), ports);
    return;
  }
  draft.set(`${TO}.enabled`, enabled);
  if (enabled) draft.set(`${TO}.nodePorts`, nodePorts);
  if (enabled) draft.set(`${TO}.ports`, { http: 80, https: 443, ...ports });
  draft.set(
    'gatewayMKEIngress.nodePorts',
    enabled ? besides(nodePorts, Number(free['http'])) : free,
  );
}

function numbersIn(nodePorts: JsonObject): number[] {
  const { http, https, tcp, udp } = nodePorts;
  return [http, https, ...Object.values(objectOf(tcp)), ...Object.values(objectOf(udp))].map(
    Number,
  );
}

/** The first two node ports, starting at `first`, that the ingress controller does not use. */
function besides(nodePorts: JsonObject, first: number): JsonObject {
  const taken = new Set(numbersIn(nodePorts));
  const free: number[] = [];
  for (let port = first; free.length < 2; port += 1) if (!taken.has(port)) free.push(port);
  const [http = first, https = first] = free;
  return { http, https };
}

/** Reports node ports outside the range: the MKE 4 installation fails with them. */
function reportOutside(draft: Draft, nodePorts: JsonObject, range: string): void {
  const [first = 0, last = 0] = range.split('-').map(Number);
  for (const port of new Set(numbersIn(nodePorts)))
    if (port < first || port > last)
      draft.report(PORTS, port, {
        why: `it is outside the node port range ${range}, and the MKE 4 installation fails with it`,
        what: 'choose a port in the range in ingressController.nodePorts',
      });
}

/** HTTP and HTTPS have their own fields. Other ports belong to TCP and UDP services. */
function exposedPorts(
  draft: Draft,
  exposed: JsonValue[],
  free: JsonObject,
): { nodePorts: JsonObject; ports: JsonObject } {
  const nodePorts: JsonObject = { ...free };
  const ports: JsonObject = {};
  const other: Record<'tcp' | 'udp', JsonObject> = { tcp: {}, udp: {} };
  for (const one of exposed.filter(isJsonObject)) {
    const name = String(one['name']);
    const field = name === 'http2' ? 'http' : name;
    if (field === 'http' || field === 'https') {
      if (one['node_port'] !== undefined) nodePorts[field] = Number(one['node_port']);
      if (one['port'] !== undefined) ports[field] = Number(one['port']);
      continue;
    }
    const protocol = /^udp$/i.test(String(one['protocol'] ?? '')) ? 'udp' : 'tcp';
    other[protocol][String(one['port'])] = Number(one['node_port']);
    draft.report(PORTS, name, {
      why: 'exposed ports are deprecated',
      what: `check port ${String(one['node_port'])} in ingressController.nodePorts.${protocol}`,
    });
  }
  for (const [protocol, map] of Object.entries(other))
    if (Object.keys(map).length > 0) nodePorts[protocol] = map;
  return { nodePorts, ports };
}
