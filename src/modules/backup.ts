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
    paths: textOrTexts('Files and directories of the host; absolute paths.'),
    dest: {
      type: 'string',
      pattern: '^/',
      description:
        'Folder on the controller, an absolute path. The archive is HOST/NAME-SUM.tar.gz in it, 0600.',
    },
    name: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      description: 'What the name of the archive begins with. Default: backup.',
    },
    restore: {
      type: 'boolean',
      description:
        'Taking the run back brings the paths to what was saved. Default: true; with false the archive is only kept.',
    },
  },
  required: ['paths', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export interface SavedPath {
  path: string;
  type: 'file' | 'directory';
  /** Of a file its SHA-256, of a directory one sum over all below it. */
  sum: string;
}

/** $1: the archive, then paths. Its sum goes to standard output. Numbers, not names, of owners: names may change. */
const PACK = `a=$1
shift
umask 077
t=$(mktemp "$a.XXXXXX") || exit 1
trap 'rm -f "$t"' EXIT
tar -C / --numeric-owner -czf "$t" "$@" && mv -f "$t" "$a" && sha256sum "$a"`;

export const backup: Module<Args> = {
  name: 'backup',
  summary: 'Save files and directories of the host on the controller; an undo restores them.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { saved, archive, file } = await look(args, host);
    const list = saved.map((one) => ({ ...one }));
    const result = { dest: file, saved: list };
    const restored = { module: 'restore_backup', args: { file, archive, saved: list } };
    const undo: PlannedUndo =
      args.restore === false
        ? inOrder(gone(archive))
        : // What came after it may have changed the paths, although there was nothing to save.
          { ...inOrder(restored, gone(archive)), always: true };
    // The name says what is in it, so what is there already is the same.
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

async function look(args: Args, host: HostFacts) {
  const paths = listOf(args.paths).map((path) => path.replace(/(?<=.)\/+$/, ''));
  const odd = paths.find((path) => !/^\/[^\n]+$/.test(path) || path.split('/').includes('..'));
  if (odd !== undefined)
    throw new TaskError(`"${odd}" cannot be saved: paths are absolute, without "..", and not "/".`);
  const states = await Promise.all(
    paths.map((path) => Promise.all([host.fact(fileState, path), host.fact(treeSum, path)])),
  );
  const saved = paths.map((path, index): SavedPath => {
    const [state, tree] = states[index] ?? [];
    if (state?.type === 'file') return { path, type: 'file', sum: state.checksum };
    if (state?.type === 'directory' && tree !== undefined)
      return { path, type: 'directory', sum: tree };
    const what = state?.type === 'absent' ? 'is not there' : 'is neither file nor directory';
    throw new TaskError(`"${path}" ${what} on "${host.name}": it cannot be saved.`);
  });
  const sum = sha256(Buffer.from(JSON.stringify(saved))).slice(0, 16);
  const name = `${args.name ?? 'backup'}-${sum}.tar.gz`;
  const file = `${args.dest.replace(/\/+$/, '')}/${host.name}/${name}`;
  return { saved, file, archive: `/var/tmp/runner-${name}` };
}
