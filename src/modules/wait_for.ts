import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { isHere, ofPort, portOpen } from './lib/ports.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Path to wait for.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'TCP port to wait for.',
    },
    host: {
      type: 'string',
      description: 'Host of the port, as seen from the host of the task. Default: 127.0.0.1.',
    },
    state: {
      enum: ['started', 'stopped', 'drained', 'present', 'absent'],
      description:
        'started, stopped: the port is open or closed. drained: a port of the host itself has no connections. present, absent: the path exists or does not. Default: started for a port, present for a path.',
    },
    search_regex: {
      type: 'string',
      description: 'Extended regular expression that a line of the file at path must match.',
    },
    timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Maximum time to wait in seconds. Default: 300.',
    },
    sleep: { type: 'integer', minimum: 1, description: 'Seconds between two checks. Default: 1.' },
    delay: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait before the first check. Default: 0.',
    },
    connect_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Time limit in seconds for connecting to a port of another host. Default: 5.',
    },
    msg: { type: 'string', description: 'Message after the timeout.' },
  },
  oneOf: [{ required: ['path'] }, { required: ['port'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const COMES = new Set(['started', 'present', undefined]);

/** Shell text that succeeds while the path exists and matches, or the port is open. */
function presence(args: Args): string {
  const { path, port = 0, host = '127.0.0.1', search_regex: pattern } = args;
  if (path !== undefined) {
    return pattern === undefined
      ? `[ -e ${quote(path)} ]`
      : `grep -Eq -e ${quote(pattern)} -- ${quote(path)} 2>/dev/null`;
  }
  if (args.state === 'drained')
    return `grep -Eqs ${ofPort(port, '0[1-6]')} /proc/net/tcp /proc/net/tcp6`;
  return portOpen(host, port, args.connect_timeout);
}

/** The reason to keep waiting. */
function problem({ path, port, search_regex: pattern, state }: Args, wanted: boolean): string {
  if (path === undefined) {
    const now = state === 'drained' ? 'has connections' : wanted ? 'is closed' : 'is open';
    return `Port ${String(port)} still ${now}`;
  }
  if (pattern === undefined) return `"${path}" still ${wanted ? 'does not exist' : 'exists'}`;
  return `"${path}" still ${wanted ? 'does not match' : 'matches'} ${pattern}`;
}

export const wait_for: Module<Args> = {
  name: 'wait_for',
  summary: 'Wait until a port opens or closes, or a path appears or disappears.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { sleep = 1, state, msg, path } = args;
    const { timeout = 300, delay = 0 } = once ? { timeout: 1 } : args;
    if (path !== undefined && ['started', 'stopped', 'drained'].includes(state ?? 'present'))
      throw new TaskError(`The state of a path is "present" or "absent", not "${String(state)}".`);
    if (state === 'drained' && !isHere(args.host ?? 'localhost'))
      throw new TaskError('"state: drained" counts connections on the host itself.', {
        hint: 'Remove "host" from the task.',
      });
    const wanted = COMES.has(state);
    const message = msg ?? `${problem(args, wanted)} after ${String(timeout)} s.`;
    const script = [
      ...(delay > 0 ? [`sleep ${String(delay)}`] : []),
      `left=${String(timeout)}`,
      `until ${wanted ? '' : '! '}${presence(args)}; do`,
      `  left=$((left - ${String(sleep)}))`,
      `  if [ "$left" -le 0 ]; then echo ${quote(message)} >&2; exit 1; fi`,
      `  sleep ${String(sleep)}`,
      'done',
    ].join('\n');
    return { actions: [{ kind: 'exec', argv: ['/bin/sh', '-c', script] }] };
  },
};
