import { join } from 'node:path';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { FetchAction, FileEncryption } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { recipientProblem } from '../util/age.ts';
import { secret } from './lib/arguments.ts';
import { wrongType } from './lib/file-plan.ts';

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
      description: 'File on the controller, or with a trailing slash a directory.',
    },
    flat: {
      type: 'boolean',
      description:
        'With false, dest is a directory, in which each file is saved as HOST/PATH. Default: true.',
    },
    fail_on_missing: {
      type: 'boolean',
      description: 'Fail if the file does not exist. Default: true.',
    },
    encrypt: secret({
      type: 'object',
      properties: {
        recipients: {
          type: 'array',
          items: { type: 'string', pattern: '^age1[0-9a-z]+$' },
          minItems: 1,
          description:
            'Public keys of age, "age1…". The private key of any of them decrypts the file.',
        },
        passphrase: {
          type: 'string',
          minLength: 8,
          description:
            'Passphrase from an input with "secret: true" or from a vault. Deriving the key takes about 1 s per file.',
        },
      },
      additionalProperties: false,
      description:
        'Encrypt the file in the age format before it is written to the disk of the controller, for "recipients" or with a "passphrase". ".age" is appended to its name. "runner decrypt" and "age -d" decrypt it. The file is fetched in every run, because encrypted content cannot be compared.',
    }),
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const fetch: Module<FromSchema<typeof schema>> = {
  name: 'fetch',
  summary: 'Copy a file from the host to the controller.',
  args: schema,
  effect: 'restores',
  shorthand: 'src',

  async plan(args, { host, controller }) {
    const { src, dest, flat = true, fail_on_missing: mustExist = true } = args;
    const encrypt = args.encrypt && (await encryption(args.encrypt));
    const state = await host.fact(fileState, src);
    if (state.type === 'absent' && !mustExist)
      return { actions: [], result: { msg: `"${src}" does not exist.` } };
    if (state.type === 'absent') throw new TaskError(`"${src}" does not exist on "${host.name}".`);
    if (state.type !== 'file') {
      throw new TaskError(wrongType(src, state.type, 'file', host), {
        hint:
          state.type === 'link' ? `Fetch the target of the link: "${state.target}".` : undefined,
      });
    }
    const inDirectory = dest.endsWith('/') ? `${dest}${src.slice(src.lastIndexOf('/') + 1)}` : dest;
    const plain = flat ? inDirectory : join(dest, host.name, src);
    const path = encrypt && !plain.endsWith('.age') ? `${plain}.age` : plain;
    const { checksum } = state;
    const result = { dest: path, checksum };
    // Encrypted content cannot be compared: the private key is usually elsewhere.
    if (!encrypt && (await controller.checksum(path)) === checksum) return { actions: [], result };
    const action: FetchAction = { kind: 'fetch', path: src, to: path, checksum };
    return {
      actions: [encrypt ? { ...action, encrypt } : action],
      result,
      // The copy on the controller is evidence: a rollback does not remove it.
      undo: { calls: [] },
    };
  },
};

/** @throws TaskError unless there are either valid public keys or a passphrase */
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
