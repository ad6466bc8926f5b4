import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { gateProperties, waitUntil } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    url: { type: 'string', pattern: '^https?://', description: 'URL that the host requests.' },
    status_code: {
      anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' }, minItems: 1 }],
      description: 'Accepted status codes. Default: 200.',
    },
    contains: {
      type: 'string',
      minLength: 1,
      description: 'Extended regular expression that a line of the response must match.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Request headers. They do not appear on a command line.',
    },
    ca_path: {
      type: 'string',
      pattern: '^/',
      description: 'CA certificate of the server, on the host.',
    },
    client_cert: { type: 'string', pattern: '^/', description: 'Client certificate, on the host.' },
    client_key: {
      type: 'string',
      pattern: '^/',
      description: 'Private key of the client certificate, on the host.',
    },
    validate_certs: {
      type: 'boolean',
      description: 'Check the certificate of the server. Default: true.',
    },
    request_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Time limit of one request in seconds. Default: 10.',
    },
    ...gateProperties,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const http_check: Module<FromSchema<typeof schema>> = {
  name: 'http_check',
  summary: 'Wait until a URL, requested by the host, returns the expected response.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { url, status_code: status = 200, contains, headers = {} } = args;
    const lines = [
      `url = ${curlText(url)}`,
      ...Object.entries(headers).map(
        ([name, value]) => `header = ${curlText(`${name}: ${value}`)}`,
      ),
      ...(args.ca_path === undefined ? [] : [`cacert = ${curlText(args.ca_path)}`]),
      ...(args.client_cert === undefined ? [] : [`cert = ${curlText(args.client_cert)}`]),
      ...(args.client_key === undefined ? [] : [`key = ${curlText(args.client_key)}`]),
      ...(args.validate_certs === false ? ['insecure'] : []),
    ];
    const accepted = (Array.isArray(status) ? status : [status]).join('|');
    const found =
      contains === undefined
        ? ''
        : ` && { printf '%s\\n' "$body" | grep -Eq -e ${quote(contains)} || { echo "the response does not match: $body" | head -c 500; false; }; }`;
    const look = `{
    answer=$(printf '%s\\n' "$request" | curl -sS --max-time ${String(args.request_timeout ?? 10)} -w '\\n%{http_code}' -K -) || { echo "$answer"; false; } &&
    status=\${answer##*
} && body=\${answer%
*} && case $status in ${accepted}) ;; *) echo "status $status"; false ;; esac${found} && echo "status $status"
  }`;
    const plan = waitUntil(look, { ...args, once });
    const [action] = plan.actions;
    if (action?.kind !== 'exec') return plan;
    const script = `command -v curl >/dev/null || { echo 'curl is not installed on the host' >&2; exit 3; }\nrequest=$(cat)\n${action.argv[2] ?? ''}`;
    return {
      ...plan,
      actions: [{ ...action, argv: ['/bin/sh', '-c', script], stdin: `${lines.join('\n')}\n` }],
    };
  },
};

/** A value in curl's configuration, where a line break would add another option. */
function curlText(text: string): string {
  if (/[\r\n]/.test(text))
    throw new TaskError('URL, headers and paths of a request must not contain line breaks.');
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
