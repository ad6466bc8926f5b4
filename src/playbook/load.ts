import { basename, dirname } from 'node:path';
import { isWarning, PlaybookError } from '../core/errors.ts';
import { isSourceObject, type SourceObject } from '../core/value.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { Files } from '../core/ports.ts';
import type { Playbook } from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { playbookKeywords } from '../language/keywords.ts';
import type { Vault } from '../util/vault.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { SourceMap } from '../yaml/source-map.ts';
import type { YamlReading } from '../yaml/yaml.ts';
import type { PlaybookReading } from './reading.ts';
import { loadInputs, splitInputs } from './inputs.ts';
import { readLayers, type Layers } from './overlay.ts';
import { playsContext, loadPlays, type DefaultBecome, type PlayLoading } from './plays.ts';
import { readers } from './readers.ts';
import { roleDirectories, RoleSearch } from './roles.ts';
import { loadFingerprint, loadRollback } from './undo.ts';

export interface ParseOptions {
  files: Files;
  /** Directories searched for the playbook that an overlay extends, after the overlay's own. */
  playbookPaths: string[];
  /** Decrypts vault-encrypted files and values. */
  vault?: Vault | undefined;
}

export interface CheckOptions {
  modules: ModuleRegistry;
  /** Directories searched for roles after the playbook's own `roles/`. */
  rolePaths: string[];
  become?: DefaultBecome | undefined;
}

export type LoadOptions = ParseOptions & CheckOptions;

/** A playbook that is parsed with its overlays, but not checked. It can be loaded once. */
export interface ParsedPlaybook {
  layers: Layers;
  reading: YamlReading;
}

/** Parses a playbook and those that it extends. Loading the result reports its problems. */
export function parsePlaybook(
  path: string,
  { files, playbookPaths, vault }: ParseOptions,
): ParsedPlaybook {
  const reading = { files, problems: [], map: new SourceMap(vault) };
  return { layers: readLayers(path, playbookPaths, reading), reading };
}

/**
 * Loads and checks a playbook with its roles.
 * @throws PlaybookError with every problem of every file
 */
export function loadPlaybook(path: string, options: LoadOptions): Playbook {
  return loadParsed(parsePlaybook(path, options), options);
}

/**
 * Checks a parsed playbook with its roles.
 * @throws PlaybookError with every problem of every file
 */
export function loadParsed({ layers, reading }: ParsedPlaybook, options: CheckOptions): Playbook {
  const { problems } = reading;
  if (problems.length > 0) throw new PlaybookError(problems);
  const playbook = load(layers, loadingOf(layers, options, reading));
  layers.changes.reportUnmatched();
  const errors = problems.filter((problem) => !isWarning(problem));
  if (errors.length > 0) throw new PlaybookError(errors);
  return { ...playbook, warnings: problems };
}

function loadingOf(
  { files, changes }: Layers,
  { modules, rolePaths, become }: CheckOptions,
  yaml: YamlReading,
): PlayLoading {
  const roles = new RoleSearch(yaml.files, [...files.flatMap(roleDirectories), ...rolePaths]);
  const reading: PlaybookReading = {
    ...yaml,
    modules,
    used: new Set(files),
    ids: new Set(),
    changes,
    previewId: (id) => id,
    handlers: [],
    fingerprint: [],
    dependencies: new Set(),
    roleChain: [],
    defined: new Map(),
    dynamic: false,
    roles,
    readers,
  };
  const directories = files.map((one) => dirname(one));
  return { reading, become, directories, roles, file: files.at(-1) ?? '' };
}

function load({ value, files, changes }: Layers, loading: PlayLoading): Playbook {
  const { reading, file, directories } = loading;
  const { problems, map, used } = reading;
  const empty: SourceObject = {};
  const start = { file, line: 1, column: 1 };
  map.set(empty, { self: start, keys: new Map(), values: new Map() });
  const reader = new MapReader(isSourceObject(value) ? value : empty, map, problems);
  const plays = Array.isArray(value) ? value : reader.list('plays');
  if (!plays)
    problems.push({
      message: 'A playbook must be a list of plays, or a map with "plays".',
      at: start,
    });
  const top = playsContext(dirname(file), '', loading);
  const enabled = reader.boolean('become') ?? top.become.enabled;
  const context = { ...top, become: { ...top.become, enabled } };
  const own = loadFingerprint(reader, { ...context, path: 'fingerprint' }, reading);
  const playbook: Playbook = {
    name: reader.string('name') ?? basename(file),
    path: files[0] ?? file,
    ...splitInputs(loadInputs(reader)),
    rollback: loadRollback(reader, { ...context, path: 'rollback' }, reading),
    ...fields.complete(playbookKeywords, fields.read(playbookKeywords, reader)),
    plays: loadPlays(plays ?? [], { file, chain: [file], when: [], tags: [], vars: {} }, loading),
    fingerprint: [],
    changes: changes.list,
    directories: [],
    files: [],
    warnings: [],
    placeOf: (vars, name) => map.key(vars, name),
  };
  reader.string('description');
  if (!Array.isArray(value)) reader.close('a playbook');
  return {
    ...playbook,
    fingerprint: [...own, ...reading.fingerprint],
    directories: [...new Set(directories)],
    files: [...used].sort(),
  };
}
