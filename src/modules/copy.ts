import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { HostView, Module, Plan } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import {
  fileProperties,
  pickAttributes,
  planFile,
  planLargeFile,
  restorePath,
  settledFile,
  type WantedPath,
} from './shared.ts';

/** Larger files are streamed; smaller ones travel with the other actions, in one round trip. */
const INLINE_BYTES = 256 * 1024;

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      description: 'File on the controller: in "files/" of the role or beside the playbook.',
    },
    content: { type: 'string', description: 'The text itself, instead of src.' },
    remote_src: {
      type: 'boolean',
      description: 'src is a file of the host itself, an absolute path. Default: false.',
    },
    dest: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
    force: { type: 'boolean', description: 'Replace a file that differs. Default: true.' },
    validate: {
      type: 'string',
      pattern: '%s',
      description: 'Command that must accept the new file, written as %s.',
    },
    ...fileProperties,
  },
  required: ['dest'],
  oneOf: [{ required: ['src'] }, { required: ['content'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const copy: Module<FromSchema<typeof schema>> = {
  name: 'copy',
  summary: 'Put a file of the controller, or given text, on the host.',
  schema,

  async plan({ src, content, dest, force, remote_src: isThere, ...attributes }, host) {
    const wanted = { path: dest, keepExisting: force === false, ...attributes };
    if (src === undefined)
      return planFile({ ...wanted, content: Buffer.from(content ?? '') }, host);
    if (isThere === true) return planHere(src, wanted, host);
    // The host looks at its file while this side reads its own.
    const [file] = await Promise.all([host.controllerFileInfo(src), host.fact(fileState, dest)]);
    if (file.size > INLINE_BYTES && file.encrypted !== true)
      return planLargeFile({ ...wanted, file }, host);
    return planFile({ ...wanted, content: await host.controllerFile(src) }, host);
  },

  restore: ({ dest }, host, captured) => restorePath(dest, host, captured),
};

/** Plan of putting a file of the host at another place on it. */
async function planHere(src: string, wanted: WantedPath, host: HostView): Promise<Plan> {
  if (!src.startsWith('/')) throw new TaskError(`"${src}" is no absolute path on the host.`);
  const { path } = wanted;
  const [from, state] = await Promise.all([host.fact(fileState, src), host.fact(fileState, path)]);
  if (from.type !== 'file')
    throw new TaskError(`"${src}" on "${host.name}" is no file, but ${from.type}.`);
  const settled = settledFile(wanted, state, from.checksum, host);
  if (settled) return settled;
  const { validate } = wanted;
  return {
    actions: [
      {
        ...{ kind: 'copy', from: src, path, contentOnly: true },
        ...pickAttributes(wanted),
        ...(validate === undefined ? {} : { validate }),
      },
    ],
    result: { dest: path, src, checksum: from.checksum },
    capture: [path],
  };
}
