import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, Plan } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { sha256 } from '../util/digest.ts';
import { MODE_PATTERN } from '../util/mode.ts';
import {
  destinationProperties,
  fileProperties,
  pickAttributes,
  planFile,
  planLargeFile,
  settledFile,
  undoOfPath,
  type WantedPath,
  writtenAttributes,
  wrongType,
} from './lib/file-plan.ts';
import { planDirectory, type WantedDirectory } from './lib/directory.ts';

/** Larger files are streamed; smaller ones are sent with the other actions in one round trip. */
const INLINE_BYTES = 256 * 1024;

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      description:
        'File or directory on the controller, in "files/" of the role or beside the playbook. A directory is copied into dest; with a trailing slash, only its content is.',
    },
    content: { type: 'string', description: 'Text to write, instead of src.' },
    remote_src: {
      type: 'boolean',
      description: 'src is the absolute path of a file on the host. Default: false.',
    },
    ...destinationProperties,
    checksum: {
      type: 'string',
      pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
      description: 'Expected SHA-256 of the source. The task fails if it differs.',
    },
    ...fileProperties,
    mode: {
      ...fileProperties.mode,
      pattern: `^preserve$|${MODE_PATTERN}`,
      description:
        'Permissions as quoted octal digits, symbolic, or "preserve" for those on the controller. Default: unchanged.',
    },
    directory_mode: {
      ...fileProperties.mode,
      description:
        'Permissions of the directories that are created when src is a directory. Default: 0755.',
    },
  },
  required: ['dest'],
  oneOf: [{ required: ['src'] }, { required: ['content'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const copy: Module<Args> = {
  name: 'copy',
  summary: 'Copy a file or directory from the controller, or given text, to the host.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { src, content, dest, force, remote_src: isRemote, mode, ...attributes } = args;
    const wanted = { path: dest, keepExisting: force === false, ...attributes };
    const inDigits = mode === undefined || mode === 'preserve' ? {} : { mode };
    if (src === undefined || isRemote === true) {
      if (mode === 'preserve' || args.directory_mode !== undefined)
        throw new TaskError('"preserve" and "directory_mode" need a source on the controller.');
      const bytes = Buffer.from(content ?? '');
      if (src === undefined) {
        expectChecksum(args, sha256(bytes));
        return planFile({ ...wanted, ...inDigits, content: bytes }, host);
      }
      return planOnHost(src, { ...wanted, ...inDigits }, args, host);
    }
    const directory = await controller.directory(src);
    if (directory) return planDirectory(directoryOf(src, args), directory, { host, controller });
    // Read the state on the host and the file on the controller at the same time.
    const [file] = await Promise.all([controller.fileInfo(src), host.fact(fileState, dest)]);
    expectChecksum(args, file.checksum);
    const own = mode === 'preserve' ? { mode: file.mode } : inDigits;
    if (file.size > INLINE_BYTES && file.encrypted !== true)
      return planLargeFile({ ...wanted, ...own, file }, host);
    return planFile({ ...wanted, ...own, content: await controller.file(src) }, host);
  },
};

function directoryOf(src: string, args: Args): WantedDirectory {
  const { dest, force, mode, directory_mode: directoryMode } = args;
  for (const name of ['validate', 'checksum'] as const)
    if (args[name] !== undefined)
      throw new TaskError(`"${name}" needs a single file, but "${src}" is a directory.`);
  return {
    src,
    dest,
    keepExisting: force === false,
    ...(mode === undefined ? {} : { mode }),
    ...(directoryMode === undefined ? {} : { directoryMode }),
    ...pickAttributes({ owner: args.owner, group: args.group }),
  };
}

/** @throws TaskError when the checksum is not the expected one */
function expectChecksum({ checksum, src }: Args, is: string): void {
  if (checksum === undefined || checksum.toLowerCase().replace('sha256:', '') === is) return;
  throw new TaskError(`Expected SHA-256 ${checksum} of "${src ?? 'content'}" but found ${is}.`);
}

/** Plan of copying a file from one path of the host to another. */
async function planOnHost(
  src: string,
  wanted: WantedPath,
  args: Args,
  host: HostFacts,
): Promise<Plan> {
  if (!src.startsWith('/')) throw new TaskError(`"${src}" is not an absolute path on the host.`);
  const { path } = wanted;
  const [from, state] = await Promise.all([host.fact(fileState, src), host.fact(fileState, path)]);
  if (from.type !== 'file')
    throw new TaskError(wrongType(src, from.type, 'file', host), {
      ...(from.type === 'directory' ? { hint: `Use: command: cp -a ${src} ${path}.` } : {}),
    });
  expectChecksum(args, from.checksum);
  const settled = settledFile(wanted, state, from.checksum, host);
  if (settled) return settled;
  const { validate } = wanted;
  return {
    actions: [
      {
        kind: 'copy',
        from: src,
        path,
        contentOnly: true,
        ...writtenAttributes(wanted, state),
        ...(validate === undefined ? {} : { validate }),
      },
    ],
    result: { dest: path, src, checksum: from.checksum },
    undo: undoOfPath(path, state, host),
  };
}
