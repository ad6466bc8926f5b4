import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';

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
      enum: ['started', 'stopped', 'present', 'absent'],
      description: 'Default: started for a port, present for a path.',
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
    msg: { type: 'string', description: 'What to say when time is up.' },
  },
  oneOf: [{ required: ['path'] }, { required: ['port'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const COMES = new Set(['started', 'present', undefined]);

/** Shell text that succeeds while the path or port is there. */
function presence({ path, port, host = '127.0.0.1', search_regex: pattern }: Args): string {
  if (path !== undefined) {
    return pattern === undefined
      ? `[ -e ${quote(path)} ]`
      : `grep -Eq -e ${quote(pattern)} -- ${quote(path)} 2>/dev/null`;
  }
  return portOpen(host, port ?? 0);
}

/** Shell text that succeeds while something listens on a port, as the host sees it. */
export function portOpen(host: string, port: number): string {
  const where = String(port);
  if (host === '127.0.0.1' || host === 'localhost') {
    // The kernel's table needs no client program; state 0A is LISTEN.
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return `grep -Eqs '^ *[0-9]+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A ' /proc/net/tcp /proc/net/tcp6`;
  }
  const target = quote(host);
  return `{ if command -v nc >/dev/null; then nc -z -w 2 ${target} ${where}; elif command -v bash >/dev/null; then timeout 2 bash -c 'exec 3<>/dev/tcp/"$0"/"$1"' ${target} ${where}; else echo 'neither nc nor bash is there to try the port' >&2; exit 3; fi; } >/dev/null`;
}

export const wait_for: Module<Args> = {
  name: 'wait_for',
  summary: 'Wait until a port or path is there, or gone.',
  schema,
  readOnly: true,

  plan(args) {
    const { timeout = 300, sleep = 1, delay = 0, state, msg, path, port } = args;
    if (path !== undefined && (state === 'started' || state === 'stopped')) {
      throw new TaskError('A path is "present" or "absent", not started or stopped.');
    }
    const what = path ?? `port ${String(port)}`;
    const wanted = COMES.has(state);
    const message =
      msg ?? `${what} is still ${wanted ? 'not there' : 'there'} after ${String(timeout)} s.`;
    const script = [
      ...(delay > 0 ? [`sleep ${String(delay)}`] : []),
      `left=${String(timeout)}`,
      `until ${wanted ? '' : '! '}${presence(args)}; do`,
      `  left=$((left - ${String(sleep)}))`,
      `  if [ "$left" -le 0 ]; then echo ${quote(message)} >&2; exit 1; fi`,
      `  sleep ${String(sleep)}`,
      'done',
    ].join('\n');
    return { actions: [{ kind: 'exec', argv: ['/bin/sh', '-c', script] }], readOnly: true };
  },
};
