import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Container } from '../facts/container.ts';

/*
 * Decides which objects of a Docker engine belong to MKE 3. Neither a name that begins with "ucp-" nor a label
 * "com.docker.ucp.*" is sufficient: users can choose such names, and MKE labels its users' objects (access label, collection).
 * The criteria are the registry of the image, the documented names of MKE's volumes, networks and configs, and the objects
 * that MKE's containers and services use.
 */

/** Objects of a Docker engine. Services, configs and secrets belong to the Swarm. */
export interface EngineObjects {
  containers: readonly Container[];
  volumes: readonly JsonObject[];
  networks: readonly JsonObject[];
  services: readonly JsonObject[];
  configs: readonly JsonObject[];
  secrets: readonly JsonObject[];
}

export interface Mke3Objects {
  /** Containers of MKE 3, without tasks of its services and without pods. */
  containers: string[];
  volumes: string[];
  /** Networks local to the host. */
  networks: string[];
  services: string[];
  configs: string[];
  swarm_networks: string[];
}

/** Objects of users that are removed with the Swarm. */
export interface LostObjects {
  services: string[];
  configs: string[];
  secrets: string[];
  networks: string[];
}

export interface Stock {
  mke3: Mke3Objects;
  lost: LostObjects;
  /** Volumes of users on this host. They are not removed with the Swarm. */
  other_volumes: string[];
  /** Objects that are kept although they look like MKE 3 objects: they are not, or users use them. */
  kept: string[];
}

const VOLUMES = new Set(
  [
    ...['auth-api-certs', 'auth-store-certs', 'auth-worker-certs', 'auth-store-data'],
    ...['auth-worker-data', 'client-root-ca', 'cluster-root-ca', 'controller-client-certs'],
    ...['controller-server-certs', 'kv', 'kv-certs', 'metrics-data', 'metrics-inventory'],
    ...['node-certs', 'backup'],
  ].map((name) => `ucp-${name}`),
);
const NETWORKS = new Set(['ucp-bridge']);
const CONFIGS =
  /^com\.docker\.(license|ucp\.config(-[0-9]+)?|interlock\..+|ucp\.interlock\.conf.*)$/;
/** Registry paths in which MKE 3 was published. */
const PUBLISHED = ['mirantis/', 'docker/'];

/** Splits an image into `registry/path/`, name and tag. The digest is ignored. */
export function imageParts(image: string): { path: string; name: string; tag: string } {
  const [named = ''] = image.split('@');
  const slash = named.lastIndexOf('/') + 1;
  const [name = '', tag = ''] = named.slice(slash).split(':');
  return { path: named.slice(0, slash), name, tag };
}

/** @param ownPath registry and path of this installation's images, such as "mirantis/" */
function isMke3Image(image: string, ownPath: string): boolean {
  const { path, name } = imageParts(image);
  return (
    /^ucp(-[a-z0-9-]+)?$/.test(name) &&
    (path === ownPath || PUBLISHED.some((known) => path === known || path.endsWith(`/${known}`)))
  );
}

const nameOf = (object: JsonObject): string =>
  String(object['Name'] ?? objectOf(object['Spec'])['Name'] ?? '');
const listOf = (value: JsonValue | undefined): JsonObject[] => arrayOf(value).map(objectOf);
const looksLikeMke3 = (name: string): boolean => name.startsWith('ucp-');

/** Networks, configs and secrets that a service uses, by name and ID. */
function usedBy(service: JsonObject) {
  const spec = objectOf(service['Spec']);
  const task = objectOf(spec['TaskTemplate']);
  const container = objectOf(task['ContainerSpec']);
  const words = (list: JsonObject[], ...keys: string[]) =>
    list.flatMap((one) => keys.map((key) => String(one[key] ?? '')));
  return {
    networks: words([...listOf(task['Networks']), ...listOf(spec['Networks'])], 'Target'),
    configs: words(listOf(container['Configs']), 'ConfigID', 'ConfigName'),
    secrets: words(listOf(container['Secrets']), 'SecretID', 'SecretName'),
  };
}

type SwarmKind = 'networks' | 'configs' | 'secrets';

const uses = (words: ReadonlySet<string>, object: JsonObject): boolean =>
  words.has(nameOf(object)) || words.has(String(object['ID'] ?? object['Id'] ?? ''));

