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
} from './lib/file-plan.ts';
import { planFolder, type WantedFolder } from './lib/folder.ts';

/** Larger files are streamed; smaller ones travel with the other actions, in one round trip. */
const INLINE_BYTES = 256 * 1024;

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      description:
        'File or directory on the controller: in "files/" of the role or beside the playbook. A directory goes into dest; with a slash behind its name only what is in it.',
    },
    content: { type: 'string', description: 'The text itself, instead of src.' },
    remote_src: {
      type: 'boolean',
      description: 'src is a file of the host itself, an absolute path. Default: false.',
    },
    ...destinationProperties,
    checksum: {
      type: 'string',
      pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
      description: 'SHA-256 that the file must have before it is sent.',
    },
    ...fileProperties,
    mode: {
      ...fileProperties.mode,
      pattern: `^preserve$|${MODE_PATTERN}`,
      description:
        'Permissions as quoted octal digits, symbolic, or "preserve" for those on the controller. Kept when absent.',
    },
    directory_mode: {
      ...fileProperties.mode,
      description: 'Permissions of directories that are made with a directory. Default: 0755.',
    },
  },
  required: ['dest'],
  oneOf: [{ required: ['src'] }, { required: ['content'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const copy: Module<Args> = {
  name: 'copy',
  summary: 'Put a file or directory of the controller, or given text, on the host.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { src, content, dest, force, remote_src: isThere, mode, ...attributes } = args;
    const wanted = { path: dest, keepExisting: force === false, ...attributes };
    const inDigits = mode === undefined || mode === 'preserve' ? {} : { mode };
    if (src === undefined || isThere === true) {
      if (mode === 'preserve' || args.directory_mode !== undefined)
        throw new TaskError('"preserve" and "directory_mode" are for what is on the controller.');
      const bytes = Buffer.from(content ?? '');
      if (src === undefined) {
        expectChecksum(args, sha256(bytes));
        return planFile({ ...wanted, ...inDigits, content: bytes }, host);
      }
      return planHere(src, { ...wanted, ...inDigits }, args, host);
    }
    const folder = await controller.folder(src);
    if (folder) return planFolder(folderOf(src, args), folder, { host, controller });
    // The host looks at its file while this side reads its own.
    const [file] = await Promise.all([controller.fileInfo(src), host.fact(fileState, dest)]);
    expectChecksum(args, file.checksum);
    const own = mode === 'preserve' ? { mode: file.mode } : inDigits;
    if (file.size > INLINE_BYTES && file.encrypted !== true)
      return planLargeFile({ ...wanted, ...own, file }, host);
    return planFile({ ...wanted, ...own, content: await controller.file(src) }, host);
  },
};

function folderOf(src: string, args: Args): WantedFolder {
  const { dest, force, mode, directory_mode: directoryMode } = args;
  for (const name of ['validate', 'checksum'] as const)
    if (args[name] !== undefined)
      throw new TaskError(`"${src}" is a directory: "${name}" is for a single file.`);
  return {
    src,
    dest,
    keepExisting: force === false,
    ...(mode === undefined ? {} : { mode }),
    ...(directoryMode === undefined ? {} : { directoryMode }),
    ...pickAttributes({ owner: args.owner, group: args.group }),
  };
}

/** @throws TaskError when it is not the file that the task means */
function expectChecksum({ checksum, src }: Args, is: string): void {
  if (checksum === undefined || checksum.toLowerCase().replace('sha256:', '') === is) return;
  throw new TaskError(`"${src ?? 'content'}" is not the file that is meant: its SHA-256 is ${is}.`);
}

/** Plan of putting a file of the host at another place on it. */
async function planHere(
  src: string,
  wanted: WantedPath,
  args: Args,
  host: HostFacts,
): Promise<Plan> {
  if (!src.startsWith('/')) throw new TaskError(`"${src}" is no absolute path on the host.`);
  const { path } = wanted;
  const [from, state] = await Promise.all([host.fact(fileState, src), host.fact(fileState, path)]);
  if (from.type !== 'file')
    throw new TaskError(`"${src}" on "${host.name}" is no file, but ${from.type}.`, {
      ...(from.type === 'directory'
        ? { hint: `Copy it with: command: cp -a ${src} ${path}.` }
        : {}),
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
