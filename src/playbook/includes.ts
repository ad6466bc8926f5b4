import { basename, dirname, join, resolve } from 'node:path';
import { PlaybookError } from '../core/errors.ts';
import { isSourceObject, isText, type SourceObject, Template } from '../core/value.ts';
import type { Node } from '../language/document.ts';
import { loopWord, loopWords } from '../language/own-types.ts';
import { slug } from '../util/text.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { withChanges, inherit, type Context, type PlaybookReading } from './reading.ts';
import { loadDynamic, tryLocate } from './dynamic.ts';
import { filesLike, findFile, likeTemplate } from './find.ts';
import { loadLoop } from './loop.ts';
import { loadTaskFile } from './task-files.ts';

/**
 * `include_tasks` and `import_tasks`. Loads the file now, unless the path is a template or there is
 * a loop.
 */
export function loadInclude(
  key: string,
  reader: MapReader,
  outer: Context,
  reading: PlaybookReading,
): Node[] {
  const file = reader.text(key);
  const name = reader.string('name');
  const loop = loadLoop(reader, outer);
  const context = inherit(reader, outer);
  reader.close(`"${key}"`);
  if (file === undefined) return [];
  const directories = [
    ...(outer.role ? [join(outer.role.path, 'tasks')] : []),
    dirname(reader.at().file),
    outer.directory,
  ];
  const locate = (wanted: string) => locateTasks(wanted, directories, reader, key, reading);
  if (!(file instanceof Template) && loop === undefined) {
    const path = tryLocate(locate, file, reading.problems);
    return path === undefined
      ? []
      : importTasks({ key, file, path, name }, reader, context, reading);
  }
  if (key === 'import_tasks') {
    const what = loop === undefined ? 'The path of "import_tasks" must be constant' : undefined;
    reader.problem(
      loop === undefined ? key : (loopWord(reader.source) ?? 'loop'),
      `${what ?? '"import_tasks" cannot have a loop'}.`,
      'Use "include_tasks", which is resolved during the run.',
    );
    return [];
  }
  const nodes = loadDynamic(
    { reader, outer, context, reading },
    {
      key,
      name: name ?? `Include ${String(file)}`,
      wanted: file,
      loop,
      locate,
      read: loadTaskFile,
      candidates: () => filesLike(reading.files, String(file), directories),
    },
  );
  return withChanges(nodes, outer, reading);
}

/** @throws PlaybookError if the file does not exist */
function locateTasks(
  wanted: string,
  directories: readonly string[],
  reader: MapReader,
  key: string,
  { files }: PlaybookReading,
): string {
  const path = findFile(files, wanted, directories);
  if (path !== undefined && files.look(path)?.is === 'file') return path;
  throw new PlaybookError([
    {
      rule: 'missing-file',
      message: `There is no file "${wanted}" to include.`,
      at: reader.at(key),
      hint: `Looked in ${[...new Set(directories.map((one) => resolve(one)))].join(', ')}.`,
    },
  ]);
}

/** Replaces the include with the tasks of a file. */
function importTasks(
  { key, file, path, name }: { key: string; file: string; path: string; name: string | undefined },
  reader: MapReader,
  context: Context,
  reading: PlaybookReading,
): Node[] {
  if (context.chain.includes(path)) {
    const chain = [...context.chain.slice(context.chain.indexOf(path)), path];
    reader.problem(
      key,
      `"${file}" includes itself: ${chain.map((one) => basename(one)).join(' → ')}.`,
    );
    return [];
  }
  const place =
    name === undefined ? context : { ...context, path: `${context.path}/${slug(name)}` };
  return loadTaskFile(path, place, reading);
}

/** `include_role` and `import_role`, as `include_role: NAME` or `include_role: {name: NAME}`. */
export function loadRoleTask(
  key: string,
  reader: MapReader,
  outer: Context,
  reading: PlaybookReading,
): Node[] {
  const value = reader.value(key);
  const role = isSourceObject(value) ? value['name'] : value;
  if (!isText(role)) {
    reader.problem(key, `"${key}" needs the name of a role.`);
    return [];
  }
  const beside = Object.entries(reader.source).filter(([name]) => name !== key);
  const inside = isSourceObject(value)
    ? Object.entries(value).filter(([name]) => name !== 'name')
    : [];
  const source: SourceObject = { ...Object.fromEntries([...inside, ...beside]), role };
  reading.map.copy(reader.source, source);
  const entry = new MapReader(source, reading.map, reading.problems);
  const loop = loadLoop(entry, outer);
  if (!(role instanceof Template) && loop === undefined) {
    const block = reading.readers.role(entry, outer, reading);
    return block ? [block] : [];
  }
  if (key === 'import_role') {
    reader.problem(
      key,
      `"import_role" cannot have a loop, or a template as the name.`,
      'Use "include_role", which is resolved during the run.',
    );
    return [];
  }
  const context = inherit(entry, outer);
  const name = entry.string('name') ?? `Role ${String(role)}`;
  for (const known of ['role', 'tasks_from', 'inputs', 'undo']) entry.has(known);
  entry.close(`"${key}"`);
  return loadDynamic(
    { reader: entry, outer, context, reading },
    { key, name, wanted: role, loop, ...rolesNamed(String(role), reader.at(key), source, reading) },
  );
}

/** How to find and load the roles that a name or template can refer to. */
function rolesNamed(
  role: string,
  at: ReturnType<MapReader['at']>,
  source: SourceObject,
  { roles, files, map }: PlaybookReading,
) {
  return {
    locate(wanted: string): string {
      const path = roles.find(wanted);
      if (path !== undefined) return path;
      const message = `There is no role "${wanted}".`;
      throw new PlaybookError([{ rule: 'missing-file', message, at }]);
    },
    read(path: string, place: Context, within: PlaybookReading): Node[] {
      const own = { ...withoutLoop(source), role: path, name: basename(place.path) };
      map.copy(source, own);
      const above = { ...place, path: dirname(place.path) };
      const block = within.readers.role(new MapReader(own, map, within.problems), above, within);
      return block ? [block] : [];
    },
    candidates: () =>
      roles
        .names()
        .filter((one) => likeTemplate(role).test(one))
        .flatMap((one) => filesLike(files, '*.yml', [join(roles.find(one) ?? '', 'tasks')])),
  };
}

/** A block with a loop: all its tasks run for one item before the next item. */
export function loadLoopedBlock(
  reader: MapReader,
  outer: Context,
  reading: PlaybookReading,
): Node[] {
  const name = reader.string('name') ?? 'block';
  const loop = loadLoop(reader, outer);
  const context = inherit(reader, outer);
  const read = (_: string, place: Context, within: PlaybookReading): Node[] => {
    const own = { ...withoutLoop(reader.source), name: basename(place.path) };
    reading.map.copy(reader.source, own);
    const above = { ...place, path: dirname(place.path) };
    return within.readers.nodes([own], above, within, reader.at());
  };
  return loadDynamic(
    { reader, outer, context, reading },
    { key: 'block', name, wanted: '', loop, locate: () => '', read, candidates: () => [] },
  );
}

/**
 * The keywords that apply to each item: without the loop, and without `when` and `vars`, which are
 * evaluated once.
 */
function withoutLoop(source: SourceObject): SourceObject {
  const once: string[] = [...loopWords, 'loop_control', 'when', 'vars'];
  return Object.fromEntries(Object.entries(source).filter(([key]) => !once.includes(key)));
}
