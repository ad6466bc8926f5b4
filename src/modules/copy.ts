import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { fileProperties, planFile, planLargeFile, restorePath } from './shared.ts';

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

  async plan({ src, content, dest, force, ...attributes }, host) {
    const wanted = { path: dest, keepExisting: force === false, ...attributes };
    if (src === undefined)
      return planFile({ ...wanted, content: Buffer.from(content ?? '') }, host);
    // The host looks at its file while this side reads its own.
    const [file] = await Promise.all([host.controllerFileInfo(src), host.fact(fileState, dest)]);
    if (file.size > INLINE_BYTES && file.encrypted !== true)
      return planLargeFile({ ...wanted, file }, host);
    return planFile({ ...wanted, content: await host.controllerFile(src) }, host);
  },

  restore: ({ dest }, host, captured) => restorePath(dest, host, captured),
};
