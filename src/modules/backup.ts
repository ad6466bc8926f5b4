import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import { fileState, treeSum } from '../facts/file.ts';
import { sha256 } from '../util/digest.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { gone, inOrder } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    paths: textOrTexts('Absolute paths of files and directories on the host.'),
    dest: {
      type: 'string',
      pattern: '^/',
      description:
        'Absolute path of a directory on the controller. The archive in it is HOST/NAME-SUM.tar.gz with mode 0600.',
    },
    name: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      description: 'First part of the name of the archive. Default: backup.',
    },
    restore: {
      type: 'boolean',
      description:
        'A rollback restores the paths from the archive. Default: true. With false, the archive is only kept.',
    },
  },
  required: ['paths', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export interface SavedPath {
  path: string;
  type: 'file' | 'directory';
  /** SHA-256 of a file, or one checksum over the whole tree of a directory. */
  sum: string;
}

/** Packs paths ($2…) into an archive ($1) and prints its SHA-256. Owners are stored as numbers: names may change. */
const PACK = `a=$1
shift
umask 077
t=$(mktemp "$a.XXXXXX") || exit 1
trap 'rm -f "$t"' EXIT
tar -C / --numeric-owner -czf "$t" "$@" && mv -f "$t" "$a" && sha256sum "$a"`;

export const backup: Module<Args> = {
  name: 'backup',
  summary: 'Save files and directories of the host in an archive on the controller.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { saved, archive, file } = await readPaths(args, host);
    const list = saved.map((one) => ({ ...one }));
    const result = { dest: file, saved: list };
    const restored = { module: 'restore_backup', args: { file, archive, saved: list } };
    const undo: PlannedUndo =
      args.restore === false
        ? inOrder(gone(archive))
        : // Later steps may change the paths even if the archive existed before this run.
          { ...inOrder(restored, gone(archive)), always: true };
    // The name contains a checksum of the content, so an existing archive is the same.
    if ((await controller.checksum(file)) !== undefined) return { actions: [], result, undo };
    const members = saved.map(({ path }) => `.${path}`);
    return {
      actions: [
        { kind: 'exec', argv: ['/bin/sh', '-c', PACK, 'pack', archive, ...members] },
        { kind: 'fetch', path: archive, to: file },
        { kind: 'remove', path: archive },
      ],
      result,
      undo,
    };
  },
};

async function readPaths(args: Args, host: HostFacts) {
  const paths = listOf(args.paths).map((path) => path.replace(/(?<=.)\/+$/, ''));
  const odd = paths.find((path) => !/^\/[^\n]+$/.test(path) || path.split('/').includes('..'));
  if (odd !== undefined)
    throw new TaskError(`Cannot save "${odd}": paths must be absolute, without "..", and not "/".`);
  const states = await Promise.all(
    paths.map((path) => Promise.all([host.fact(fileState, path), host.fact(treeSum, path)])),
  );
  const saved = paths.map((path, index): SavedPath => {
    const [state, tree] = states[index] ?? [];
    if (state?.type === 'file') return { path, type: 'file', sum: state.checksum };
    if (state?.type === 'directory' && tree !== undefined)
      return { path, type: 'directory', sum: tree };
    const what = state?.type === 'absent' ? 'does not exist' : 'is neither a file nor a directory';
    throw new TaskError(`Cannot save "${path}" on "${host.name}": it ${what}.`);
  });
  const sum = sha256(Buffer.from(JSON.stringify(saved))).slice(0, 16);
  const name = `${args.name ?? 'backup'}-${sum}.tar.gz`;
  const file = `${args.dest.replace(/\/+$/, '')}/${host.name}/${name}`;
  return { saved, file, archive: `/var/tmp/runner-${name}` };
}
