import { stringify } from 'yaml';
import { arrayOf, isJsonObject, objectOf, type JsonObject, type JsonValue } from '../core/json.ts';

/** A file with descriptions; its path is relative to the output directory. */
export interface NamedFile {
  name: string;
  content: string;
}

export interface SwarmObjects {
  services: readonly JsonObject[];
  networks: readonly JsonObject[];
  configs: readonly JsonObject[];
}

const NAMESPACE = 'com.docker.stack.namespace';
/** Settings that the engine adds, or that do not describe the service. */
const IRRELEVANT = [
  'Name',
  'TaskTemplate.ForceUpdate',
  'TaskTemplate.Runtime',
  'TaskTemplate.Placement.Platforms',
  'TaskTemplate.ContainerSpec.Isolation',
];

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/** An object whose fields are taken one by one, so that the remaining fields can be reported. */
class Taken {
  readonly #value: JsonObject;

  constructor(value: JsonObject) {
    this.#value = structuredClone(value);
  }

  take(path: string): JsonValue | undefined {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at = this.#value;
    for (const key of keys) {
      const below = at[key];
      if (!isJsonObject(below)) return undefined;
      at = below;
    }
    const found = at[last];
    Reflect.deleteProperty(at, last);
    return found;
  }

  text(path: string): string | undefined {
    return textOf(this.take(path)) || undefined;
  }

  list(path: string): JsonValue[] | undefined {
    const found = arrayOf(this.take(path));
    return found.length === 0 ? undefined : found;
  }

  map(path: string): JsonObject | undefined {
    const found = objectOf(this.take(path));
    return Object.keys(found).length === 0 ? undefined : found;
  }

  flag(path: string): true | undefined {
    return this.take(path) === true ? true : undefined;
  }

  /** A duration in nanoseconds, in the format of compose files. */
  duration(path: string): string | undefined {
    const found = this.take(path);
    return typeof found === 'number' && found > 0 ? `${String(found / 1e6)}ms` : undefined;
  }

  number(path: string): number | undefined {
    const found = this.take(path);
    return typeof found === 'number' && found !== 0 ? found : undefined;
  }

  /** Paths of fields that were not taken and are not empty. */
  left(value: JsonValue = this.#value, path = ''): string[] {
    if (isJsonObject(value))
      return Object.entries(value).flatMap(([key, inner]) =>
        this.left(inner, path === '' ? key : `${path}.${key}`),
      );
    return isSet(value) ? [path] : [];
  }
}

const isSet = (value: JsonValue): boolean =>
  Array.isArray(value) ? value.length > 0 : ![null, false, '', 0].includes(value as string | null);

/** Without fields that are undefined or empty maps. */
function compact(fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && !(isJsonObject(value) && Object.keys(value).length === 0))
      kept[key] = value;
  return kept;
}

const fromEntries = (entries: [string, JsonValue][]): JsonObject => Object.fromEntries(entries);

const orUndefined = (value: JsonObject): JsonObject | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

function mountsOf(taken: Taken, losses: string[]): JsonObject[] | undefined {
  return taken.list('TaskTemplate.ContainerSpec.Mounts')?.map((one) => {
    const mount = new Taken(objectOf(one));
    const converted = compact({
      type: mount.text('Type'),
      source: mount.text('Source'),
      target: mount.text('Target'),
      read_only: mount.flag('ReadOnly'),
      bind: orUndefined(compact({ propagation: mount.text('BindOptions.Propagation') })),
      tmpfs: orUndefined(compact({ size: mount.number('TmpfsOptions.SizeBytes') })),
      volume: orUndefined(compact({ nocopy: mount.flag('VolumeOptions.NoCopy') })),
    });
    // The driver is in the section "volumes" of the file.
    mount.take('VolumeOptions.DriverConfig');
    losses.push(...mount.left().map((path) => `mount ${textOf(converted['target'])}: ${path}`));
    return converted;
  });
}

function filesOf(taken: Taken, kind: 'Secret' | 'Config'): JsonObject[] | undefined {
  return taken.list(`TaskTemplate.ContainerSpec.${kind}s`)?.map((one) => {
    const use = objectOf(one);
    const file = objectOf(use['File']);
    return compact({
      source: use[`${kind}Name`],
      target: file['Name'],
      uid: file['UID'],
      gid: file['GID'],
      mode: file['Mode'],
    });
  });
}

