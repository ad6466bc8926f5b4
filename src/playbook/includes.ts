import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isWarning, PlaybookError, type Problem } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import {
  plainTask,
  type Expansion,
  type IncludeNode,
  type IncludePart,
  type Node,
  type TaskNode,
} from '../language/document.ts';
import type { SourceRef } from '../core/source.ts';
import { isTemplate } from '../template/templates.ts';
import { escapePattern, slug } from '../util/text.ts';
import { inherit, stepId, type Inherited, type LoadContext } from './inherited.ts';
import { loopKeyword, loopKeywords, readLoop } from './loop.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { readYaml, type YamlReading } from '../yaml/yaml.ts';
import { checkLoopVar } from './tasks.ts';

/** Includes may include themselves behind a condition; so deep, no condition ended it. */
const MAX_DEPTH = 32;

/** `include_tasks` and `import_tasks`: read now where path and number are known now. */
export function loadInclude(
  key: string,
  reader: MapReader,
  outer: Inherited,
  context: LoadContext,
): Node[] {
  const file = reader.string(key);
  const name = reader.string('name');
  const loop = loadLoop(reader, outer);
  const inherited = inherit(reader, outer);
  reader.close(`"${key}"`);
  if (file === undefined) return [];
  const folders = [
    ...(outer.role ? [join(outer.role.path, 'tasks')] : []),
    dirname(reader.at().file),
    outer.folder,
  ];
  const locate = (wanted: string): string => {
    const path = findFile(wanted, folders);
    if (path !== undefined && statSync(path).isFile()) return path;
    throw new PlaybookError([
      {
        rule: 'missing-file',
        message: `There is no file "${wanted}" to include.`,
        at: reader.at(key),
        hint: `Looked in ${[...new Set(folders.map((one) => resolve(one)))].join(', ')}.`,
      },
    ]);
  };
  const read = (path: string, place: Inherited, within: LoadContext) =>
    loadTaskFile(path, place, within);
  if (isTemplate(file) || loop !== undefined) {
    if (key === 'import_tasks') {
      const what = loop === undefined ? 'The path of "import_tasks" must be constant' : undefined;
      reader.problem(
        loop === undefined ? key : (loopKeyword(reader.source) ?? 'loop'),
        `${what ?? '"import_tasks" cannot be looped'}.`,
        'Use "include_tasks", which is resolved when the run gets there.',
      );
      return [];
    }
    const within = { reader, outer, inherited, context };
    const nodes = loadDynamic(within, {
      key,
      name: name ?? `Include ${file}`,
      wanted: file,
      loop,
      locate,
      read,
      candidates: () => filesLike(file, folders),
    });
    return nodes.flatMap((node) => context.changes.ofNode(node, outer, context));
  }
  const path = tryLocate(locate, file, context.problems);
  if (path === undefined) return [];
  if (outer.chain.includes(path)) {
    const chain = [...outer.chain.slice(outer.chain.indexOf(path)), path];
    reader.problem(
      key,
      `"${file}" includes itself: ${chain.map((one) => basename(one)).join(' → ')}.`,
    );
    return [];
  }
  const place =
    name === undefined ? inherited : { ...inherited, path: `${inherited.path}/${slug(name)}` };
  return read(path, place, context);
}

/** `include_role` and `import_role`, as `include_role: NAME` or `include_role: {name: NAME}`. */
export function loadRoleTask(
  key: string,
  reader: MapReader,
  outer: Inherited,
  context: LoadContext,
): Node[] {
  const value = reader.value(key);
  const role = isJsonObject(value) ? value['name'] : value;
  if (typeof role !== 'string') {
    reader.problem(key, `"${key}" wants the name of a role.`);
    return [];
  }
  const beside = Object.entries(reader.source).filter(([name]) => name !== key);
  const inside = isJsonObject(value)
    ? Object.entries(value).filter(([name]) => name !== 'name')
    : [];
  const source: JsonObject = { ...Object.fromEntries([...inside, ...beside]), role };
  context.map.copy(reader.source, source);
  const entry = new MapReader(source, context.map, context.problems);
  const loop = loadLoop(entry, outer);
  if (!isTemplate(role) && loop === undefined) {
    const block = context.loadRole(entry, outer, context);
    return block ? [block] : [];
  }
  if (key === 'import_role') {
    reader.problem(
      key,
      `"import_role" can neither be looped nor have a template for a name.`,
      'Use "include_role", which is resolved when the run gets there.',
    );
    return [];
  }
  const inherited = inherit(entry, outer);
  const name = entry.string('name') ?? `Role ${role}`;
  const locate = (wanted: string): string => {
    const path = context.findRole(wanted);
    if (path !== undefined) return path;
    const at = reader.at(key);
    throw new PlaybookError([
      { rule: 'missing-file', message: `There is no role "${wanted}".`, at },
    ]);
  };
  const read = (path: string, place: Inherited, within: LoadContext): Node[] => {
    const own = without(source, context, [...loopKeywords, 'loop_control', 'when', 'vars']);
    own['role'] = path;
    own['name'] = basename(place.path);
    const above = { ...place, path: dirname(place.path) };
    const block = context.loadRole(new MapReader(own, context.map, within.problems), above, within);
    return block ? [block] : [];
  };
  const candidates = () =>
    context
      .roleNames()
      .filter((one) => likeTemplate(role).test(one))
      .flatMap((one) => filesLike('*.yml', [join(context.findRole(one) ?? '', 'tasks')]));
  for (const known of ['role', 'tasks_from', 'inputs', 'undo']) entry.has(known);
  entry.close(`"${key}"`);
  return loadDynamic(
    { reader: entry, outer, inherited, context },
    { key, name, wanted: role, loop, locate, read, candidates },
  );
}

