import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { gateProperties, waitUntil } from './lib/gate.ts';

const LABEL = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: `^${LABEL}([.]${LABEL})*[.]?$`,
      maxLength: 253,
      description: 'Fully qualified name to look up, such as kubernetes.default.svc.cluster.local.',
    },
    server: {
      type: 'string',
      pattern: '^[0-9A-Fa-f:.]+$',
      description: 'Address of the name server, as seen from the host.',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'TCP port of the name server. Default: 53.',
    },
    type: { enum: ['A', 'AAAA'], description: 'Type of the record. Default: A.' },
    ...gateProperties,
  },
  required: ['name', 'server'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const dns_check: Module<FromSchema<typeof schema>> = {
  name: 'dns_check',
  summary: 'Wait until a name server resolves a name, with queries from the host over TCP.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { name, server, port = 53, type = 'A' } = args;
    const bytes = [...query(name, type)]
      .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
      .join('');
    return waitUntil(
      `{ set -- ${quote(server)} ${String(port)} ${quote(bytes)}; ${EXCHANGE} | od -An -v -tu1 | ${judge(name, server)}; }`,
      { ...args, once },
    );
  },
};

/** Sends the query $3 to port $2 of $1 and prints the length and the header of the answer (RFC 1035). */
const EXCHANGE = `if command -v bash >/dev/null; then
  timeout 5 bash -c 'exec 3<>/dev/tcp/"$0"/"$1" && printf "$2" >&3 && head -c 14 <&3' "$1" "$2" "$3" 2>/dev/null
elif command -v nc >/dev/null; then printf "$3" | nc -w 5 "$1" "$2" 2>/dev/null | head -c 14
else echo 'cannot query the name server: the host has neither bash nor nc' >&2; exit 3; fi`;

const ID = [0x72, 0x75] as const;

const judge = (name: string, server: string): string => {
  const program = `{ for (i = 1; i <= NF; i++) byte[++count] = $i }
END {
  if (count < 14) { print server " does not answer"; exit 1 }
  if (byte[3] != ${String(ID[0])} || byte[4] != ${String(ID[1])}) { print server " sent an unexpected answer"; exit 1 }
  code = byte[6] % 16
  if (code != 0) { print server " does not resolve " name ": response code " code; exit 1 }
  if (byte[9] * 256 + byte[10] == 0) { print server " has no address for " name; exit 1 }
  print server " resolves " name
}`;
  return `awk -v server=${quote(server)} -v name=${quote(name)} ${quote(program)}`;
};

/** A query with the length prefix of DNS over TCP. */
function query(name: string, type: 'A' | 'AAAA'): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const message = Buffer.from([
    ...[...ID, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0],
    ...labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]),
    ...[0, 0, type === 'A' ? 1 : 28, 0, 1],
  ]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
