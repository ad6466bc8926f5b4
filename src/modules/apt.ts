import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import {
  aptListsAge,
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
      description: 'Package file on the host to install, with what it needs. Instead of name.',
    },
    state: {
      enum: ['present', 'latest', 'absent'],
      description: 'Default: present.',
    },
    update_cache: {
      type: 'boolean',
      description: 'Read the lists of packages anew first. That alone is no change.',
    },
    cache_valid_time: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds that the lists may be old before update_cache reads them. Default: 0.',
    },
    upgrade: {
      enum: ['safe', 'full'],
      description:
        'Upgrade all packages; "full" may remove some, "safe" only adds. Not together with name.',
    },
    only_upgrade: { type: 'boolean', description: 'Install nothing that is not there yet.' },
    allow_downgrade: { type: 'boolean', description: 'The wanted version may be an older one.' },
    install_recommends: { type: 'boolean', description: 'Default: what APT is configured to do.' },
    default_release: { type: 'string', description: 'Release that versions are taken from first.' },
    purge: { type: 'boolean', description: 'With absent: remove configuration files, too.' },
    autoremove: {
      type: 'boolean',
      description: 'Remove dependencies that nothing needs any more.',
    },
    lock_timeout: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait for another APT or dpkg. Default: 60.',
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
      throw new TaskError('A package is removed by its name: "name" instead of "deb".');
    const age = update === true ? await host.fact(aptListsAge) : undefined;
    const due = update === true && (age === undefined || age >= (args.cache_valid_time ?? 0));
    const work =
      upgrade !== undefined
        ? await upgrades(args, host, due)
        : deb !== undefined
          ? await fromFile(deb, args, host)
          : await changes(args, host, due);
    // Lists that are read again are no change of their own.
    const lists: Action[] = due ? [{ ...aptGet(lock, 'update'), counts: false }] : [];
    return {
      actions: [...lists, ...work],
      result: { cache_updated: due },
      undo: work.length > 0 ? await undoOf(host) : { calls: [] },
    };
  },

  /** Whether anything changed is known from APT's own last words: newer lists may bring nothing. */
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
      throw new TaskError(`APT on "${host.name}" knows no package "${plain}".`, {
        hint: 'Are its lists up to date? See "update_cache".',
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
  // What newer lists will say is not known yet; APT itself decides.
  return latest && (due || (found?.candidate !== undefined && found.candidate !== installed));
}