/** A block with a loop: its tasks are run for each item in turn. */
export function loadLoopedBlock(reader: MapReader, outer: Inherited, context: LoadContext): Node[] {
  const name = reader.string('name') ?? 'block';
  const loop = loadLoop(reader, outer);
  const inherited = inherit(reader, outer);
  const read = (_: string, place: Inherited, within: LoadContext): Node[] => {
    const own = without(reader.source, context, [...loopKeywords, 'loop_control', 'when', 'vars']);
    own['name'] = basename(place.path);
    const above = { ...place, path: dirname(place.path) };
    return context.loadNodes([own], above, within, reader.at());
  };
  return loadDynamic(
    { reader, outer, inherited, context },
    {
      key: 'block',
      name,
      wanted: '',
      loop,
      locate: () => '',
      read,
      candidates: () => [],
    },
  );
}

export function loadTaskFile(path: string, outer: Inherited, context: LoadContext): Node[] {
  const inherited = { ...outer, chain: [...outer.chain, path] };
  context.used.add(path);
  const value = readYaml(path, context);
  if (value === null) return [];
  const at = { file: path, line: 1, column: 1 };
  if (!Array.isArray(value)) {
    context.problems.push({ message: 'A task file must be a list of tasks.', at });
    return [];
  }
  return context.loadNodes(value, inherited, context, at);
}

export function findFile(name: string, folders: string[]): string | undefined {
  return folders.map((folder) => resolve(folder, name)).find((path) => existsSync(path));
}

interface Loop {
  items: JsonValue;
  loopVar: string;
  label: string | undefined;
}

function loadLoop(reader: MapReader, outer: Inherited): Loop | undefined {
  const items = readLoop(reader);
  const control = reader.reader('loop_control');
  const loopVar = control?.string('loop_var') ?? 'item';
  const label = control?.string('label');
  control?.close('"loop_control"');
  if (items === undefined) return undefined;
  checkLoopVar(reader, loopVar, outer);
  return { items, loopVar, label };
}

interface Dynamic {
  key: string;
  name: string;
  /** Path or role, perhaps a template. */
  wanted: string;
  loop: Loop | undefined;
  locate: (name: string) => string;
  read: (source: string, place: Inherited, context: LoadContext) => Node[];
  /** Files that a template may mean. */
  candidates: () => string[];
}