/** Splits Swarm objects into those of MKE 3 and those of users, by the services that use them. */
function swarmSplit(own: readonly JsonObject[], others: readonly JsonObject[]) {
  const used = (services: readonly JsonObject[], kind: SwarmKind) =>
    new Set(services.flatMap((one) => usedBy(one)[kind]));
  return (kind: SwarmKind, list: readonly JsonObject[], isKnown: (name: string) => boolean) => {
    const byMke3 = used(own, kind);
    const byOthers = used(others, kind);
    const isOwn = (object: JsonObject) =>
      isKnown(nameOf(object)) || (uses(byMke3, object) && !uses(byOthers, object));
    return {
      free: list.filter((one) => isOwn(one) && !uses(byOthers, one)).map(nameOf),
      others: list.filter((one) => !isOwn(one)).map(nameOf),
    };
  };
}

/** Names of MKE 3 objects, and descriptions of objects that are kept (see `Stock.kept`). */
interface Sorted {
  own: string[];
  kept: string[];
}

/** @param containers names of the MKE 3 containers */
function localNetworks(networks: readonly JsonObject[], containers: ReadonlySet<string>): Sorted {
  const sorted: Sorted = { own: [], kept: [] };
  for (const network of networks) {
    const name = nameOf(network);
    if (network['Scope'] === 'swarm' || !looksLikeMke3(name)) continue;
    const attached = Object.values(objectOf(network['Containers'])).map((end) =>
      String(objectOf(end)['Name'] ?? ''),
    );
    const foreign = attached.some((end) => !containers.has(end));
    const own = NETWORKS.has(name) || attached.length > 0;
    if (foreign || !own) sorted.kept.push(`network ${name}`);
    else sorted.own.push(name);
  }
  return sorted;
}

const mounted = (containers: readonly Container[]): Set<string> =>
  new Set(
    containers.flatMap(({ inspected }) =>
      listOf(inspected['Mounts']).map((one) => String(one['Name'])),
    ),
  );

function localVolumes(
  names: readonly string[],
  byMke3: ReadonlySet<string>,
  byOthers: ReadonlySet<string>,
): Sorted {
  const sorted: Sorted = { own: [], kept: [] };
  for (const name of names) {
    const unnamed = /^[0-9a-f]{64}$/.test(name) && byMke3.has(name);
    const own = VOLUMES.has(name) || unnamed || (looksLikeMke3(name) && byMke3.has(name));
    if (own && !byOthers.has(name)) sorted.own.push(name);
    else if (looksLikeMke3(name) || unnamed) sorted.kept.push(`volume ${name}`);
  }
  return sorted;
}

export function sortObjects(engine: EngineObjects): Stock {
  const proxy = engine.containers.find(({ name }) => name === 'ucp-proxy');
  const ownPath = proxy === undefined ? '' : imageParts(proxy.image).path;

  // The Swarm removes the tasks of its services itself.
  const alone = engine.containers.filter(
    ({ labels }) => !Object.hasOwn(labels, 'com.docker.swarm.task.id'),
  );
  const alike = alone.filter(({ name }) => looksLikeMke3(name));
  const containers = alike.filter(({ image }) => isMke3Image(image, ownPath));
  const containerNames = new Set(containers.map(({ name }) => name));

  const isMke3Service = (service: JsonObject): boolean =>
    looksLikeMke3(nameOf(service)) && isMke3Image(imageOf(service), ownPath);
  const services = engine.services.filter(isMke3Service);
  const others = engine.services.filter((one) => !isMke3Service(one));
  const split = swarmSplit(services, others);
  const inSwarm = engine.networks.filter(
    (one) => one['Scope'] === 'swarm' && one['Ingress'] !== true,
  );
  const swarmNetworks = split('networks', inSwarm, (name) => NETWORKS.has(name));
  const configs = split('configs', engine.configs, (name) => CONFIGS.test(name));
  const secrets = split('secrets', engine.secrets, () => false);

  const networks = localNetworks(engine.networks, containerNames);
  const ofOthers = alone.filter(({ name }) => !containerNames.has(name));
  const volumeNames = engine.volumes.map(nameOf);
  const volumes = localVolumes(volumeNames, mounted(containers), mounted(ofOthers));
  const ownVolumes = new Set(volumes.own);
  return {
    other_volumes: volumeNames.filter((name) => !ownVolumes.has(name)),
    mke3: {
      containers: containers.map(({ name }) => name),
      volumes: volumes.own,
      networks: networks.own,
      services: services.map(nameOf),
      configs: configs.free,
      swarm_networks: swarmNetworks.free,
    },
    lost: {
      services: others.map(nameOf),
      configs: configs.others,
      secrets: secrets.others,
      networks: swarmNetworks.others,
    },
    kept: [
      ...alike.filter((one) => !containers.includes(one)).map(({ name }) => `container ${name}`),
      ...networks.kept,
      ...volumes.kept,
    ],
  };
}

function imageOf(service: JsonObject): string {
  const task = objectOf(objectOf(service['Spec'])['TaskTemplate']);
  return String(objectOf(task['ContainerSpec'])['Image'] ?? '');
}
