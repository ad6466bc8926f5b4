import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import {
  aptIndexAge,
  aptPackages,
  aptUpgrades,
  debFile,
  DPKG_STATUS,
  type AptPackage,
} from '../facts/apt.ts';
import { fileSum } from '../facts/file.ts';
import { aptGet } from './lib/packages.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      description: 'Packages, each NAME or NAME=VERSION; the version may end with "*".',
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
    },
    deb: {
      type: 'string',
      pattern: '^/.*[.]deb$',
      description:
        'Package file on the host to install, with its dependencies. Use instead of name.',
    },
    state: {
      enum: ['present', 'latest', 'absent'],
      description: 'Default: present.',
    },
    update_cache: {
      type: 'boolean',
      description: 'Update the package index first. This alone does not count as a change.',
    },
    cache_valid_time: {
      type: 'integer',
      minimum: 0,
      description:
        'Age of the package index in seconds below which update_cache is skipped. Default: 0.',
    },
    upgrade: {
      enum: ['safe', 'full'],
      description:
        'Upgrade all packages. "full" may remove packages, "safe" may only add some. Cannot be combined with name.',
    },
    only_upgrade: {
      type: 'boolean',
      description: 'Upgrade installed packages, but install no new ones.',
    },
    allow_downgrade: {
      type: 'boolean',
      description: 'Allow a version that is older than the installed one.',
    },
    install_recommends: {
      type: 'boolean',
      description: 'Install recommended packages, too. Default: as APT is configured.',
    },
    default_release: { type: 'string', description: 'Release to prefer, as with "apt-get -t".' },
    purge: {
      type: 'boolean',
      description: 'With "state: absent": remove configuration files, too.',
    },
    autoremove: {
      type: 'boolean',
      description: 'Remove dependencies that are no longer needed.',
    },
    lock_timeout: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait for the lock of APT or dpkg. Default: 60.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const apt: Module<Args> = {
  name: 'apt',
  summary: 'Install, upgrade or remove packages with APT.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { name, deb, upgrade, update_cache: update, lock_timeout: lock = 60 } = args;
    const given = [name, deb, upgrade].filter((one) => one !== undefined).length;
    if (given === 0 && update !== true)
      throw new TaskError('"apt" needs "name", "deb", "upgrade" or "update_cache".');
    if (given > 1) throw new TaskError('"apt" takes one of "name", "deb" and "upgrade".');
    if (deb !== undefined && args.state === 'absent')
      throw new TaskError('"deb" cannot be combined with "state: absent".', {
        hint: 'Use "name" to remove a package.',
      });
    const age = update === true ? await host.fact(aptIndexAge) : undefined;
    const due = update === true && (age === undefined || age >= (args.cache_valid_time ?? 0));
    const work =
      upgrade !== undefined
        ? await upgrades(args, host, due)
        : deb !== undefined
          ? await fromFile(deb, args, host)
          : await changes(args, host, due);
    // Updating the package index alone does not count as a change.
    const refresh: Action[] = due ? [{ ...aptGet(lock, 'update'), counts: false }] : [];
    return {
      actions: [...refresh, ...work],
      result: { cache_updated: due },
      undo: work.length > 0 ? await undoOf(host) : { calls: [] },
    };
  },

  /** Reads APT's summary: with an updated index, there may be nothing to upgrade. */
  conclude(answer) {
    const [, ...counts] = SUMMARY.exec(answer.at(-1)?.stdout ?? '') ?? [];
    const none = counts.length > 0 && counts.every((count) => Number(count || 0) === 0);
    return none ? { changed: false } : {};
  },
};

const SUMMARY =
  /^(\d+) upgraded, (\d+) newly installed, (?:(\d+) reinstalled, )?(?:(\d+) downgraded, )?(\d+) to remove/m;

async function undoOf(host: HostFacts): Promise<PlannedUndo> {
  const checksum = await host.fact(fileSum, DPKG_STATUS, 'sha256');
  const args = { copy: host.copyOf(DPKG_STATUS), checksum };
  return { calls: [{ module: 'restore_packages', args }] };
}

async function upgrades(
  { upgrade, lock_timeout: lock = 60, autoremove }: Args,
  host: HostFacts,
  due: boolean,
): Promise<Action[]> {
  const verb = upgrade === 'full' ? 'dist-upgrade' : 'upgrade';
  if (!due && (await host.fact(aptUpgrades, verb)) === 0) return [];
  const extra = [
    ...(upgrade === 'safe' ? ['--with-new-pkgs'] : []),
    ...(autoremove ? ['--auto-remove'] : []),
  ];
  return [aptGet(lock, ...extra, verb)];
}

async function fromFile(deb: string, args: Args, host: HostFacts): Promise<Action[]> {
  const { name, version } = await host.fact(debFile, deb);
  const installed = (await host.fact(aptPackages, name)).get(name)?.installed;
  if (installed === version || (args.only_upgrade === true && installed === undefined)) return [];
  return [aptGet(args.lock_timeout ?? 60, ...installFlags(args), 'install', '--', deb)];
}

async function changes(args: Args, host: HostFacts, due: boolean): Promise<Action[]> {
  const { name, state = 'present', lock_timeout: lock = 60 } = args;
  if (name === undefined) return [];
  const wanted = (Array.isArray(name) ? name : [name]).map((word) => {
    const [, plain = '', version] = /^([^=]*)(?:=(.*))?$/.exec(word) ?? [];
    return { word, plain, version };
  });
  const known = await host.fact(aptPackages, ...wanted.map(({ plain }) => plain));
  const open = wanted.filter(({ plain, version }) => {
    const found = known.get(plain);
    if (state === 'absent') return found?.installed !== undefined;
    if (args.only_upgrade && found?.installed === undefined) return false;
    if (!due && found?.candidate === undefined && found?.installed === undefined)
      throw new TaskError(`APT on "${host.name}" has no package "${plain}".`, {
        hint: 'Check the name, or update the package index with "update_cache: true".',
      });
    return isOpen(found, { version, latest: state === 'latest', due });
  });
  if (open.length === 0) return [];
  const words = open.map(({ word, plain }) => (state === 'absent' ? plain : word));
  if (state === 'absent') {
    const extra = [
      ...(args.purge ? ['--purge'] : []),
      ...(args.autoremove ? ['--auto-remove'] : []),
    ];
    return [aptGet(lock, ...extra, 'remove', '--', ...words)];
  }
  return [aptGet(lock, ...installFlags(args), 'install', '--', ...words)];
}

function installFlags(args: Args): string[] {
  const recommends = args.install_recommends;
  return [
    ...(args.only_upgrade ? ['--only-upgrade'] : []),
    ...(args.allow_downgrade ? ['--allow-downgrades'] : []),
    ...(args.autoremove ? ['--auto-remove'] : []),
    ...(recommends === undefined
      ? []
      : [recommends ? '--install-recommends' : '--no-install-recommends']),
    ...(args.default_release === undefined ? [] : ['-t', args.default_release]),
  ];
}

function isOpen(
  found: AptPackage | undefined,
  { version, latest, due }: { version: string | undefined; latest: boolean; due: boolean },
): boolean {
  const installed = found?.installed;
  if (installed === undefined) return true;
  if (version !== undefined)
    return version.endsWith('*')
      ? !installed.startsWith(version.slice(0, -1))
      : installed !== version;
  // The index is updated first, so the candidate is not known yet; APT decides.
  return latest && (due || (found?.candidate !== undefined && found.candidate !== installed));
}
