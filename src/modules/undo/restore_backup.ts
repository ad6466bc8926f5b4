import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { fileState, treeSum } from '../../facts/file.ts';
import { MOUNTS_BELOW } from '../../util/shell.ts';

const schema = {
  type: 'object',
  properties: {
    file: { type: 'string', description: 'Archive on the controller.' },
    archive: { type: 'string', description: 'Temporary path of the archive on the host.' },
    saved: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Path on the host.' },
          type: { enum: ['file', 'directory'], description: 'Type of the path.' },
          sum: {
            type: 'string',
            description: 'Checksum of the file, or over the tree of the directory.',
          },
        },
        required: ['path', 'type', 'sum'],
        additionalProperties: false,
      },
      description: 'The saved paths and their checksums.',
    },
  },
  required: ['file', 'archive', 'saved'],
  additionalProperties: false,
} as const satisfies JSONSchema;

/**
 * Arguments: the archive, then pairs of type and path. Each path is unpacked beside the existing one before that is removed.
 * An existing directory is kept, because it may be a mount point; only its content is replaced.
 */
const UNPACK = `${MOUNTS_BELOW}
a=$1
shift
while [ "$#" -gt 0 ]; do
  k=$1 p=$2
  shift 2
  if [ -d "$p" ] && [ ! -L "$p" ]; then
    m=$(mounts_below "$p" ' ' | tr -d '\\n')
    if [ -n "$m" ]; then echo "$p is not restored, because file systems are mounted below it:$m. Unmount them first." >&2; exit 1; fi
  fi
  if [ "$k" = directory ]; then
    if [ -L "$p" ] || [ ! -d "$p" ]; then rm -rf "$p" && mkdir -p "$p" || exit 1; fi
    f=$p
  else
    f=$(dirname "$p")
    mkdir -p "$f" || exit 1
  fi
  rm -rf "$f"/.runner-restore.*
  t=$(mktemp -d "$f/.runner-restore.XXXXXX") || exit 1
  tar -xpzf "$a" --numeric-owner -C "$t" ".$p" || { rm -rf "$t"; exit 1; }
  if [ "$k" = directory ]; then
    find "$p" -mindepth 1 -maxdepth 1 ! -name "\${t##*/}" -exec rm -rf {} + &&
    find "$t$p" -mindepth 1 -maxdepth 1 -exec sh -c 'mv "$@" "$0"' "$p/" {} + &&
    chown "$(stat -c %u:%g "$t$p")" "$p" && chmod "$(stat -c %a "$t$p")" "$p" || exit 1
  else
    if [ -d "$p" ] && [ ! -L "$p" ]; then rm -rf "$p"; fi
    mv -f "$t$p" "$p" || exit 1
  fi
  rm -rf "$t"
done
sync`;

export const restore_backup: Module<FromSchema<typeof schema>> = {
  name: 'restore_backup',
  summary: 'Restore the paths that a backup saved. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ file, archive, saved }, { host, controller }) {
    const now = await Promise.all(
      saved.map(async ({ path, type, sum }) => {
        const [state, tree] = await Promise.all([
          host.fact(fileState, path),
          type === 'directory' ? host.fact(treeSum, path) : undefined,
        ]);
        return state.type === type && (type === 'file' ? state.checksum : tree) === sum;
      }),
    );
    const different = saved.filter((_, index) => now[index] !== true);
    if (different.length === 0) return { actions: [] };
    const { size, checksum } = await controller.fileInfo(file);
    const words = different.flatMap(({ type, path }) => [type, path]);
    return {
      actions: [
        { kind: 'upload', path: archive, from: file, size, checksum, mode: '0600' },
        { kind: 'exec', argv: ['/bin/sh', '-c', UNPACK, 'unpack', archive, ...words] },
        { kind: 'remove', path: archive },
      ],
    };
  },
};
