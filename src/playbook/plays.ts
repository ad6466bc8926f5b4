import { dirname, resolve } from 'node:path';
import {
  Condition,
  isSourceObject,
  type Source,
  type SourceObject,
  textOf,
} from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import {
  plainTask,
  tasksOf,
  type Become,
  type Node,
  type Play,
  type PlaySection,
  type TaskNode,
} from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { keywordHint } from '../language/hints.ts';
import { playKeywords } from '../language/keywords.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { reportSecrets } from '../yaml/plain-secrets.ts';
import { readYaml } from '../yaml/yaml.ts';
import { inherit, stepId, topLevel, type Context, type PlaybookReading } from './reading.ts';
import { loadNodes } from './nodes.ts';
import { loadRoleEntry, roleDirectories, type RoleSearch } from './roles.ts';
import { loadRollback, plainTasks } from './undo.ts';

/** Privilege escalation of plays that do not set it. */
export type DefaultBecome = Partial<Omit<Become, 'login'>>;

/** What all plays of a playbook share. */
export interface PlayLoading {
  reading: PlaybookReading;
  become: DefaultBecome | undefined;
  /** Directories of the playbook files, last imported file first. */
  directories: string[];
  roles: RoleSearch;
  /** The file below all overlays. */
  file: string;
}

/** The file of a play, with the keywords that it inherits from `import_playbook`. */
export interface PlayFile {
  file: string;
  /** Files that are being imported, outermost first. */
  chain: readonly string[];
  when: Condition[];
  tags: string[];
  vars: SourceObject;
}

export function loadPlays(list: Source[], from: PlayFile, loading: PlayLoading): Play[] {
  const { changes } = loading.reading;
  return list
    .flatMap((play) => loadEntry(play, from, loading))
    .flatMap((play) => changes.applyToPlay(play, (plays) => loadPlays(plays, from, loading)));
}

/** What a play or fingerprint inherits: the flags of the command line. */
export function playsContext(
  directory: string,
  path: string,
  { become }: Pick<PlayLoading, 'become'>,
): Context {
  const top = topLevel(directory, path);
  return { ...top, become: { ...top.become, ...become } };
}

function loadEntry(value: Source, from: PlayFile, loading: PlayLoading): Play[] {
  const { problems, map } = loading.reading;
  if (!isSourceObject(value)) {
    const at = { file: from.file, line: 1, column: 1 };
    problems.push({ message: 'A play must be a map of keywords.', at });
    return [];
  }
  const reader = new MapReader(value, map, problems);
  if ('import_playbook' in value) return importPlays(reader, from, loading);
  return [loadPlay(reader, from, loading)];
}

/**
 * `import_playbook`: inserts the plays of another file, which inherit conditions, tags and
 * variables of the entry.
 */
function importPlays(reader: MapReader, from: PlayFile, loading: PlayLoading): Play[] {
  const { reading, directories, roles } = loading;
  const wanted = reader.string('import_playbook') ?? '';
  reader.string('name');
  const file = resolve(dirname(from.file), wanted);
  const inner: PlayFile = {
    file,
    chain: [...from.chain, file],
    when: [...from.when, ...(reader.conditions('when') ?? [])],
    tags: [...from.tags, ...reader.strings('tags')],
    vars: reading.map.together(reader.object('vars') ?? {}, from.vars),
  };
  reader.close('"import_playbook"');
  if (!reading.files.look(file)) {
    const hint = `Looked for ${file}.`;
    const rule = 'missing-file';
    reader.problem('import_playbook', `There is no playbook "${wanted}".`, hint, { rule });
    return [];
  }
  if (from.chain.includes(file)) {
    reader.problem('import_playbook', `"${wanted}" imports itself.`);
    return [];
  }
  reading.used.add(file);
  directories.unshift(dirname(file));
  roles.add(roleDirectories(file));
  const value = readYaml(file, reading);
  const plays = Array.isArray(value) ? value : playsOf(value, reading);
  return loadPlays(plays, inner, loading);
}

/**
 * The plays of an imported playbook that is a map. It cannot set keywords of the whole run, such as
 * `rollback`.
 */
function playsOf(value: Source, { map, problems }: PlaybookReading): Source[] {
  const head = new MapReader(isSourceObject(value) ? value : {}, map, problems);
  const plays = head.list('plays');
  head.string('name');
  head.string('description');
  head.close('an imported playbook');
  return plays ?? [];
}

/**
 * Variables of `vars_files`. An entry is a path, or a list of which the first existing file is
 * used.
 */
function loadVarsFiles(reader: MapReader, from: PlayFile, reading: PlaybookReading): SourceObject {
  const { problems, map, used, files } = reading;
  const found: SourceObject[] = [];
  for (const entry of reader.list('vars_files') ?? []) {
    const names = (Array.isArray(entry) ? entry : [entry]).map(String);
    const paths = names.map((one) => resolve(dirname(from.file), one));
    const path = paths.find((one) => files.look(one));
    if (path === undefined) {
      const hint = `Looked for ${paths.join(', ')}.`;
      reader.problem('vars_files', `There is no file "${names.join('" or "')}".`, hint, {
        rule: 'missing-file',
      });
      continue;
    }
    used.add(path);
    const value = readYaml(path, reading);
    if (isSourceObject(value)) {
      reportSecrets(value, problems, map);
      found.push(value);
    } else if (value !== null)
      reader.problem('vars_files', `"${path}" must be a map of variables.`);
  }
  return map.together(...found);
}

