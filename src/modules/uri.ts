import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { HttpRequest } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      pattern: '^https?://',
      description: 'Address to ask. The request is sent by the controller.',
    },
    method: { enum: ['GET', 'POST', 'PUT', 'DELETE'], description: 'Default: GET.' },
    body: { description: 'Text, or a value that is sent as JSON.' },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Request headers.',
    },
    url_username: { type: 'string', description: 'Login by basic authentication.' },
    url_password: { type: 'string', description: 'Its password. Never on a command line.' },
    status_code: {
      type: 'array',
      items: { type: 'integer' },
      description: 'Accepted statuses. Default: [200].',
    },
    return_content: {
      type: 'boolean',
      description: 'Keep the answer in the result, as "content". Default: true.',
    },
    validate_certs: {
      type: 'boolean',
      description: 'Check the certificate of the server. Default: true.',
    },
    ca: {
      type: 'string',
      description: 'PEM of the authority that signed it. Default: those of the system.',
    },
    timeout: { type: 'integer', minimum: 1, description: 'Seconds. Default: 30.' },
    read_only: { type: 'boolean', description: 'A request other than GET that changes nothing.' },
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

function toRequest(args: Args): HttpRequest {
  const { body, url_username: user, url_password: password = '' } = args;
  const login = Buffer.from(`${user ?? ''}:${password}`).toString('base64');
  const json = body !== undefined && typeof body !== 'string';
  return {
    method: args.method ?? 'GET',
    url: args.url,
    headers: {
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...(user === undefined ? {} : { authorization: `Basic ${login}` }),
      ...args.headers,
    },
    timeoutMs: (args.timeout ?? 30) * 1000,
    ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body }),
    ...(args.ca === undefined ? {} : { ca: args.ca }),
    ...(args.validate_certs === false ? { insecure: true } : {}),
  };
}

export const uri: Module<Args> = {
  name: 'uri',
  summary: 'Send an HTTP request.',
  schema,
  secretArgs: ['headers', 'body', 'url_password'],

  async plan(args, host) {
    const request = toRequest(args);
    const looksOnly = request.method === 'GET' || args.read_only === true;
    if (!looksOnly) return { actions: [{ kind: 'http', request }] };
    const response = await host.request(request);
    const accepted = args.status_code ?? [200];
    if (!accepted.includes(response.status)) {
      throw new TaskError(
        `${request.method} ${args.url} answered with status ${String(response.status)}.`,
      );
    }
    const result: JsonObject = { status: response.status, url: args.url };
    if (args.return_content !== false) result['content'] = response.body;
    const json = parseJson(response.body);
    if (json !== undefined) result['json'] = json;
    return { actions: [], readOnly: true, result };
  },

  undoFor: (args) =>
    args['method'] === undefined || args['method'] === 'GET' || args['read_only'] === true
      ? 'none'
      : 'uncovered',
};

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