function resourcesOf(taken: Taken, part: 'Limits' | 'Reservations'): JsonObject | undefined {
  const at = `TaskTemplate.Resources.${part}`;
  const cpus = taken.number(`${at}.NanoCPUs`);
  return orUndefined(
    compact({
      cpus: cpus === undefined ? undefined : String(cpus / 1e9),
      memory: taken.number(`${at}.MemoryBytes`)?.toString(),
      pids: taken.number(`${at}.Pids`),
    }),
  );
}

function updatesOf(taken: Taken, part: 'UpdateConfig' | 'RollbackConfig'): JsonObject | undefined {
  return orUndefined(
    compact({
      parallelism: taken.number(`${part}.Parallelism`),
      delay: taken.duration(`${part}.Delay`),
      failure_action: taken.text(`${part}.FailureAction`),
      monitor: taken.duration(`${part}.Monitor`),
      max_failure_ratio: taken.number(`${part}.MaxFailureRatio`),
      order: taken.text(`${part}.Order`),
    }),
  );
}

interface ConvertedService {
  stack: string;
  name: string;
  service: JsonObject;
  networks: string[];
  volumes: JsonObject;
  configs: string[];
  secrets: string[];
  losses: string[];
}

const CONTAINER = 'TaskTemplate.ContainerSpec';

/** Labels set by the user. */
const ownLabels = (all: JsonObject | undefined): JsonObject | undefined =>
  all &&
  orUndefined(
    fromEntries(Object.entries(all).filter(([key]) => !key.startsWith('com.docker.stack.'))),
  );

function containerOf(taken: Taken): Record<string, JsonValue | undefined> {
  return {
    image: taken.text(`${CONTAINER}.Image`),
    entrypoint: taken.list(`${CONTAINER}.Command`),
    command: taken.list(`${CONTAINER}.Args`),
    environment: taken.list(`${CONTAINER}.Env`),
    hostname: taken.text(`${CONTAINER}.Hostname`),
    working_dir: taken.text(`${CONTAINER}.Dir`),
    user: taken.text(`${CONTAINER}.User`),
    labels: ownLabels(taken.map(`${CONTAINER}.Labels`)),
    tty: taken.flag(`${CONTAINER}.TTY`),
    stdin_open: taken.flag(`${CONTAINER}.OpenStdin`),
    read_only: taken.flag(`${CONTAINER}.ReadOnly`),
    init: taken.flag(`${CONTAINER}.Init`),
    stop_signal: taken.text(`${CONTAINER}.StopSignal`),
    stop_grace_period: taken.duration(`${CONTAINER}.StopGracePeriod`),
    healthcheck: healthcheckOf(taken),
    extra_hosts: taken.list(`${CONTAINER}.Hosts`)?.map((line) => {
      const [address = '', ...names] = textOf(line).split(/\s+/);
      return `${names.join(' ')}:${address}`;
    }),
    dns: taken.list(`${CONTAINER}.DNSConfig.Nameservers`),
    dns_search: taken.list(`${CONTAINER}.DNSConfig.Search`),
    sysctls: taken.map(`${CONTAINER}.Sysctls`),
    cap_add: taken.list(`${CONTAINER}.CapabilityAdd`),
    cap_drop: taken.list(`${CONTAINER}.CapabilityDrop`),
    ulimits: ulimitsOf(taken),
  };
}

function healthcheckOf(taken: Taken): JsonObject | undefined {
  return orUndefined(
    compact({
      test: taken.list(`${CONTAINER}.Healthcheck.Test`),
      interval: taken.duration(`${CONTAINER}.Healthcheck.Interval`),
      timeout: taken.duration(`${CONTAINER}.Healthcheck.Timeout`),
      retries: taken.number(`${CONTAINER}.Healthcheck.Retries`),
      start_period: taken.duration(`${CONTAINER}.Healthcheck.StartPeriod`),
    }),
  );
}

function ulimitsOf(taken: Taken): JsonObject | undefined {
  return orUndefined(
    fromEntries(
      (taken.list(`${CONTAINER}.Ulimits`) ?? []).map((one) => {
        const limit = objectOf(one);
        return [textOf(limit['Name']), { soft: limit['Soft'] ?? 0, hard: limit['Hard'] ?? 0 }];
      }),
    ),
  );
}

/** The networks of a service, each with the aliases of the service. */
function attachmentsOf(
  taken: Taken,
  name: string,
  networkName: (target: string) => string,
): JsonObject {
  const attachments = [
    ...(taken.list('TaskTemplate.Networks') ?? []),
    ...(taken.list('Networks') ?? []),
  ].map(objectOf);
  return fromEntries(
    attachments.map((one) => {
      const aliases = arrayOf(one['Aliases']).filter((alias) => alias !== name);
      return [networkName(textOf(one['Target'])), aliases.length === 0 ? null : { aliases }];
    }),
  );
}