function loadDynamic(
  {
    reader,
    outer,
    inherited,
    context,
  }: { reader: MapReader; outer: Inherited; inherited: Inherited; context: LoadContext },
  { key, name, wanted, loop, locate, read, candidates }: Dynamic,
): IncludeNode[] {
  const id = stepId(outer.path, name, context.ids);
  const expandInto = (
    { source, name: part, loopValues }: IncludePart,
    problems: Problem[],
  ): Expansion => {
    const within: LoadContext = {
      ...context,
      problems,
      used: new Set(),
      ids: new Set(),
      // What a role depends on runs with it, whenever that is.
      dependencies: new Set(),
      previewId: (one) =>
        context.previewId(
          one.startsWith(`${id}/${part}/`)
            ? `${id}/each/${one.slice(id.length + part.length + 2)}`
            : one,
        ),
      handlers: [],
      fingerprint: [],
      dynamic: true,
    };
    const place: Inherited = {
      ...inherited,
      // The condition is asked once, when it is decided what is included.
      when: outer.when,
      path: `${id}/${part}`,
      loopValues: { ...outer.loopValues, ...loopValues },
    };
    const nodes = read(source, place, within);
    return { nodes, handlers: within.handlers, files: [...within.used] };
  };
  const expand = (part: IncludePart): Expansion => {
    const problems: Problem[] = [];
    const expansion = expandInto(part, problems);
    if (inherited.chain.length > MAX_DEPTH) {
      const message = `"${wanted}" includes itself without an end (${String(MAX_DEPTH)} levels).`;
      problems.push({ message, at: reader.at(key) });
    }
    const errors = problems.filter((problem) => !isWarning(problem));
    if (errors.length > 0) throw new PlaybookError(errors);
    return expansion;
  };
  const known = isTemplate(wanted) ? undefined : tryLocate(locate, wanted, context.problems);
  const recursive = known !== undefined && known !== '' && inherited.chain.includes(known);
  const loopValues: JsonObject = loop ? { [loop.loopVar]: null, loop: null } : {};
  const preview =
    known === undefined || recursive
      ? { nodes: [], handlers: [], files: [] }
      : expandInto({ source: known, name: 'each', loopValues }, context.problems);
  for (const file of preview.files) context.used.add(file);
  return [
    {
      kind: 'include',
      task: includeTask(inherited, { id, name, key, wanted, loop, at: reader.at() }),
      preview,
      mayDefine: known === undefined ? definedNames(candidates(), context) : [],
      locate,
      expand,
    },
  ];
}

function includeTask(
  inherited: Inherited,
  {
    id,
    name,
    key,
    wanted,
    loop,
    at,
  }: Pick<Dynamic, 'name' | 'key' | 'wanted' | 'loop'> & { id: string; at: SourceRef },
): TaskNode {
  const { when, vars, loopValues, runOnce, oncePerPlay, tags, noLog, role, become } = inherited;
  const args = wanted === '' ? {} : { name: wanted };
  return {
    ...plainTask({ id, name, at, module: key, args, become }),
    ...{ when, vars, loopValues, runOnce, oncePerPlay, tags, noLog, role },
    loop: loop?.items,
    loopVar: loop?.loopVar ?? 'item',
    label: loop?.label,
    readOnly: true,
    undo: { kind: 'none', reason: undefined },
    undoOn: [],
  };
}

/** A copy of a map in which some keys are missing; problems in it are shown where the original stands. */
function without(source: JsonObject, { map }: LoadContext, keys: readonly string[]): JsonObject {
  const rest = Object.entries(source).filter(([key]) => !keys.includes(key));
  const copy: JsonObject = Object.fromEntries(rest);
  map.copy(source, copy);
  return copy;
}

function tryLocate(
  locate: (name: string) => string,
  name: string,
  problems: Problem[],
): string | undefined {
  try {
    return locate(name);
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

/** What a template, or a name with "*", may become. */
function likeTemplate(name: string): RegExp {
  const pattern = name
    .split(/\{\{.*?\}\}|\*/)
    .map((text) => escapePattern(text))
    .join('.*');
  return new RegExp(`^${pattern}$`);
}

/** Files that a path may mean in which a template stands for part of a name. */
function filesLike(pattern: string, folders: readonly string[]): string[] {
  // Nothing but a template may mean any file.
  if (/^\{\{[^}]*\}\}$/.test(pattern.trim())) return [];
  let found = [...folders];
  for (const segment of pattern.replaceAll(/\{\{.*?\}\}/g, '*').split('/')) {
    const like = likeTemplate(segment);
    found = found.flatMap((folder) =>
      isFolder(folder)
        ? readdirSync(folder)
            .filter((name) => like.test(name))
            .map((name) => join(folder, name))
        : [],
    );
  }
  return [...new Set(found)].filter((path) => !isFolder(path));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Names that tasks of these files register or set; undefined without a file. */
function definedNames(paths: readonly string[], { files }: YamlReading): string[] | undefined {
  if (paths.length === 0) return undefined;
  const names = new Set<string>();
  const visit = (value: JsonValue): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isJsonObject(value)) return;
    if (typeof value['register'] === 'string') names.add(value['register']);
    const facts = value['set_fact'];
    if (isJsonObject(facts)) for (const name of Object.keys(facts)) names.add(name);
    Object.values(value).forEach(visit);
  };
  // Problems of these files are found when one of them is included.
  const reading = { files, problems: [], map: new SourceMap() };
  for (const path of paths) visit(readYaml(path, reading));
  return [...names];
}
