import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import { dnfUpdates, rpmPackages, rpmState } from '../facts/dnf.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { dnfCall } from './lib/packages.ts';

const WORD = '^[A-Za-z0-9][A-Za-z0-9._+:~^-]*$';
const schema = {
  type: 'object',
  properties: {
    name: {
      description:
        'Packages, each NAME, NAME-VERSION or NAME-VERSION-RELEASE. With "state: latest", "*" means all packages.',
      anyOf: [
        { type: 'string', pattern: `${WORD}|^[*]$` },
        { type: 'array', items: { type: 'string', pattern: WORD }, minItems: 1 },
      ],
    },
    state: { enum: ['present', 'latest', 'absent'], description: 'Default: present.' },
    update_cache: {
      type: 'boolean',
      description: 'Update the package index first, if packages must be changed.',
    },
    enablerepo: textOrTexts('Repositories to enable for this task.'),
    disablerepo: textOrTexts('Repositories to disable for this task.'),
    exclude: textOrTexts('Packages to exclude.'),
    allow_downgrade: {
      type: 'boolean',
      description: 'Allow a version that is older than the installed one.',
    },
    nobest: {
      type: 'boolean',
      description: 'Allow an older version if the newest one cannot be installed.',
    },
    install_weak_deps: {
      type: 'boolean',
      description: 'Install weak dependencies, too. Default: as DNF is configured.',
    },
    autoremove: {
      type: 'boolean',
      description: 'With "state: absent": remove dependencies that are no longer needed, too.',
    },
    security: {
      type: 'boolean',
      description: 'With "state: latest": install security updates only.',
    },
    lock_timeout: {
      type: 'integer',
      minimum: 0,
      description:
        'Seconds to wait for the lock of DNF. Default: until the time limit of the task.',
    },
    disable_gpg_check: { type: 'boolean', description: 'Do not check the signatures of packages.' },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

/** Exit code of DNF with exit_on_lock, when another process holds the lock. */
const LOCKED = 200;

/** Runs DNF with the arguments $2…, and waits for its lock for up to $1 s. */
const WAIT_FOR_LOCK = `n=$1
shift
while :; do
dnf -y --setopt=exit_on_lock=True "$@"
c=$?
if [ "$c" -ne ${String(LOCKED)} ] || [ "$n" -le 0 ]; then exit "$c"; fi
n=$((n - 1))
sleep 1
done`;

function callFor({ lock_timeout: seconds }: Args, ...words: string[]): Action {
  if (seconds === undefined) return dnfCall(...words);
  return exec('/bin/sh', '-c', WAIT_FOR_LOCK, 'dnf', String(seconds), ...words);
}

export const dnf: Module<Args> = {
  name: 'dnf',
  summary: 'Install, upgrade or remove packages with DNF.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const actions = await actionsFor(args, host);
    return { actions, ...(actions.length > 0 ? { undo: await undoOf(host) } : {}) };
  },
};

async function undoOf(host: HostFacts): Promise<PlannedUndo> {
  const { checksum, transaction } = await host.fact(rpmState);
  return { calls: [{ module: 'restore_rpms', args: { checksum, transaction } }] };
}

async function actionsFor(args: Args, host: HostFacts): Promise<Action[]> {
  const { state = 'present', allow_downgrade: older } = args;
  const names = listOf(args.name);
  const all = names.includes('*');
  if (all && state !== 'latest') throw new TaskError('"*" needs "state: latest".');
  const known = all ? new Map<string, never>() : await host.fact(rpmPackages, ...names);
  if (all) {
    const open = await host.fact(dnfUpdates);
    return open ? [callFor(args, ...words(args, 'upgrade'))] : [];
  }
  const missing = names.filter((name) => known.get(name)?.installed === undefined);
  if (state === 'absent') {
    const there = names.filter((name) => !missing.includes(name));
    const verb = args.autoremove === true ? 'autoremove' : 'remove';
    return there.length > 0 ? [callFor(args, ...words(args, verb), ...there)] : [];
  }
  for (const name of missing) {
    const newer = known.get(name)?.newer;
    if (newer !== undefined && older !== true)
      throw new TaskError(`"${newer}" on "${host.name}" is newer than "${name}".`, {
        hint: 'Set "allow_downgrade: true" to install the older version.',
      });
  }
  const actions = missing.length > 0 ? [callFor(args, ...words(args, 'install'), ...missing)] : [];
  const present = names.filter((name) => !missing.includes(name));
  if (state === 'latest' && present.length > 0 && (await host.fact(dnfUpdates, ...present)))
    actions.push(callFor(args, ...words(args, 'upgrade'), ...present));
  return actions;
}

function words(args: Args, verb: string): string[] {
  const weak = args.install_weak_deps;
  const each = (flag: string, value: string | string[] | undefined) =>
    listOf(value).map((one) => `${flag}=${one}`);
  return [
    ...(args.update_cache ? ['--refresh'] : []),
    ...each('--enablerepo', args.enablerepo),
    ...each('--disablerepo', args.disablerepo),
    ...each('--exclude', args.exclude),
    ...(args.nobest ? ['--nobest'] : []),
    ...(args.security ? ['--security'] : []),
    ...(args.disable_gpg_check ? ['--nogpgcheck'] : []),
    ...(weak === undefined ? [] : [`--setopt=install_weak_deps=${weak ? 'True' : 'False'}`]),
    verb,
  ];
}
