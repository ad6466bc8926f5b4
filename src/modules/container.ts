import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { HostView, Module, ModuleCall } from '../core/module.ts';
import { containers, hasProgram, objectOf, type Container } from '../facts/container.ts';
import { programProperty, programWords } from './gate.ts';
import { listOf, textOrTexts } from './shared.ts';

const schema = {
  type: 'object',
  properties: {
    name: textOrTexts('Names of containers.'),
    filters: {
      type: 'array',
      items: { type: 'string', pattern: '=' },
      description:
        'What containers must be, in the words of "docker ps --filter", such as label=app=web.',
    },
    state: {
      enum: ['started', 'stopped', 'absent'],
      description: 'What they are to be; absent stops them first. Without it they are only listed.',
    },
    timeout: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds a container has to end by itself. Default: what it was made with.',
    },
    docker: programProperty('docker'),
    socket: {
      type: 'string',
      pattern: '^/',
      description:
        'Where the engine answers: how a removed container is made again. Default: /var/run/docker.sock.',
    },
  },
  anyOf: [{ required: ['name'] }, { required: ['filters'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const DEFAULT_SOCKET = '/var/run/docker.sock';

export const container: Module<Args> = {
  name: 'container',
  summary: 'List, start, stop or remove containers of Docker; what was removed can be made again.',
  schema,

  async plan(args, host) {
    const found = await chosen(args, host);
    const call = programWords(args.docker, 'docker');
    const docker = (...words: string[]): Action => ({ kind: 'exec', argv: [...call, ...words] });
    const names = (list: readonly Container[]) => list.map(({ name }) => name);
    const result = {
      containers: found.map(({ name, id, image, status, running, labels }) => ({
        ...{ name, id, image, status, running, labels },
      })),
    };
    const running = names(found.filter((one) => one.running));
    const wait = args.timeout === undefined ? [] : ['--time', String(args.timeout)];
    const stop = running.length > 0 ? [docker('stop', ...wait, ...running)] : [];
    const actions: Action[] = [];
    if (args.state === 'started') {
      const resting = found.filter((one) => !one.running);
      if (resting.length > 0) actions.push(docker('start', ...names(resting)));
    } else if (args.state === 'stopped') {
      const vanishing = found.find((one) => one.running && one.vanishes);
      if (vanishing)
        throw new TaskError(
          `The container "${vanishing.name}" on "${host.name}" was made with --rm: it is removed when it stops.`,
          { hint: 'Ask for state: absent; what is removed can be made again.' },
        );
      actions.push(...stop);
    } else if (args.state === 'absent') {
      const left = names(found.filter((one) => !(one.running && one.vanishes)));
      actions.push(...stop, ...(left.length > 0 ? [docker('rm', ...left)] : []));
    }
    return { actions, result };
  },

  async restore(args, host): Promise<ModuleCall[] | undefined> {
    const found = await chosen(args, host);
    const { docker, socket = DEFAULT_SOCKET } = args;
    const how: JsonObject = docker === undefined ? {} : { docker };
    const calls = (state: string, list: readonly Container[]): ModuleCall[] =>
      list.map(({ name }) => ({ module: 'container', args: { name, state, ...how } }));
    if (args.state === 'started') {
      const resting = found.filter(({ running }) => !running);
      // Stopping would remove it.
      return resting.some(({ vanishes }) => vanishes) ? undefined : calls('stopped', resting);
    }
    if (args.state === 'stopped')
      return calls(
        'started',
        found.filter(({ running }) => running),
      );
    // The engine takes a whole specification only at its socket.
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
  },
};

async function chosen(
  { name, filters = [], state, docker }: Args,
  host: HostView,
): Promise<Container[]> {
  const names = listOf(name);
  const odd = names.find((one) => !/^[A-Za-z0-9][\w.-]*$/.test(one));
  if (odd !== undefined) throw new TaskError(`"${odd}" is no name of a container.`);
  const wanted = [...names.map((one) => `name=^/${one.replaceAll('.', '\\.')}$`), ...filters];
  const [found] = await Promise.all([
    host.fact(containers, JSON.stringify(programWords(docker, 'docker')), JSON.stringify(wanted)),
    // Asked for together: an undo needs it.
    state === 'absent' ? host.fact(hasProgram, 'curl') : undefined,
  ]);
  const missing = names.filter((one) => !found.some((container) => container.name === one));
  if (missing.length > 0 && filters.length === 0 && (state === 'started' || state === 'stopped'))
    throw new TaskError(`There is no container "${missing.join('", "')}" on "${host.name}".`, {
      hint: 'List them with: docker ps -a.',
    });
  return found;
}

/** What POST /containers/create takes, of what the engine said. */
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

/** Volumes that got their names from the engine: they outlive the container, and are to be found again. */
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
