import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { HostFacts, Module, Plan, PlannedUndo } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { escapeMount, mountedAt, unescapeMount, type Mounted } from '../facts/system.ts';
import { gone, inOrder, wrongType } from './lib/file-plan.ts';
import { latin1, linesOf, planEdit, textOf } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/.', description: 'Mount point.' },
    src: { type: 'string', minLength: 1, description: 'Source: a device, label, share or image.' },
    fstype: { type: 'string', minLength: 1, description: 'Type of the file system.' },
    opts: {
      type: 'string',
      minLength: 1,
      description: 'Mount options, separated by commas. Default: defaults.',
    },
    state: {
      enum: ['mounted', 'present', 'unmounted', 'absent', 'remounted', 'ephemeral'],
      description:
        'mounted: mount now and at boot. present: only the fstab entry. unmounted: unmount, but keep the fstab entry. absent: unmount and remove the entry. remounted: remount with the options of fstab. ephemeral: mount now, without an fstab entry.',
    },
    dump: {
      type: ['string', 'integer'],
      pattern: '^\\d$',
      description: 'Field "dump" of fstab. Default: 0.',
    },
    passno: {
      type: ['string', 'integer'],
      pattern: '^\\d$',
      description: 'Field "passno" of fstab: the order of file system checks. Default: 0.',
    },
    boot: { type: 'boolean', description: 'Mount the file system at boot. Default: true.' },
    fstab: {
      type: 'string',
      pattern: '^/',
      description: 'Path of the fstab file. Default: /etc/fstab.',
    },
  },
  required: ['path', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const FSTAB = '/etc/fstab';

export const mount: Module<Args> = {
  name: 'mount',
  summary: 'Mount or unmount a file system, now and at boot.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }): Promise<Plan> {
    const { path, state, src, fstype } = args;
    const wantsEntry = state === 'mounted' || state === 'present';
    if ((wantsEntry || state === 'ephemeral') && (src === undefined || fstype === undefined))
      throw new TaskError(`"state: ${state}" needs "src" and "fstype".`);
    const [now, directory] = await Promise.all([
      host.fact(mountedAt, path),
      host.fact(fileState, path),
    ]);
    if (directory.type !== 'absent' && directory.type !== 'directory')
      throw new TaskError(wrongType(path, directory.type, 'directory', host));
    const table = await planTable(args, host);
    const tableChanges = table.actions.length > 0;
    const actions: Action[] = [...table.actions];
    const comes = state === 'mounted' || state === 'ephemeral';
    if (comes && directory.type === 'absent') actions.push({ kind: 'mkdir', path });
    const otherIsMounted = now !== undefined && src !== undefined && isOther(now, args);
    if (comes && otherIsMounted && state === 'ephemeral')
      throw new TaskError(`"${now.src}" is already mounted at "${path}" on "${host.name}".`, {
        hint: 'Unmount it first with "state: unmounted".',
      });
    if (state === 'mounted' && otherIsMounted) actions.push(exec('umount', '--', path));
    if (state === 'mounted' && (now === undefined || otherIsMounted)) actions.push(mountCall(args));
    else if (state === 'mounted' && tableChanges)
      actions.push(exec('mount', '-o', remountOptions(args), path));
    if (state === 'ephemeral' && now === undefined) actions.push(mountCall(args));
    if (state === 'remounted') {
      if (now === undefined)
        throw new TaskError(`Nothing is mounted at "${path}" on "${host.name}".`);
      actions.push(exec('mount', '-o', 'remount', path));
    }
    if ((state === 'unmounted' || state === 'absent') && now) actions.push(exec('umount', path));
    return {
      ...table,
      actions,
      result: { path, mounted: now !== undefined },
      undo: undoOf(args, now, table.undo, directory.type === 'absent'),
    };
  },
};

