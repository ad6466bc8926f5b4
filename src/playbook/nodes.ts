import { isSourceObject, type Source } from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import {
  metaActions,
  plainTask,
  type BlockNode,
  type CommitNode,
  type Node,
  type TaskNode,
} from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { keywordHint } from '../language/hints.ts';
import { sharedKeywords } from '../language/keywords.ts';
import { loopWord } from '../language/own-types.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { withChanges, inherit, stepId, type Context, type PlaybookReading } from './reading.ts';
import { loadInclude, loadLoopedBlock, loadRoleTask } from './includes.ts';
import { loadTask } from './tasks.ts';
import { loadBlockUndo, plainTasks, reportHiddenPointOfNoReturn } from './undo.ts';

export function loadNodes(
  list: Source[],
  context: Context,
  reading: PlaybookReading,
  fallback: SourceRef,
): Node[] {
  return list.flatMap((item, index) => {
    if (isSourceObject(item))
      return loadNode(new MapReader(item, reading.map, reading.problems), context, reading);
    const at = reading.map.value(list, index) ?? fallback;
    reading.problems.push({ message: 'A task must be a map of keywords.', at });
    return [];
  });
}

function loadNode(reader: MapReader, context: Context, reading: PlaybookReading): Node[] {
  const { source } = reader;
  const done = (nodes: readonly Node[]) => withChanges(nodes, context, reading);
  if ('block' in source && loopWord(source) !== undefined)
    return done(loadLoopedBlock(reader, context, reading));
  if ('block' in source) return done([loadBlock(reader, context, reading)]);
  if ('commit' in source) return done([loadCommit(reader, context, reading)]);
  if ('meta' in source) return loadMeta(reader, context, reading);
  for (const key of ['include_tasks', 'import_tasks']) {
    if (key in source) return loadInclude(key, reader, context, reading);
  }
  for (const key of ['include_role', 'import_role']) {
    if (key in source) return done(loadRoleTask(key, reader, context, reading));
  }
  const task = loadTask(reader, context, reading);
  return task ? done([task]) : [];
}

function loadBlock(reader: MapReader, outer: Context, reading: PlaybookReading): BlockNode {
  const name = reader.string('name') ?? 'block';
  const id = stepId(outer.path, name, reading.ids);
  const context = { ...inherit(reader, outer), path: id };
  const nodes = (key: string) => loadNodes(reader.list(key) ?? [], context, reading, reader.at());
  const block: BlockNode = {
    kind: 'block',
    id,
    name,
    at: reader.at(),
    block: nodes('block'),
    rescue: nodes('rescue'),
    always: nodes('always'),
    undo: loadBlockUndo(reader, context, reading),
    isRole: false,
  };
  reader.close('a block', keywordHint);
  return block;
}

function loadCommit(reader: MapReader, outer: Context, reading: PlaybookReading): CommitNode {
  const name = reader.string('commit') ?? 'commit';
  const context = inherit(reader, outer);
  const gate = reader.list('gate') ?? [];
  const id = stepId(outer.path, `commit ${name}`, reading.ids);
  const reason = reader.string('irreversible');
  if (reason !== undefined && reading.dynamic) reportHiddenPointOfNoReturn(reader);
  const place = { at: reader.at('gate'), where: 'gate' };
  const node: CommitNode = {
    kind: 'commit',
    id,
    name,
    at: reader.at(),
    tags: context.tags,
    gate: plainTasks(gate, { ...context, path: id }, reading, place),
    confirm: reason !== undefined,
    reason,
  };
  reader.close('a commit point');
  return node;
}

/** Hints for `meta` actions of Ansible. */
const unsupportedMeta: Record<string, string> = {
  clear_host_errors: 'Remove it: a failed host is rolled back, and the next run includes it again.',
  refresh_inventory: 'Remove it: the inventory is read once, when the run starts.',
};

function loadMeta(reader: MapReader, outer: Context, reading: PlaybookReading): Node[] {
  const wanted = reader.value('meta');
  if (typeof wanted === 'string' && wanted in unsupportedMeta) {
    reader.problem('meta', `"meta: ${wanted}" is not supported.`, unsupportedMeta[wanted]);
    return [];
  }
  const action = reader.oneOf('meta', ['flush_handlers', 'noop', ...metaActions]);
  const name = reader.string('name');
  const context = inherit(reader, outer);
  reader.close('a meta task');
  if (action === 'flush_handlers') return [{ kind: 'flush', at: reader.at() }];
  if (action === undefined || action === 'noop') return [];
  if (action === 'end_role' && !outer.role)
    reader.problem('meta', '"end_role" is not inside a role.');
  const shown = name ?? action.replaceAll('_', ' ');
  const id = stepId(outer.path, shown, reading.ids);
  const { loopValues, role, become } = context;
  const task: TaskNode = {
    ...plainTask({ id, name: shown, at: reader.at(), module: 'meta', args: {}, become }),
    ...fields.fieldsFor(sharedKeywords, 'meta', context),
    loopValues,
    role,
    // Evaluated once, because it ends the batch or play for all hosts.
    runOnce: action === 'end_batch' || action === 'end_play',
    readOnly: true,
    undo: { kind: 'none', reason: undefined },
    undoOn: [],
  };
  return [{ kind: 'meta', action, task }];
}
