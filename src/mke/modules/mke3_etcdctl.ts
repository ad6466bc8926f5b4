import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { parseJson } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    cmd: {
      type: 'string',
      pattern: String.raw`^[^"'\\]*[^"'\\\s][^"'\\]*$`,
      description: 'etcdctl command with its flags. Split at spaces; quotes are not allowed.',
    },
    read_only: {
      type: 'boolean',
      description:
        'Whether the command only reads. It then also runs in check mode, is never reported as changed and needs no undo.',
    },
  },
  required: ['cmd'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/** The certificates in the etcd container give access to the client port of the local member. */
const ETCDCTL = [
  ...['docker', 'exec', '-e', 'ETCDCTL_API=3', 'ucp-kv', 'etcdctl'],
  ...['--endpoints', 'https://127.0.0.1:2379', '--cacert', '/etc/docker/ssl/ca.pem'],
  ...['--cert', '/etc/docker/ssl/cert.pem', '--key', '/etc/docker/ssl/key.pem'],
];

export const mke3_etcdctl: Module<FromSchema<typeof schema>> = {
  name: 'mke3_etcdctl',
  summary:
    'Run etcdctl in the etcd container of an MKE 3 manager. JSON output is returned as "json".',
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
