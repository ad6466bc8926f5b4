import { isDeepStrictEqual } from 'node:util';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import { objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { containers, imageId, type Container } from '../../facts/container.ts';
import { programProperty, programWords } from '../lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Name of the container.' },
    specification: {
      type: 'object',
      description: 'Configuration of the container, from the engine.',
    },
    running: { type: 'boolean', description: 'Whether the container was running.' },
    socket: { type: 'string', description: 'Socket of the engine.' },
    docker: programProperty('docker'),
  },
  required: ['name', 'specification', 'running', 'socket'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Sends standard input to the path $2 at the socket $1. Fails and prints the response unless its status is 2xx. */
const POST = `o=$(curl -sS --unix-socket "$1" -X POST -H 'Content-Type: application/json' --data-binary @- -w '\\n%{http_code}' "http://localhost$2") || exit 1
case \${o##*
} in 2??) ;; *) printf '%s\\n' "$o" >&2; exit 1 ;; esac`;

export const restore_container: Module<FromSchema<typeof schema>> = {
  name: 'restore_container',
  summary: 'Re-create a removed container. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ name, specification, running, socket, docker }, { host }) {
    const call = programWords(docker, 'docker');
    const key = JSON.stringify(call);
    const was = specification as JsonObject;
    const config = objectOf(was['Config']);
    const image = String(config['Image']);
    const wantedImage = String(was['imageId']);
    const [[now], named] = await Promise.all([
      host.fact(containers, key, JSON.stringify([`name=^/${name.replaceAll('.', '\\.')}$`])),
      host.fact(imageId, key, image),
    ]);
    const run = (word: string): Action => ({ kind: 'exec', argv: [...call, word, name] });
    const state = (isRunning: boolean): Action[] =>
      isRunning === running ? [] : [run(running ? 'start' : 'stop')];
    if (now) {
      if (!isSame(now, config, wantedImage))
        throw new TaskError(`"${host.name}" now has a different container named "${name}".`, {
          hint: 'Rename that container, or run the rollback again with --skip CHANGE.',
        });
      return { actions: state(now.running) };
    }
    // The name may refer to another image by now.
    const exact = { ...config, Image: named === wantedImage ? image : wantedImage };
    const networks = Object.entries(objectOf(was['Networks']));
    const [first, ...others] = networks;
    const body = {
      ...exact,
      HostConfig: was['HostConfig'] ?? {},
      NetworkingConfig: { EndpointsConfig: first ? Object.fromEntries([first]) : {} },
    };
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    return {
      actions: [
        post(socket, path, body),
        ...others.map(([network, endpoint]) =>
          post(socket, `/networks/${encodeURIComponent(network)}/connect`, {
            Container: name,
            EndpointConfig: endpoint,
          }),
        ),
        ...state(false),
      ],
    };
  },
};

function post(socket: string, path: string, body: JsonValue): Action {
  const argv = ['/bin/sh', '-c', POST, 'post', socket, path];
  return { kind: 'exec', argv, stdin: JSON.stringify(body) };
}

function isSame(now: Container, was: JsonObject, image: string): boolean {
  const is = objectOf(now.inspected['Config']);
  const same = ['Cmd', 'Entrypoint', 'Env', 'Labels', 'User', 'WorkingDir'].every((key) =>
    isDeepStrictEqual(is[key] ?? null, was[key] ?? null),
  );
  return same && now.imageId === image;
}
