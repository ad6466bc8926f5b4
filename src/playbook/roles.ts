import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import type { JsonSchema } from '../core/module.ts';
import type { Files } from '../core/ports.ts';
import type { BlockNode, Node, RoleContext } from '../language/document.ts';
import { keywordHint } from '../language/hints.ts';
import { validateValue } from '../util/schema.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { reportSecrets } from '../yaml/plain-secrets.ts';
import { readYaml } from '../yaml/yaml.ts';
import {
  withChanges,
  inherit,
  stepId,
  topLevel,
  type Context,
  type PlaybookReading,
  type RoleDirectories,
} from './reading.ts';
import { filesBelow, findFile, isDirectory, yamlFile } from './find.ts';
import { loadInputs } from './inputs.ts';
import { loadTaskFile } from './task-files.ts';
import { loadBlockUndo, loadFingerprint, tasksAmong } from './undo.ts';

const MAX_PINNED_BYTES = 1024 * 1024;

/** Role directories of a playbook or overlay. */
export function roleDirectories(file: string): string[] {
  return [join(dirname(file), 'roles'), join(dirname(file), '..', 'roles')];
}

/** Finds roles in a list of directories. The first directory that has the role wins. */
export class RoleSearch implements RoleDirectories {
  readonly #files: Files;
  #paths: readonly string[];

  constructor(files: Files, paths: readonly string[]) {
    this.#files = files;
    this.#paths = paths;
  }

  get paths(): readonly string[] {
    return this.#paths;
  }

  /** Adds directories, which take precedence over the existing ones. */
  add(paths: readonly string[]): void {
    this.#paths = [...paths.filter((one) => !this.#paths.includes(one)), ...this.#paths];
  }

