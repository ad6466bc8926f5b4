import { join } from 'node:path';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { FetchAction, FileEncryption } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { recipientProblem } from '../util/age.ts';
import { secret } from './lib/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      pattern: '^/',
      description: 'Absolute path of a file on the host.',
    },
    dest: {
      type: 'string',
      description: 'File on the controller; a trailing slash means a directory.',
    },
    flat: {
      type: 'boolean',
      description:
        'With false, dest is a directory, in which each file is saved as HOST/PATH. Default: true.',
    },
    fail_on_missing: {
      type: 'boolean',
      description: 'A file that is not there is a failure. Default: true.',
    },
    encrypt: secret({
      type: 'object',
      properties: {
        recipients: {
          type: 'array',
          items: { type: 'string', pattern: '^age1[0-9a-z]+$' },
          minItems: 1,
          description:
            'Public keys of age, "age1…". Whoever has one of their private keys can read the file.',
        },
        passphrase: {
          type: 'string',
          minLength: 8,
          description:
            'From an input with "secret: true" or a vault. Deriving the key takes about a second a file.',
        },
      },
      additionalProperties: false,
      description:
        'Encrypts the file in the format age before it reaches the disk of the controller, for "recipients" or with a "passphrase". The name gets ".age" at its end. "runner decrypt" and "age -d" read it. The file is fetched in every run, since its content cannot be compared.',
    }),
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const fetch: Module<FromSchema<typeof schema>> = {
  name: 'fetch',
  summary: 'Copy a file of the host to the controller.',
  args: schema,
  effect: 'restores',
  shorthand: 'src',

  async plan(args, { host, controller }) {
    const { src, dest, flat = true, fail_on_missing: mustExist = true } = args;
    const encrypt = args.encrypt && (await encryption(args.encrypt));
    const state = await host.fact(fileState, src);
    if (state.type === 'absent' && !mustExist)
      return { actions: [], result: { msg: `"${src}" is not there.` } };
    if (state.type === 'absent') throw new TaskError(`"${src}" does not exist on "${host.name}".`);
    if (state.type !== 'file') {
      throw new TaskError(`"${src}" on "${host.name}" is a ${state.type}, not a file.`, {
        hint: state.type === 'link' ? `It points at "${state.target}": fetch that.` : undefined,
      });
    }
    const inFolder = dest.endsWith('/') ? `${dest}${src.slice(src.lastIndexOf('/') + 1)}` : dest;
    const plain = flat ? inFolder : join(dest, host.name, src);
    const path = encrypt && !plain.endsWith('.age') ? `${plain}.age` : plain;
    const { checksum } = state;
    const result = { dest: path, checksum };
    // What an encrypted file holds cannot be compared: the key to read it may be elsewhere.
    if (!encrypt && (await controller.checksum(path)) === checksum) return { actions: [], result };
    const action: FetchAction = { kind: 'fetch', path: src, to: path, checksum };
    return {
      actions: [encrypt ? { ...action, encrypt } : action],
      result,
      // A copy on the operator's machine is evidence: a rollback does not remove it.
      undo: { calls: [] },
    };
  },
};

/** @throws TaskError when it is not exactly one way, or a public key is damaged */
async function encryption({
  recipients,
  passphrase,
}: {
  recipients?: string[] | undefined;
  passphrase?: string | undefined;
}): Promise<FileEncryption> {
  if ((recipients === undefined) === (passphrase === undefined))
    throw new TaskError('"encrypt" needs either "recipients" or a "passphrase".');
  if (passphrase !== undefined) return { passphrase };
  for (const recipient of recipients ?? []) {
    const problem = await recipientProblem(recipient);
    if (problem !== undefined)
      throw new TaskError(`"${recipient}" is not a public key of age. ${problem}`);
  }
  return { recipients: recipients ?? [] };
}