function loadPlay(reader: MapReader, from: PlayFile, loading: PlayLoading): Play {
  const { reading: whole } = loading;
  const { name, hosts } = loadHead(reader, whole);
  const id = stepId('', name ?? 'play', whole.ids).slice(1);
  const vars = whole.map.together(
    reader.object('vars') ?? {},
    loadVarsFiles(reader, from, whole),
    from.vars,
  );
  const top = playsContext(dirname(from.file), id, loading);
  const context: Context = {
    ...inherit(reader, { ...top, when: from.when, tags: from.tags }),
    // Variables of the play are looked up in the play, not copied to each task.
    vars: [],
  };
  const gather = reader.boolean('gather_facts');
  const { sections, handlers } = loadContent(reader, id, context, loading);
  const content = { sections, handlers, vars };
  if (gather ?? mentionsFacts(content, whole))
    sections[0]?.nodes.unshift(gatherFacts(id, reader.at(), context));
  const play: Play = {
    id,
    name: name ?? 'play',
    at: reader.at(),
    hosts: hosts ?? 'all',
    vars,
    ...fields.complete(playKeywords, fields.read(playKeywords, reader)),
    rollback: loadRollback(reader, { ...context, path: `${id}/rollback` }, whole),
    sections,
    handlers,
  };
  reader.close('a play', keywordHint);
  if (play.strategy === 'free') checkFree(play, whole);
  return play;
}

/** Reads the name and the host pattern, which are required. */
function loadHead(
  reader: MapReader,
  { problems }: PlaybookReading,
): { name: string | undefined; hosts: string | undefined } {
  const name = reader.string('name');
  const hosts = reader.value('hosts');
  const pattern = Array.isArray(hosts) ? hosts.join(':') : textOf(hosts);
  if (typeof pattern !== 'string')
    reader.problem('hosts', 'A play needs "hosts", a pattern of host or group names.');
  if (name === undefined)
    problems.push({
      rule: 'missing-name',
      message: 'A play has no name.',
      at: reader.at(),
      hint: 'Add "name:".',
    });
  return { name, hosts: typeof pattern === 'string' ? pattern : undefined };
}

/** Reads the tasks of a play in execution order, and its handlers with those of its roles. */
function loadContent(
  reader: MapReader,
  id: string,
  context: Context,
  { reading: whole }: PlayLoading,
): Pick<Play, 'sections' | 'handlers'> {
  const reading: PlaybookReading = { ...whole, handlers: [], dependencies: new Set() };
  const nodes = (key: PlaySection['name']) =>
    loadNodes(reader.list(key) ?? [], context, reading, reader.at());
  const preTasks = nodes('pre_tasks');
  const roles = (reader.list('roles') ?? []).flatMap((role) =>
    loadRoleEntry(role, context, reader, reading),
  );
  const tasks = nodes('tasks');
  const postTasks = nodes('post_tasks');
  const own = plainTasks(
    reader.list('handlers') ?? [],
    { ...context, path: `${id}/handlers`, when: [], notify: [] },
    whole,
    { at: reader.at('handlers'), where: 'handlers' },
  );
  return {
    sections: [
      { name: 'pre_tasks', nodes: preTasks },
      { name: 'tasks', nodes: [...roles, ...tasks] },
      { name: 'post_tasks', nodes: postTasks },
    ],
    handlers: [...own, ...reading.handlers],
  };
}

/** Reports keywords that require all hosts to be at the same step. */
function checkFree({ sections }: Play, { problems }: PlaybookReading): void {
  const refuse = (what: string, at: SourceRef) => {
    const message = `${what} cannot be used in a play with "strategy: free".`;
    const hint = `Move it to a separate play: with "strategy: free", hosts reach it at different times.`;
    problems.push({ message, hint, at });
  };
  for (const { nodes } of sections) {
    for (const task of tasksOf(nodes)) {
      if (task.runOnce) refuse('"run_once"', task.at);
      if (task.anyErrorsFatal) refuse('"any_errors_fatal"', task.at);
      if (task.irreversible !== undefined) refuse('A point of no return', task.at);
    }
    const visit = (inner: readonly Node[]): void => {
      for (const node of inner) {
        if (node.kind === 'commit') refuse('A commit point', node.at);
        if (node.kind === 'block') [node.block, node.rescue, node.always].forEach(visit);
        if (node.kind === 'include') visit(node.preview.nodes);
      }
    };
    visit(nodes);
  }
}

/**
 * Whether a play uses facts, which are then gathered by default. Files of an include whose path is
 * a template are not checked; such a play needs "gather_facts: true".
 */
function mentionsFacts(content: unknown, { used, files }: PlaybookReading): boolean {
  const templates = [...used].filter((file) => file.includes('/templates/'));
  return (
    JSON.stringify(content).includes('ansible_facts') ||
    templates.some((file) => files.text(file).includes('ansible_facts'))
  );
}

/** The step that gathers facts. Its condition skips hosts that already have facts. */
function gatherFacts(play: string, at: SourceRef, { become }: Context): TaskNode {
  const own = { id: `${play}/gather-facts`, name: 'Gather facts', at, module: 'setup', args: {} };
  return {
    ...plainTask({ ...own, become }),
    when: [new Condition('!has(vars.ansible_facts)')],
    tags: ['always'],
    readOnly: true,
  };
}
