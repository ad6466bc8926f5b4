import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { parseJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    cmd: {
      type: 'string',
      pattern: String.raw`^[^"'\\]*[^"'\\\s][^"'\\]*$`,
      description: 'Command of etcdctl with its flags, split at spaces, without quotes.',
    },
    read_only: {
      type: 'boolean',
      description:
        'The command only looks: it also runs in check mode, never counts as a change and needs no undo.',
    },
  },
  required: ['cmd'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The certificates in the etcd container open the client port of its own member. */
const ETCDCTL = [
  ...['docker', 'exec', '-e', 'ETCDCTL_API=3', 'ucp-kv', 'etcdctl'],
  ...['--endpoints', 'https://127.0.0.1:2379', '--cacert', '/etc/docker/ssl/ca.pem'],
  ...['--cert', '/etc/docker/ssl/cert.pem', '--key', '/etc/docker/ssl/key.pem'],
];

export const mke3_etcdctl: Module<FromSchema<typeof schema>> = {
  name: 'mke3_etcdctl',
  summary:
    'Run etcdctl in the etcd container of an MKE 3 manager. An answer in JSON is "json" of the result.',
  args: schema,
  shorthand: 'cmd',
  effect: (args) => (args['read_only'] === true ? 'reads' : 'changes'),

  plan({ cmd }) {
    const argv = [...ETCDCTL, ...cmd.trim().split(/\s+/)];
    return { actions: [{ kind: 'exec', argv }], result: { cmd: argv } };
  },

  conclude([answer]) {
    const json = parseJson(answer?.stdout ?? '');
    return json === undefined ? {} : { result: { json } };
  },
};
