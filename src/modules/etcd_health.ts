import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { parseJson } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { quoteAll } from '../util/shell.ts';
import { gateProperties, programProperty, programWords, waitUntil } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    endpoints: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
      description: 'Client URLs of the members to query. Default: that of etcdctl.',
    },
    cacert: {
      type: 'string',
      pattern: '^/',
      description: 'CA certificate of the members, on the host.',
    },
    cert: { type: 'string', pattern: '^/', description: 'Client certificate, on the host.' },
    key: {
      type: 'string',
      pattern: '^/',
      description: 'Private key of the client certificate, on the host.',
    },
    members: { type: 'integer', minimum: 1, description: 'Expected number of members.' },
    spare: {
      type: 'integer',
      minimum: 0,
      description:
        'Number of healthy members that may fail without losing the quorum; use 1 before you stop one. Default: every member must be healthy.',
    },
    etcdctl: programProperty('etcdctl'),
    ...gateProperties,
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const etcd_health: Module<Args> = {
  name: 'etcd_health',
  summary:
    'Wait until all members of etcd are healthy, or enough of them to keep the quorum when some fail.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { endpoints, cacert, cert, key, members, spare } = args;
    const option = (name: string, value: string | undefined) =>
      value === undefined ? [] : [name, value];
    const list = Array.isArray(endpoints) ? endpoints.join(',') : endpoints;
    const call = quoteAll([
      ...programWords(args.etcdctl, 'etcdctl'),
      ...option('--endpoints', list),
      ...option('--cacert', cacert),
      ...option('--cert', cert),
      ...option('--key', key),
      ...['endpoint', 'health', '--cluster', '-w', 'json'],
    ]);
    const enough =
      spare === undefined
        ? '[ "$well" -eq "$all" ]'
        : `[ "$((well - ${String(spare)}))" -gt "$((all / 2))" ]`;
    const count = members === undefined ? '' : ` && [ "$all" -eq ${String(members)} ]`;
    // The exit code covers all members together. A line of JSON in the output reports each of them.
    const look = `{
    answer=$(ETCDCTL_API=3 ${call} 2>&1)
    all=$(printf '%s' "$answer" | grep -o '"endpoint":' | wc -l)
    well=$(printf '%s' "$answer" | grep -o '"health":true' | wc -l)
    printf '%s\\n' "$answer"
    [ "$all" -gt 0 ] && ${enough}${count} || { echo "$((well)) of $((all)) members are healthy"; false; }
  }`;
    return waitUntil(look, { ...args, once });
  },

  conclude([answer]) {
    const line = answer?.stdout.split('\n').find((one) => one.startsWith('['));
    const members = parseJson(line ?? '');
    return members === undefined ? {} : { result: { members } };
  },
};
