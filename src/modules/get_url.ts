import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module, Plan } from '../core/module.ts';
import { fileState, fileSum } from '../facts/file.ts';
import { publishedSum } from '../facts/published-sum.ts';
import { secret } from './lib/arguments.ts';
import {
  attributeActions,
  fileProperties,
  undoOfPath,
  writtenAttributes,
} from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    url: {
      type: 'string',
      pattern: '^(https?|ftp|file)://',
      description: 'What the host downloads. file:// is the host’s own.',
    },
    dest: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
    checksum: {
      type: 'string',
      pattern: '^(md5|sha1|sha224|sha256|sha384|sha512):([0-9a-fA-F]+|(https?|ftp|file)://\\S+)$',
      description:
        'What the file must be, such as sha256:HEX or sha256:URL of a list that names the file, which the host downloads without headers and login. A file that is it already is kept.',
    },
    force: {
      type: 'boolean',
      description: 'Download also where a file is there and no checksum tells. Default: false.',
    },
    timeout: { type: 'integer', minimum: 1, description: 'Seconds. Default: 300.' },
    headers: secret({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Headers of the request. Needs curl on the host.',
    }),
    url_username: { type: 'string', description: 'Needs curl on the host.' },
    url_password: secret({ type: 'string', description: 'Never on a command line.' }),
    validate_certs: { type: 'boolean', description: 'Default: true.' },
    ...fileProperties,
  },
  required: ['url', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const get_url: Module<FromSchema<typeof schema>> = {
  name: 'get_url',
  summary: 'Let the host download a file.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }): Promise<Plan> {
    const { url, dest, checksum, force, timeout = 300, headers, ...rest } = args;
    for (const text of [
      url,
      rest.url_username,
      rest.url_password,
      ...Object.entries(headers ?? {}),
    ].flat()) {
      // They go to curl line by line; a further line would be an option of its own.
      if (text !== undefined && /[\r\n]/.test(text))
        throw new TaskError('URL, login and headers of a download must be single lines.');
    }
    const state = await host.fact(fileState, dest);
    if (state.type === 'directory') {
      throw new TaskError(`"${dest}" is a directory on "${host.name}".`, {
        hint: 'Give the full name of the file.',
      });
    }
    const [, algorithm = '', given = ''] = /^(\w+):(.+)$/.exec(checksum ?? '') ?? [];
    const sum = given.includes('/')
      ? await host.fact(publishedSum, given, fileOf(url), algorithm, String(timeout))
      : given.toLowerCase();
    const same =
      state.type === 'file' &&
      (checksum === undefined
        ? force !== true
        : (await host.fact(fileSum, dest, algorithm)) === sum);
    const undo = undoOfPath(dest, state, host);
    if (same) {
      const actions = attributeActions(dest, state, rest);
      return { actions, result: { dest, url }, ...(actions.length > 0 ? { undo } : {}) };
    }
    const { url_username: user, url_password: password, validate_certs: validateCerts } = rest;
    return {
      actions: [
        {
          kind: 'download',
          path: dest,
          url,
          timeoutSeconds: timeout,
          ...(checksum === undefined ? {} : { checksum: { algorithm, sum } }),
          ...(headers === undefined ? {} : { headers }),
          ...(user === undefined ? {} : { login: { user, password: password ?? '' } }),
          ...(validateCerts === false ? { insecure: true } : {}),
          ...writtenAttributes(rest, state),
        },
      ],
      result: { dest, url },
      undo,
    };
  },
};

/** The name of the file that an address is of. */
function fileOf(url: string): string {
  const name = url.replace(/[?#].*$/, '').replace(/^.*\//, '');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
