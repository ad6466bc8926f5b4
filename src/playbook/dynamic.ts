import { isWarning, PlaybookError, type Problem } from '../core/errors.ts';
import {
  isSourceObject,
  isText,
  type Source,
  type SourceObject,
  Template,
  type Text,
} from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import {
  plainTask,
  type Expansion,
  type IncludeNode,
  type IncludePart,
  type Node,
  type TaskNode,
} from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { sharedKeywords } from '../language/keywords.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { isVault } from '../util/vault.ts';
import { parseYaml, textOfFile } from '../yaml/yaml.ts';
import { stepId, type Context, type PlaybookReading } from './reading.ts';
import type { Loop } from './loop.ts';

/**
 * Limit for includes that include themselves: at this depth, no condition stopped the recursion.
 */
const MAX_DEPTH = 32;

/** An include, role or block that is resolved during the run. */
interface Dynamic {
  key: string;
  name: string;
  /** Path or role name; can be a template. */
  wanted: Text;
  loop: Loop | undefined;
  /** @throws PlaybookError if it does not exist */
  locate: (name: string) => string;
  read: (source: string, place: Context, reading: PlaybookReading) => Node[];
  /** Files that the template can refer to. */
  candidates: () => string[];
}

interface Place {
  reader: MapReader;
  outer: Context;
  context: Context;
  reading: PlaybookReading;
}

export function loadDynamic(place: Place, what: Dynamic): IncludeNode[] {
  const { reader, outer, context, reading } = place;
  const { key, name, wanted, loop, locate, candidates } = what;
  const id = stepId(outer.path, name, reading.ids);
  const into = (part: IncludePart, problems: Problem[]) =>
    expandInto(id, place, what, part, problems);
  const expand = (part: IncludePart): Expansion => {
    const problems: Problem[] = [];
    const expansion = into(part, problems);
    if (context.chain.length > MAX_DEPTH) {
      const message = `"${String(wanted)}" includes itself more than ${String(MAX_DEPTH)} levels deep.`;
      problems.push({ message, at: reader.at(key) });
    }
    const errors = problems.filter((problem) => !isWarning(problem));
    if (errors.length > 0) throw new PlaybookError(errors);
    return expansion;
  };
  const known =
    wanted instanceof Template ? undefined : tryLocate(locate, wanted, reading.problems);
  const recursive = known !== undefined && known !== '' && context.chain.includes(known);
  const loopValues: SourceObject = loop ? { [loop.loopVar]: null, loop: null } : {};
  const preview =
    known === undefined || recursive
      ? { nodes: [], handlers: [], files: [] }
      : into({ source: known, name: 'each', loopValues }, reading.problems);
  for (const file of preview.files) reading.used.add(file);
  return [
    {
      kind: 'include',
      task: includeTask(context, { id, name, key, wanted, loop, at: reader.at() }),
      preview,
      mayDefine: known === undefined ? definedNames(candidates(), reading) : [],
      locate,
      expand,
    },
  ];
}

/** Loads the steps of one item. */
function expandInto(
  id: string,
  { outer, context, reading }: Place,
  { read }: Dynamic,
  { source, name: part, loopValues }: IncludePart,
  problems: Problem[],
): Expansion {
  const within: PlaybookReading = {
    ...reading,
    problems,
    used: new Set(),
    ids: new Set(),
    // Dependencies run again with each included role.
    dependencies: new Set(),
    previewId: (one) =>
      reading.previewId(
        one.startsWith(`${id}/${part}/`)
          ? `${id}/each/${one.slice(id.length + part.length + 2)}`
          : one,
      ),
    handlers: [],
    fingerprint: [],
    dynamic: true,
  };
  const inner: Context = {
    ...context,
    // The condition of the include itself is evaluated once, before its steps are loaded.
    when: outer.when,
    path: `${id}/${part}`,
    loopValues: { ...outer.loopValues, ...loopValues },
  };
  const nodes = read(source, inner, within);
  return { nodes, handlers: within.handlers, files: [...within.used] };
}

function includeTask(
  context: Context,
  {
    id,
    name,
    key,
    wanted,
    loop,
    at,
  }: Pick<Dynamic, 'name' | 'key' | 'wanted' | 'loop'> & { id: string; at: SourceRef },
): TaskNode {
  const { loopValues, role, become } = context;
  const args = wanted === '' ? {} : { name: wanted };
  return {
    ...plainTask({ id, name, at, module: key, args, become }),
    ...fields.fieldsFor(sharedKeywords, 'include', context),
    loopValues,
    role,
    loop: loop?.items,
    loopVar: loop?.loopVar ?? 'item',
    label: loop?.label,
    readOnly: true,
    undo: { kind: 'none', reason: undefined },
    undoOn: [],
  };
}

/** Calls `locate` and reports its errors as problems. */
export function tryLocate(
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

/** Names that tasks in these files register or set. Undefined without files. */
function definedNames(
  paths: readonly string[],
  { files, defined }: PlaybookReading,
): string[] | undefined {
  if (paths.length === 0) return undefined;
  // Problems in these files are reported when a file is included.
  const texts = paths.flatMap((path) => textOfFile(path, { files, problems: [] }) ?? []);
  const namesOf = (text: string) => {
    const names = defined.get(text) ?? namesIn(text);
    defined.set(text, names);
    return names;
  };
  return [...new Set(texts.flatMap(namesOf))];
}

function namesIn(text: string): string[] {
  const names: string[] = [];
  const visit = (value: Source): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isSourceObject(value)) return;
    if (isText(value['register'])) names.push(String(value['register']));
    const facts = value['set_fact'];
    if (isSourceObject(facts)) names.push(...Object.keys(facts));
    Object.values(value).forEach(visit);
  };
  if (!isVault(text)) visit(parseYaml(text, '', { problems: [], map: new SourceMap() }));
  return names;
}