/** Restores the mounted file system, the fstab and the directory. */
function undoOf(
  args: Args,
  before: Mounted | undefined,
  table: PlannedUndo | undefined,
  isNew: boolean,
): PlannedUndo {
  const { path, state } = args;
  if (state === 'present') return inOrder(table);
  const unmount = { module: 'mount', args: { path, state: 'unmounted' } };
  const other = before && isOther(before, args) && state === 'mounted';
  const back = before ? { module: 'mount', args: asFound(path, before) } : unmount;
  return inOrder(other ? unmount : undefined, back, table, isNew ? gone(path) : undefined);
}

function editsTable({ state }: Args): boolean {
  return state === 'mounted' || state === 'present' || state === 'absent';
}

/** Arguments that mount the found file system again. */
function asFound(path: string, { src, fstype, own, opts, isPart, elsewhere }: Mounted): JsonObject {
  const [origin] = elsewhere;
  if (!isPart || origin === undefined)
    return { path, state: 'ephemeral', src, fstype, opts: opts.join(',') };
  return {
    path,
    state: 'ephemeral',
    src: origin,
    fstype: 'none',
    opts: ['bind', ...own].join(','),
  };
}

/** Whether a source other than that of the task is mounted, as far as that can be determined. */
function isOther(
  now: Mounted,
  { src, fstype, opts = '' }: { src?: string; fstype?: string; opts?: string },
): boolean {
  if (src === undefined) return false;
  if (opts.split(',').some((one) => one === 'bind' || one === 'rbind'))
    return !now.elsewhere.includes(src.length > 1 ? src.replace(/\/$/, '') : src);
  if (fstype !== undefined && !['auto', 'none', now.fstype].includes(fstype)) return true;
  // For a label, a UUID or an image, the kernel reports only the device.
  const isDevice = now.src.startsWith('/dev/');
  const named = !src.startsWith('/') && !src.includes(':');
  if (isDevice && (named || !src.startsWith('/dev/') || src.startsWith('/dev/disk/'))) return false;
  return now.src !== src && !(now.src.startsWith('/dev/mapper/') || now.src.startsWith('/dev/dm-'));
}

function mountCall({ path, src = '', fstype = '', opts = 'defaults', state, fstab }: Args): Action {
  // "mount PATH" reads the options from fstab; without an entry, all of them must be given.
  const own = state === 'ephemeral';
  return own
    ? exec('mount', '-t', fstype, '-o', mountable(opts), '--', src, path)
    : exec('mount', ...(fstab === undefined ? [] : ['-T', fstab]), '--', path);
}

/** Options as the kernel reports them, without those that mount(8) does not accept. */
function mountable(opts: string): string {
  const kept = opts.split(',').filter((one) => !['seclabel', ''].includes(one));
  return kept.length === 0 ? 'defaults' : kept.join(',');
}

function remountOptions({ opts = 'defaults' }: Args): string {
  return `remount,${opts}`;
}

async function planTable(args: Args, host: HostFacts): Promise<Plan> {
  const { path, state, src = '', fstype = '', dump = 0, passno = 0, fstab = FSTAB } = args;
  if (!editsTable(args)) return { actions: [] };
  const opts = args.opts ?? 'defaults';
  const options =
    args.boot === false && !opts.split(',').includes('noauto') ? `${opts},noauto` : opts;
  const line = latin1(
    [src, path, fstype, options].map(escapeMount).concat(String(dump), String(passno)).join(' '),
  );
  return planEdit({ path: fstab, create: true, absentIsFine: state === 'absent' }, host, (text) => {
    const lines = linesOf(text);
    const isEntry = (one: string) =>
      !/^\s*(#|$)/.test(one) && unescapeMount(one.trim().split(/\s+/)[1] ?? '') === latin1(path);
    const at = lines.findIndex(isEntry);
    if (state === 'absent') {
      if (at === -1) return text;
      return textOf(lines.filter((one) => !isEntry(one)));
    }
    if (at !== -1 && lines[at]?.trim().split(/\s+/).join(' ') === line) return text;
    if (at === -1) lines.push(line);
    else lines[at] = line;
    return textOf(lines);
  });
}