  find(name: string): string | undefined {
    const path = findFile(this.#files, name, this.#paths);
    return path !== undefined && isDirectory(this.#files, path) ? path : undefined;
  }

  names(): string[] {
    return this.#paths
      .filter((path) => isDirectory(this.#files, path))
      .flatMap((path) => this.#files.names(path));
  }
}

/** An entry of `roles` of a play. */
export function loadRoleEntry(
  value: Source,
  context: Context,
  play: MapReader,
  reading: PlaybookReading,
): Node[] {
  const { map, problems } = reading;
  const source: SourceObject = isSourceObject(value) ? value : { role: value };
  if (!map.of(source))
    map.set(source, { self: play.at('roles'), keys: new Map(), values: new Map() });
  const block = loadRole(new MapReader(source, map, problems), context, reading);
  return block ? withChanges([block], context, reading) : [];
}

export function loadRole(
  reader: MapReader,
  outer: Context,
  reading: PlaybookReading,
): BlockNode | undefined {
  const name = reader.string('role');
  const shown = reader.string('name') ?? name;
  if (name === undefined || shown === undefined) {
    reader.problem('role', 'A role entry needs "role", the name of a role.');
    return undefined;
  }
  const path = findRole(name, reader, reading);
  if (path === undefined) return undefined;
  const from = reader.string('tasks_from') ?? 'main';
  const context = inherit(reader, outer);
  const id = stepId(outer.path, shown, reading.ids);
  const shortName = isAbsolute(name) ? basename(name) : name;
  const role = readRole({ name: shortName, path, parent: outer.role }, reader, reading);
  const inner: Context = { ...context, role, path: id, directory: path };
  const tasks = yamlFile(reading.files, path, 'tasks', from);
  if (outer.chain.includes(tasks)) {
    reader.problem('role', `Role "${shortName}" includes itself.`);
    return undefined;
  }
  loadRoleHandlers(role, inner, reading);
  for (const file of contentFiles(reading.files, path)) reading.used.add(file);
  const block: BlockNode = {
    kind: 'block',
    id,
    name: shown,
    at: reader.at(),
    block: [
      ...loadDependencies(role, { ...context, role }, reading),
      ...loadTaskFile(tasks, inner, reading),
    ],
    rescue: [],
    always: [],
    undo: loadBlockUndo(reader, inner, reading),
    isRole: true,
  };
  reader.close('a role entry', keywordHint);
  return block;
}

function findRole(name: string, reader: MapReader, { roles }: PlaybookReading): string | undefined {
  const path = roles.find(name);
  if (path !== undefined) return path;
  reader.problem(
    'role',
    `There is no role "${name}".`,
    `Looked in ${roles.paths.map((one) => resolve(one)).join(', ')}.`,
    { rule: 'missing-file' },
  );
  return undefined;
}

/** Reads variables and inputs of a role, and adds its fingerprint to that of the playbook. */
function readRole(
  { name, path, parent }: Pick<RoleContext, 'name' | 'path' | 'parent'>,
  entry: MapReader,
  reading: PlaybookReading,
): RoleContext {
  const { problems, map, used, files } = reading;
  const inputs = entry.object('inputs') ?? {};
  let defaults = roleVars(path, 'defaults', reading);
  const constants = roleVars(path, 'vars', reading);
  const metaFile = yamlFile(files, path, 'meta', 'main');
  if (files.look(metaFile)) {
    used.add(metaFile);
    const value = readYaml(metaFile, reading);
    if (isSourceObject(value)) {
      const meta = new MapReader(value, map, problems);
      meta.string('description');
      meta.list('dependencies');
      defaults = map.together(defaults, checkInputs(name, meta, inputs, entry));
      const top = topLevel(path, `fingerprint/${basename(path)}`);
      reading.fingerprint.push(...loadFingerprint(meta, top, reading));
      meta.close('the meta file of a role');
    }
  } else if (Object.keys(inputs).length > 0) {
    entry.problem(
      'inputs',
      `Role "${name}" declares no inputs.`,
      'Declare them in its meta/main.yml.',
    );
  }
  return { name, path, defaults, inputs, constants, parent };
}

/** Checks the inputs given to a role. Returns the declared defaults. */
function checkInputs(
  name: string,
  meta: MapReader,
  given: SourceObject,
  entry: MapReader,
): SourceObject {
  const defaults: SourceObject = {};
  const schemas: Record<string, JsonSchema> = {};
  const needed: string[] = [];
  for (const { name: key, schema, default: fallback, required, removed } of loadInputs(meta)) {
    schemas[key] = schema;
    if (removed !== undefined) {
      if (Object.hasOwn(given, key))
        entry.problem('inputs', `Role "${name}": the input "${key}" was removed.`, removed);
      continue;
    }
    if (fallback !== undefined) defaults[key] = fallback;
    else if (required) needed.push(key);
  }
  const schema = {
    type: 'object',
    properties: schemas,
    required: needed,
    additionalProperties: false,
  };
  for (const problem of validateValue(schema, given, { templates: true })) {
    const message = problem.message.replace('argument', 'input').replace('Argument', 'Input');
    entry.problem('inputs', `Role "${name}": ${message}`, problem.hint);
  }
  return defaults;
}

/**
 * Variables of `defaults/main.yml` or `vars/main.yml` of a role, or of all files in a directory
 * `main`, by name.
 */
function roleVars(path: string, kind: 'defaults' | 'vars', reading: PlaybookReading): SourceObject {
  const { problems, map, used, files } = reading;
  const directory = join(path, kind, 'main');
  const whole = isDirectory(files, directory);
  const names = whole ? files.names(directory).filter((one) => /\.ya?ml$/.test(one)) : [];
  const own = whole
    ? names.sort().map((one) => join(directory, one))
    : [yamlFile(files, path, kind, 'main')];
  const found: SourceObject[] = [];
  for (const file of own.filter((one) => files.look(one))) {
    used.add(file);
    const value = readYaml(file, reading);
    if (isSourceObject(value)) {
      reportSecrets(value, problems, map);
      found.push(value);
    } else if (value !== null) {
      const at = { file, line: 1, column: 1 };
      problems.push({ message: `"${kind}" of a role must be a map of variables.`, at });
    }
  }
  return map.together(...found);
}

/** Dependencies of a role. Each runs once in a play, unless its inputs or conditions differ. */
function loadDependencies(role: RoleContext, context: Context, reading: PlaybookReading): Node[] {
  const { files } = reading;
  const file = yamlFile(files, role.path, 'meta', 'main');
  if (!files.look(file)) return [];
  const value = readYaml(file, { ...reading, problems: [] });
  const list = isSourceObject(value) ? value['dependencies'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((item): Node[] => {
    const at = reading.map.value(list, list.indexOf(item)) ?? { file, line: 1, column: 1 };
    const block = loadDependency(item, at, context, reading);
    return block ? [block] : [];
  });
}

function loadDependency(
  item: Source,
  at: ReturnType<MapReader['at']>,
  context: Context,
  reading: PlaybookReading,
): BlockNode | undefined {
  const { problems, map } = reading;
  const source: SourceObject = isSourceObject(item) ? item : { role: item };
  if (!map.of(source)) map.set(source, { self: at, keys: new Map(), values: new Map() });
  const name = String(source['role'] ?? '');
  if (reading.roleChain.includes(name)) {
    const cycle = [...reading.roleChain, name].join(' → ');
    problems.push({ message: `Role "${name}" depends on itself: ${cycle}.`, at });
    return undefined;
  }
  const key = JSON.stringify([source, context.when, context.tags, context.become]);
  if (reading.dependencies.has(key)) return undefined;
  reading.dependencies.add(key);
  const within = { ...reading, roleChain: [...reading.roleChain, name] };
  return loadRole(new MapReader(source, map, problems), context, within);
}

function loadRoleHandlers(role: RoleContext, context: Context, reading: PlaybookReading): void {
  const file = yamlFile(reading.files, role.path, 'handlers', 'main');
  if (!reading.files.look(file)) return;
  const path = `${context.path}/handlers`;
  const nodes = loadTaskFile(file, { ...context, path, when: [], notify: [] }, reading);
  const place = { where: 'handlers', at: { file, line: 1, column: 1 } };
  reading.handlers.push(...tasksAmong(nodes, place, reading));
}

/**
 * Templates and files of a role that the journal keeps with the playbook. Large files are left out.
 */
function contentFiles(files: Files, directory: string): string[] {
  return ['templates', 'files']
    .flatMap((kind) => [...filesBelow(files, join(directory, kind))])
    .filter((path) => {
      const found = files.look(path);
      return found?.is === 'file' && found.size <= MAX_PINNED_BYTES;
    });
}