function portsOf(taken: Taken): JsonObject[] | undefined {
  return taken.list('EndpointSpec.Ports')?.map((one) => {
    const port = objectOf(one);
    return compact({
      target: port['TargetPort'],
      published: port['PublishedPort'],
      protocol: port['Protocol'],
      mode: port['PublishMode'],
    });
  });
}

function deployOf(taken: Taken, labels: JsonObject): JsonObject | undefined {
  const isGlobal = isJsonObject(taken.take('Mode.Global'));
  const replicas = taken.take('Mode.Replicated.Replicas');
  return orUndefined(
    compact({
      mode: isGlobal ? 'global' : undefined,
      replicas: typeof replicas === 'number' ? replicas : undefined,
      endpoint_mode: taken.text('EndpointSpec.Mode'),
      labels: ownLabels(labels),
      resources: orUndefined(
        compact({
          limits: resourcesOf(taken, 'Limits'),
          reservations: resourcesOf(taken, 'Reservations'),
        }),
      ),
      restart_policy: orUndefined(
        compact({
          condition: taken.text('TaskTemplate.RestartPolicy.Condition'),
          delay: taken.duration('TaskTemplate.RestartPolicy.Delay'),
          max_attempts: taken.number('TaskTemplate.RestartPolicy.MaxAttempts'),
          window: taken.duration('TaskTemplate.RestartPolicy.Window'),
        }),
      ),
      placement: orUndefined(
        compact({
          constraints: taken.list('TaskTemplate.Placement.Constraints'),
          preferences: taken.list('TaskTemplate.Placement.Preferences')?.map((one) => ({
            spread: textOf(objectOf(objectOf(one)['Spread'])['SpreadDescriptor']),
          })),
          max_replicas_per_node: taken.number('TaskTemplate.Placement.MaxReplicas'),
        }),
      ),
      update_config: updatesOf(taken, 'UpdateConfig'),
      rollback_config: updatesOf(taken, 'RollbackConfig'),
    }),
  );
}

/** The volumes that a service mounts, with their drivers. */
function volumesOf(spec: JsonObject): JsonObject {
  const named = arrayOf(objectOf(objectOf(spec['TaskTemplate'])['ContainerSpec'])['Mounts'])
    .map(objectOf)
    .filter((one) => one['Type'] === 'volume' && textOf(one['Source']) !== '');
  return fromEntries(
    named.map((one) => {
      const driver = objectOf(objectOf(one['VolumeOptions'])['DriverConfig']);
      const source = textOf(one['Source']);
      const options = orUndefined(objectOf(driver['Options']));
      return [source, compact({ name: source, driver: driver['Name'], driver_opts: options })];
    }),
  );
}

function convertService(
  inspected: JsonObject,
  networkName: (target: string) => string,
): ConvertedService {
  const spec = objectOf(inspected['Spec']);
  const taken = new Taken(spec);
  const whole = textOf(spec['Name']);
  const labels = objectOf(taken.take('Labels'));
  const stack = textOf(labels[NAMESPACE]);
  const name =
    stack !== '' && whole.startsWith(`${stack}_`) ? whole.slice(stack.length + 1) : whole;
  for (const path of IRRELEVANT) taken.take(path);
  const mountLosses: string[] = [];
  const mounts = mountsOf(taken, mountLosses);
  const secrets = filesOf(taken, 'Secret');
  const configs = filesOf(taken, 'Config');
  const networks = attachmentsOf(taken, name, networkName);
  const service = compact({
    ...containerOf(taken),
    volumes: mounts,
    secrets,
    configs,
    networks: orUndefined(networks),
    ports: portsOf(taken),
    logging: orUndefined(
      compact({
        driver: taken.text('TaskTemplate.LogDriver.Name'),
        options: taken.map('TaskTemplate.LogDriver.Options'),
      }),
    ),
    deploy: deployOf(taken, labels),
  });
  const sources = (list: JsonObject[] | undefined) =>
    (list ?? []).map((one) => textOf(one['source']));
  return {
    stack,
    name,
    service,
    volumes: volumesOf(spec),
    networks: Object.keys(networks),
    configs: sources(configs),
    secrets: sources(secrets),
    losses: [...taken.left(), ...mountLosses].map((path) => `service ${whole}: ${path}`),
  };
}

