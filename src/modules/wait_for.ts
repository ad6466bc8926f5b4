import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { isHere, ofPort, portOpen } from './lib/ports.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Path that must appear or go.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'TCP port that must open or close.',
    },
    host: {
      type: 'string',
      description: 'Where the port is, as seen from the host. Default: 127.0.0.1.',
    },
    state: {
      enum: ['started', 'stopped', 'drained', 'present', 'absent'],
      description:
        'Default: started for a port, present for a path. drained: no connection to a port of the host itself is left.',
    },
    search_regex: {
      type: 'string',
      description: 'Extended regular expression the file at path must contain.',
    },
    timeout: { type: 'integer', minimum: 1, description: 'Seconds to wait at most. Default: 300.' },
    sleep: { type: 'integer', minimum: 1, description: 'Seconds between two looks. Default: 1.' },
    delay: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds before the first look. Default: 0.',
    },
    connect_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds a try to connect to a port elsewhere may take. Default: 5.',
    },
    msg: { type: 'string', description: 'What to say when time is up.' },
  },
  oneOf: [{ required: ['path'] }, { required: ['port'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const COMES = new Set(['started', 'present', undefined]);

/** Shell text that succeeds while the path or port is there. */
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

export const wait_for: Module<Args> = {
  name: 'wait_for',
  summary: 'Wait until a port or path is there, or gone.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { sleep = 1, state, msg, path, port } = args;
    const { timeout = 300, delay = 0 } = once ? { timeout: 1 } : args;
    if (path !== undefined && ['started', 'stopped', 'drained'].includes(state ?? 'present'))
      throw new TaskError(`A path is "present" or "absent", not ${String(state)}.`);
    if (state === 'drained' && !isHere(args.host ?? 'localhost'))
      throw new TaskError(
        'The connections of a port are counted on the host itself: leave "host" out.',
      );
    const what = path ?? `port ${String(port)}`;
    const wanted = COMES.has(state);
    const stands =
      state === 'drained' ? 'has connections' : `is still ${wanted ? 'not there' : 'there'}`;
    const message = msg ?? `${what} ${stands} after ${String(timeout)} s.`;
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
