import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { gateProperties, waitUntil } from './lib/gate.ts';

const schema = {
  type: 'object',
  properties: {
    url: { type: 'string', pattern: '^https?://', description: 'What the host itself asks.' },
    status_code: {
      anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' }, minItems: 1 }],
      description: 'Accepted statuses. Default: 200.',
    },
    contains: {
      type: 'string',
      minLength: 1,
      description: 'Extended regular expression that a line of the answer must match.',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Headers of the request. They are on no command line.',
    },
    ca_path: {
      type: 'string',
      pattern: '^/',
      description: 'Authority of the server, on the host.',
    },
    client_cert: { type: 'string', pattern: '^/', description: 'Certificate to come with.' },
    client_key: { type: 'string', pattern: '^/', description: 'Its key.' },
    validate_certs: { type: 'boolean', description: 'Default: true.' },
    request_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds that one request may take. Default: 10.',
    },
    ...gateProperties,
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const http_check: Module<FromSchema<typeof schema>> = {
  name: 'http_check',
  summary: 'Wait until the host gets the wanted answer over HTTP.',
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
        : ` && { printf '%s\\n' "$body" | grep -Eq -e ${quote(contains)} || { echo "the answer does not contain what it should: $body" | head -c 500; false; }; }`;
    const look = `{
    answer=$(printf '%s\\n' "$request" | curl -sS --max-time ${String(args.request_timeout ?? 10)} -w '\\n%{http_code}' -K -) || { echo "$answer"; false; } &&
    status=\${answer##*
} && body=\${answer%
*} && case $status in ${accepted}) ;; *) echo "status $status"; false ;; esac${found} && echo "status $status"
  }`;
    const plan = waitUntil(look, { ...args, once });
    const [action] = plan.actions;
    if (action?.kind !== 'exec') return plan;
    const script = `command -v curl >/dev/null || { echo 'there is no curl on the host' >&2; exit 3; }\nrequest=$(cat)\n${action.argv[2] ?? ''}`;
    return {
      ...plan,
      actions: [{ ...action, argv: ['/bin/sh', '-c', script], stdin: `${lines.join('\n')}\n` }],
    };
  },
};

/** A value in curl's configuration; a further line would be an option of its own. */
function curlText(text: string): string {
  if (/[\r\n]/.test(text))
    throw new TaskError('URL, headers and paths of a request are single lines.');
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
