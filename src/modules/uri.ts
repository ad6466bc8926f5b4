import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { httpMethods, type HttpRequest } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Controller, Module } from '../core/module.ts';
import { secret } from './lib/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      pattern: '^https?://',
      description: 'URL to request. The controller sends the request.',
    },
    method: { enum: httpMethods, description: 'HTTP method. Default: GET.' },
    body: secret({ description: 'Request body: text, or a value that is encoded as body_format.' }),
    body_format: {
      enum: ['raw', 'json', 'form-urlencoded'],
      description:
        'Encoding of the body. It also sets the content type, unless headers contain one. Default: json for a value, raw for text.',
    },
    headers: secret({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Request headers.',
    }),
    url_username: { type: 'string', description: 'User name for basic authentication.' },
    url_password: secret({ type: 'string', description: 'Password for basic authentication.' }),
    status_code: {
      anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' }, minItems: 1 }],
      description:
        'Accepted status codes. Default: 200, or 200 to 299 for a request that may change something.',
    },
    follow_redirects: {
      enum: ['all', 'safe', 'none'],
      description: 'Which redirects to follow; safe means those of GET and HEAD. Default: safe.',
    },
    return_content: {
      type: 'boolean',
      description: 'Return the response body as "content" in the result. Default: true.',
    },
    validate_certs: {
      type: 'boolean',
      description: 'Check the certificate of the server. Default: true.',
    },
    ca: {
      type: 'string',
      description:
        'CA certificate of the server as PEM. Default: the CA certificates of the system.',
    },
    ca_path: {
      type: 'string',
      description: 'PEM file on the controller with the CA certificate, instead of ca.',
    },
    client_cert: {
      type: 'string',
      description: 'PEM file on the controller with the client certificate.',
    },
    client_key: {
      type: 'string',
      description: 'PEM file on the controller with its private key. Default: client_cert.',
    },
    unix_socket: {
      type: 'string',
      pattern: '^/',
      description: 'Unix socket on the controller to connect to.',
    },
    timeout: { type: 'integer', minimum: 1, description: 'Time limit in seconds. Default: 30.' },
    read_only: {
      type: 'boolean',
      description: 'Treat a request other than GET as one that changes nothing. Default: false.',
    },
  },
  required: ['url'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

async function toRequest(args: Args, controller: Controller): Promise<HttpRequest> {
  const { url_username: user, url_password: password = '', follow_redirects: redirects } = args;
  const { ca_path: caPath, client_cert: certPath, client_key: keyPath, unix_socket: socket } = args;
  const login = Buffer.from(`${user ?? ''}:${password}`).toString('base64');
  const [ca, cert, key] = await Promise.all(
    [caPath, certPath, keyPath].map(async (path) =>
      path === undefined ? undefined : (await controller.file(path)).toString('utf8'),
    ),
  );
  if (cert === undefined && key !== undefined)
    throw new TaskError('"client_key" needs "client_cert".');
  const { type, text } = writtenBody(args);
  const pinned = args.ca ?? ca;
  return {
    method: args.method ?? 'GET',
    url: args.url,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(user === undefined ? {} : { authorization: `Basic ${login}` }),
      ...args.headers,
    },
    timeoutMs: (args.timeout ?? 30) * 1000,
    ...(text === undefined ? {} : { body: text }),
    ...(pinned === undefined ? {} : { ca: pinned }),
    ...(cert === undefined ? {} : { clientCertificate: { cert, key: key ?? cert } }),
    ...(args.validate_certs === false ? { insecure: true } : {}),
    ...(socket === undefined ? {} : { socket }),
    ...(redirects === 'none' ? {} : { redirects: redirects ?? 'safe' }),
    ...(args.status_code === undefined ? {} : { accept: [args.status_code].flat() }),
  };
}

/** The encoded body, and its content type if known. */
function writtenBody({ body, body_format: format }: Args): { type?: string; text?: string } {
  if (body === undefined) return {};
  switch (format ?? (typeof body === 'string' ? 'raw' : 'json')) {
    case 'json':
      // Text is already JSON.
      return {
        type: 'application/json',
        text: typeof body === 'string' ? body : JSON.stringify(body),
      };
    case 'form-urlencoded': {
      const type = 'application/x-www-form-urlencoded';
      if (typeof body === 'string') return { type, text: body };
      if (!isJsonObject(body as JsonValue))
        throw new TaskError('The body of a form must be a map of names and values, or text.');
      const pairs = Object.entries(body as JsonObject).flatMap(([name, value]) =>
        [value]
          .flat()
          .map((one): [string, string] => [
            name,
            typeof one === 'string' ? one : JSON.stringify(one),
          ]),
      );
      return { type, text: new URLSearchParams(pairs).toString() };
    }
    case 'raw':
      if (typeof body !== 'string')
        throw new TaskError('A raw body must be text; omit "body_format" to send a value as JSON.');
      return { text: body };
  }
}

export const uri: Module<Args> = {
  name: 'uri',
  summary: 'Send an HTTP request.',
  args: schema,
  effect: (args) => (isReadOnly(args) ? 'reads' : 'changes'),

  async plan(args, { controller }) {
    const request = await toRequest(args, controller);
    if (!isReadOnly(args)) return { actions: [{ kind: 'http', request }] };
    const response = await controller.request(request);
    const accepted = request.accept ?? [200];
    if (!accepted.includes(response.status)) {
      throw new TaskError(
        `${request.method} ${args.url} answered with status ${String(response.status)}.`,
      );
    }
    const result: JsonObject = { status: response.status, url: response.url ?? args.url };
    if (args.return_content !== false) result['content'] = response.body;
    const json = parseJson(response.body);
    if (json !== undefined) result['json'] = json;
    return { actions: [], result };
  },
};

/** Whether the request changes nothing, according to its method or to "read_only". */
function isReadOnly(args: { method?: unknown; read_only?: unknown }): boolean {
  const { method = 'GET' } = args;
  return args.read_only === true || ['GET', 'HEAD', 'OPTIONS'].includes(String(method));
}
