import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { HostView, Module, Plan } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import {
  fileProperties,
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

/** Through a name beside the new one; what is replaced hands its permissions and owner on. */
const COPY = `t=$2.runner-tmp
cp -- "$1" "$t" || exit 1
if [ -e "$2" ]; then chmod "$(stat -L -c %a "$2")" "$t" && chown "$(stat -L -c %u:%g "$2")" "$t" || exit 1; fi
mv -f "$t" "$2"`;

/** Plan of putting a file of the host at another place on it. */
async function planHere(src: string, wanted: WantedPath, host: HostView): Promise<Plan> {
  if (!src.startsWith('/')) throw new TaskError(`"${src}" is no absolute path on the host.`);
  if (wanted.validate !== undefined)
    throw new TaskError('"validate" is not for "remote_src": check the file before it is copied.');
  const { path } = wanted;
  const [from, state] = await Promise.all([host.fact(fileState, src), host.fact(fileState, path)]);
  if (from.type !== 'file')
    throw new TaskError(`"${src}" on "${host.name}" is no file, but ${from.type}.`);
  const settled = settledFile(wanted, state, from.checksum, host);
  if (settled) return settled;
  const { mode, owner, group } = wanted;
  return {
    actions: [
      { kind: 'exec', argv: ['/bin/sh', '-c', COPY, 'copy', src, path] },
      ...(owner === undefined && group === undefined
        ? []
        : [
            {
              kind: 'chown' as const,
              path,
              ...(owner === undefined ? {} : { owner }),
              ...(group === undefined ? {} : { group }),
            },
          ]),
      ...(mode === undefined ? [] : [{ kind: 'chmod' as const, path, mode }]),
    ],
    result: { dest: path, src, checksum: from.checksum },
    capture: [path],
  };
}
