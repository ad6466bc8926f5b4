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
      description: 'URL that the host downloads. file:// is a path on the host.',
    },
    dest: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
    checksum: {
      type: 'string',
      pattern: '^(md5|sha1|sha224|sha256|sha384|sha512):([0-9a-fA-F]+|(https?|ftp|file)://\\S+)$',
      description:
        'Expected checksum: sha256:HEX, or sha256:URL of a list of checksums that names the file. The host downloads the list without headers and login. A file that already has the checksum is not downloaded again.',
    },
    force: {
      type: 'boolean',
      description: 'Without a checksum: download even if the file exists. Default: false.',
    },
    timeout: { type: 'integer', minimum: 1, description: 'Time limit in seconds. Default: 300.' },
    headers: secret({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Request headers. They need curl on the host.',
    }),
    url_username: {
      type: 'string',
      description: 'User name for basic authentication. It needs curl on the host.',
    },
    url_password: secret({
      type: 'string',
      description: 'Password. It does not appear on a command line.',
    }),
    validate_certs: {
      type: 'boolean',
      description: 'Check the certificate of the server. Default: true.',
    },
    ...fileProperties,
  },
  required: ['url', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const get_url: Module<FromSchema<typeof schema>> = {
  name: 'get_url',
  summary: 'Download a file to the host.',
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
      // These become lines of a configuration for curl: a line break would add another option.
      if (text !== undefined && /[\r\n]/.test(text))
        throw new TaskError('URL, login and headers of a download must not contain line breaks.');
    }
    const state = await host.fact(fileState, dest);
    if (state.type === 'directory') {
      throw new TaskError(`"${dest}" is a directory on "${host.name}".`, {
        hint: 'Use the full path of the file.',
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

/** The file name in a URL. */
function fileOf(url: string): string {
  const name = url.replace(/[?#].*$/, '').replace(/^.*\//, '');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
