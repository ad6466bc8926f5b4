import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import { objectOf, type JsonObject } from '../core/json.ts';
import type { HostFacts, Module, UndoCall } from '../core/module.ts';
import { containers, hasProgram, type Container } from '../facts/container.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { programProperty, programWords } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    name: textOrTexts('Names of containers.'),
    filters: {
      type: 'array',
      items: { type: 'string', pattern: '=' },
      description:
        'Filters that containers must match, as for "docker ps --filter", such as label=app=web.',
    },
    without_labels: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description:
        'Skip containers with one of these labels, such as com.docker.swarm.task.id, which tasks of Swarm services have.',
    },
    state: {
      enum: ['started', 'stopped', 'absent'],
      description:
        'Wanted state; absent stops running containers first. Without state and restart_policy, containers are only listed.',
    },
    restart_policy: {
      type: 'string',
      pattern: '^(no|always|unless-stopped|on-failure(:[0-9]+)?)$',
      description:
        'When the engine restarts the containers by itself. Default: unchanged. Quote "no".',
    },
    timeout: {
      type: 'integer',
      minimum: 0,
      description:
        'Seconds that a container has to stop before it is killed. Default: the stop timeout of the container.',
    },
    docker: programProperty('docker'),
    socket: {
      type: 'string',
      pattern: '^/',
      description:
        'Socket of the engine, used to re-create a removed container. Default: /var/run/docker.sock.',
    },
  },
  anyOf: [{ required: ['name'] }, { required: ['filters'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const DEFAULT_SOCKET = '/var/run/docker.sock';

export const container: Module<Args> = {
  name: 'container',
  summary:
    'List, start, stop or remove Docker containers, or set their restart policy. Removed containers can be restored.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const found = await chosen(args, host);
    const call = programWords(args.docker, 'docker');
    const docker = (...words: string[]): Action => ({ kind: 'exec', argv: [...call, ...words] });
    const names = (list: readonly Container[]) => list.map(({ name }) => name);
    const result = {
      containers: found.map(({ name, id, image, status, running, labels, restartPolicy }) => ({
        name,
        id,
        image,
        status,
        running,
        labels,
        restart_policy: restartPolicy,
      })),
    };
    const policy = args.restart_policy;
    if (policy !== undefined && args.state === 'absent')
      throw new TaskError('"restart_policy" cannot be combined with "state: absent".');
    const running = names(found.filter((one) => one.running));
    const wait = args.timeout === undefined ? [] : ['--time', String(args.timeout)];
    const stop = running.length > 0 ? [docker('stop', ...wait, ...running)] : [];
    const actions: Action[] = [];
    // Before the stop: if the host reboots in between, the engine must not restart the container.
    if (policy !== undefined) {
      const others = names(found.filter(({ restartPolicy }) => restartPolicy !== policy));
      if (others.length > 0) actions.push(docker('update', `--restart=${policy}`, ...others));
    }
    if (args.state === 'started') {
      const resting = found.filter((one) => !one.running);
      if (resting.length > 0) actions.push(docker('start', ...names(resting)));
    } else if (args.state === 'stopped') {
      const removedOnStop = found.find((one) => one.running && one.autoRemove);
      if (removedOnStop)
        throw new TaskError(
          `Container "${removedOnStop.name}" on "${host.name}" was created with --rm: a stop would remove it.`,
          { hint: 'Use "state: absent", whose undo re-creates the container.' },
        );
      actions.push(...stop);
    } else if (args.state === 'absent') {
      const left = names(found.filter((one) => !(one.running && one.autoRemove)));
      actions.push(...stop, ...(left.length > 0 ? [docker('rm', ...left)] : []));
    }
    const calls = actions.length > 0 ? await undoOf(args, found, host) : undefined;
    return { actions, result, ...(calls ? { undo: { calls } } : {}) };
  },
};

/** @returns undefined if the found state cannot be restored */
async function undoOf(
  args: Args,
  found: readonly Container[],
  host: HostFacts,
): Promise<UndoCall[] | undefined> {
  const { docker, socket = DEFAULT_SOCKET } = args;
  const how: JsonObject = docker === undefined ? {} : { docker };
  /** One call for all containers, because the engine handles several in parallel. */
  const call = (list: readonly Container[], wanted: JsonObject): UndoCall[] => {
    const [first, ...more] = list.map(({ name }) => name);
    if (first === undefined) return [];
    const name = more.length > 0 ? [first, ...more] : first;
    return [{ module: 'container', args: { name, ...wanted, ...how } }];
  };
  const policies = [...new Set(found.map(({ restartPolicy }) => restartPolicy))]
    .filter((policy) => args.restart_policy !== undefined && policy !== args.restart_policy)
    .flatMap((policy) =>
      call(
        found.filter(({ restartPolicy }) => restartPolicy === policy),
        { restart_policy: policy },
      ),
    );
  if (args.state === 'started') {
    const resting = found.filter(({ running }) => !running);
    // Stopping a container with --rm would remove it.
    if (resting.some(({ autoRemove }) => autoRemove)) return undefined;
    return [...policies, ...call(resting, { state: 'stopped' })];
  }
  if (args.state !== 'absent') {
    const running = args.state === 'stopped' ? found.filter((one) => one.running) : [];
    return [...policies, ...call(running, { state: 'started' })];
  }
  // The engine accepts a full specification only through its socket, which needs curl.
  if (!(await host.fact(hasProgram, 'curl'))) return undefined;
  return found.map((one) => ({
    module: 'restore_container',
    args: {
      name: one.name,
      specification: specificationOf(one),
      running: one.running,
      socket,
      ...how,
    },
  }));
}

async function chosen(
  { name, filters = [], without_labels: without = [], docker, ...rest }: Args,
  host: HostFacts,
): Promise<Container[]> {
  const names = listOf(name);
  const odd = names.find((one) => !/^[A-Za-z0-9][\w.-]*$/.test(one));
  if (odd !== undefined) throw new TaskError(`"${odd}" is not a valid container name.`);
  const wanted = [...names.map((one) => `name=^/${one.replaceAll('.', '\\.')}$`), ...filters];
  // Without a filter, the engine would list all its containers.
  if (wanted.length === 0) return [];
  const [listed] = await Promise.all([
    host.fact(containers, JSON.stringify(programWords(docker, 'docker')), JSON.stringify(wanted)),
    // Requested in the same round trip, because the undo needs it.
    rest.state === 'absent' ? host.fact(hasProgram, 'curl') : undefined,
  ]);
  const missing = names.filter((one) => !listed.some((container) => container.name === one));
  const mustExist =
    rest.restart_policy !== undefined || rest.state === 'started' || rest.state === 'stopped';
  if (missing.length > 0 && filters.length === 0 && mustExist)
    throw new TaskError(`There is no container "${missing.join('", "')}" on "${host.name}".`, {
      hint: 'List them with: docker ps -a.',
    });
  return listed.filter(({ labels }) => !without.some((label) => Object.hasOwn(labels, label)));
}

/** The body of POST /containers/create, from the output of "docker inspect". */
function specificationOf({ inspected, imageId, id }: Container): JsonObject {
  const host = objectOf(inspected['HostConfig']);
  const settings = objectOf(inspected['NetworkSettings']);
  const binds = Array.isArray(host['Binds']) ? host['Binds'].map(String) : [];
  const networks = Object.entries(objectOf(settings['Networks'])).map(([name, endpoint]) => {
    const { IPAMConfig, Links, Aliases, DriverOpts } = objectOf(endpoint);
    // The engine adds the short id by itself.
    const aliases = Array.isArray(Aliases)
      ? Aliases.filter((one) => one !== id.slice(0, 12))
      : null;
    const kept = {
      IPAMConfig: IPAMConfig ?? null,
      Links: Links ?? null,
      DriverOpts: DriverOpts ?? null,
    };
    return [name, { ...kept, Aliases: aliases }] as const;
  });
  return {
    imageId,
    Config: objectOf(inspected['Config']),
    HostConfig: { ...host, Binds: [...binds, ...unnamedVolumes(inspected, binds)] },
    Networks: Object.fromEntries(networks),
  };
}

/** Anonymous volumes: they outlive the container, and the restored container must use them again. */
function unnamedVolumes(inspected: JsonObject, binds: readonly string[]): string[] {
  const mounts = Array.isArray(inspected['Mounts']) ? inspected['Mounts'].map(objectOf) : [];
  const host = objectOf(inspected['HostConfig']);
  const declared = (Array.isArray(host['Mounts']) ? host['Mounts'] : []).map(
    (one) => objectOf(one)['Target'],
  );
  return mounts.flatMap(({ Type, Name, Destination, RW }) => {
    const place = String(Destination);
    const known = declared.includes(place) || binds.some((one) => one.split(':')[1] === place);
    if (Type !== 'volume' || known) return [];
    return [`${String(Name)}:${place}${RW === false ? ':ro' : ''}`];
  });
}