function convertNetwork(inspected: JsonObject): JsonObject {
  const options = Object.entries(objectOf(inspected['Options'])).filter(
    ([key]) => key !== 'com.docker.network.driver.overlay.vxlanid_list',
  );
  const pools = arrayOf(objectOf(inspected['IPAM'])['Config'])
    .map(objectOf)
    .filter((one) => textOf(one['Subnet']) !== '')
    .map((one) => ({ subnet: textOf(one['Subnet']) }));
  return compact({
    name: inspected['Name'],
    driver: inspected['Driver'],
    driver_opts: orUndefined(fromEntries(options)),
    attachable: inspected['Attachable'] === true ? true : undefined,
    internal: inspected['Internal'] === true ? true : undefined,
    ipam: pools.length === 0 ? undefined : { config: pools },
  });
}

/** The engine allows no path separators in names; this check does not rely on it. */
const fileName = (name: string): string => name.replaceAll(/[^\w.-]/g, '_').replace(/^\.+/, '_');

/**
 * Compose files for services: one per stack, and "services.yaml" for services without a stack. A comment at the top of each file lists the settings that it lacks.
 */
export function composeFiles({ services, networks, configs }: SwarmObjects): NamedFile[] {
  const byId = new Map(networks.map((one) => [textOf(one['Id']), one]));
  const byName = new Map(networks.map((one) => [textOf(one['Name']), one]));
  const networkName = (target: string) => textOf(byId.get(target)?.['Name']) || target;
  const converted = services.map((one) => convertService(one, networkName));
  const known = new Set(configs.map((one) => textOf(objectOf(one['Spec'])['Name'])));
  const users = (network: string) =>
    new Set(converted.filter((one) => one.networks.includes(network)).map(({ stack }) => stack));
  const files: NamedFile[] = [];
  for (const stack of new Set(converted.map((one) => one.stack))) {
    const members = converted.filter((one) => one.stack === stack);
    const all = (pick: (one: ConvertedService) => string[]) => [...new Set(members.flatMap(pick))];
    const losses = members.flatMap((one) => one.losses);
    const networkParts = all((one) => one.networks).map((name): [string, JsonValue] => {
      const network = byName.get(name);
      if (network && users(name).size === 1) return [name, convertNetwork(network)];
      losses.push(
        `network ${name}: ${network ? 'used by several files' : 'not described'}; create it first`,
      );
      return [name, { external: true }];
    });
    const secretParts = all((one) => one.secrets).map((name): [string, JsonValue] => {
      losses.push(`secret ${name}: its value cannot be read; create it first`);
      return [name, { external: true }];
    });
    const configParts = all((one) => one.configs).map((name): [string, JsonValue] => {
      if (known.has(name)) return [name, { file: `./configs/${fileName(name)}` }];
      losses.push(`config ${name}: not described; create it first`);
      return [name, { external: true }];
    });
    const document = compact({
      version: '3.8',
      services: Object.fromEntries(members.map((one) => [one.name, one.service])),
      networks: orUndefined(fromEntries(networkParts)),
      volumes: orUndefined(Object.assign({}, ...members.map((one) => one.volumes)) as JsonObject),
      configs: orUndefined(fromEntries(configParts)),
      secrets: orUndefined(fromEntries(secretParts)),
    });
    const title =
      stack === ''
        ? 'Services without a stack'
        : `Stack ${stack}: docker stack deploy -c FILE ${stack}`;
    const lines = [
      `# ${title}`,
      '# Generated from the services of the engine; services.json has all of their settings. Review this file before you use it.',
      ...(losses.length === 0 ? ['# No setting is missing.'] : ['# Not in this file:']),
      ...losses.map((one) => `# - ${one.replaceAll(/[\r\n]/g, ' ')}`),
    ];
    files.push({
      name: stack === '' ? 'services.yaml' : `stack-${fileName(stack)}.yaml`,
      content: `${lines.join('\n')}\n${stringify(document)}`,
    });
  }
  return files;
}

/** The contents of configs as files that the compose files refer to. */
export function configFiles(configs: readonly JsonObject[]): NamedFile[] {
  return configs.flatMap((one) => {
    const spec = objectOf(one['Spec']);
    const bytes = Buffer.from(textOf(spec['Data']), 'base64');
    const content = bytes.toString('utf8');
    // Binary contents are in configs.json, as base64.
    if (!Buffer.from(content, 'utf8').equals(bytes)) return [];
    return [{ name: `configs/${fileName(textOf(spec['Name']))}`, content }];
  });
}
