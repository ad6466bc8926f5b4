import { isJsonObject, type JsonValue } from '../core/json.ts';
import {
  metaActions,
  plainTask,
  type BlockNode,
  type CommitNode,
  type Node,
  type TaskNode,
} from '../language/document.ts';
import type { SourceRef } from '../core/source.ts';
import { loadInclude, loadLoopedBlock, loadRoleTask } from './includes.ts';
import { inherit, stepId, type Inherited, type LoadContext } from './inherited.ts';
import { loopKeyword } from './loop.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { hereInstead } from '../language/hints.ts';
import { loadBlockUndo, loadTask, plainTasks, reportHiddenPivot } from './tasks.ts';

export function loadNodes(
  list: JsonValue[],
  inherited: Inherited,
  context: LoadContext,
  fallback: SourceRef,
): Node[] {
  return list.flatMap((item, index) => {
    if (!isJsonObject(item)) {
      const at = context.map.value(list, index) ?? fallback;
      context.problems.push({ message: 'A task must be a map of keywords.', at });
      return [];
    }
    return loadNode(new MapReader(item, context.map, context.problems), inherited, context);
  });
}

function loadNode(reader: MapReader, inherited: Inherited, context: LoadContext): Node[] {
  const { source } = reader;
  const changed = (nodes: readonly Node[]) =>
    nodes.flatMap((node) => context.changes.ofNode(node, inherited, context));
  if ('block' in source && loopKeyword(source) !== undefined)
    return changed(loadLoopedBlock(reader, inherited, context));
  if ('block' in source) return changed([loadBlock(reader, inherited, context)]);
  if ('commit' in source) return changed([loadCommit(reader, inherited, context)]);
  if ('meta' in source) return loadMeta(reader, inherited, context);
  for (const key of ['include_tasks', 'import_tasks']) {
    if (key in source) return loadInclude(key, reader, inherited, context);
  }
  for (const key of ['include_role', 'import_role']) {
    if (key in source) return changed(loadRoleTask(key, reader, inherited, context));
  }
  const task = loadTask(reader, inherited, context);
  return task ? changed([task]) : [];
}

function loadBlock(reader: MapReader, outer: Inherited, context: LoadContext): BlockNode {
  const name = reader.string('name') ?? 'block';
  const id = stepId(outer.path, name, context.ids);
  const inherited = { ...inherit(reader, outer), path: id };
  const nodes = (key: string) => loadNodes(reader.list(key) ?? [], inherited, context, reader.at());
  const block: BlockNode = {
    kind: 'block',
    id,
    name,
    at: reader.at(),
    block: nodes('block'),
    rescue: nodes('rescue'),
    always: nodes('always'),
    undo: loadBlockUndo(reader, inherited, context),
    isRole: false,
  };
  reader.close('a block', hereInstead);
  return block;
}

function loadCommit(reader: MapReader, inherited: Inherited, context: LoadContext): CommitNode {
  const name = reader.string('commit') ?? 'commit';
  const own = inherit(reader, inherited);
  const gate = reader.list('gate') ?? [];
  const id = stepId(inherited.path, `commit ${name}`, context.ids);
  const reason = reader.string('irreversible');
  if (reason !== undefined && context.dynamic) reportHiddenPivot(reader);
  const node: CommitNode = {
    kind: 'commit',
    id,
    name,
    at: reader.at(),
    tags: own.tags,
    gate: plainTasks(gate, { ...own, path: id }, context, { at: reader.at('gate'), where: 'gate' }),
    confirm: reason !== undefined,
    reason,
  };
  reader.close('a commit point');
  return node;
}

const instead: Record<string, string> = {
  clear_host_errors: 'A host that failed is taken back; the next run has it again.',
  refresh_inventory: 'The hosts of a run are those it began with.',
};

function loadMeta(reader: MapReader, outer: Inherited, context: LoadContext): Node[] {
  const wanted = reader.value('meta');
  if (typeof wanted === 'string' && wanted in instead) {
    reader.problem('meta', `There is no "meta: ${wanted}".`, instead[wanted]);
    return [];
  }
  const action = reader.oneOf('meta', ['flush_handlers', 'noop', ...metaActions]);
  const name = reader.string('name');
  const inherited = inherit(reader, outer);
  reader.close('a meta task');
  if (action === 'flush_handlers') return [{ kind: 'flush', at: reader.at() }];
  if (action === undefined || action === 'noop') return [];
  if (action === 'end_role' && !outer.role) reader.problem('meta', '"end_role" stands in no role.');
  const shown = name ?? action.replaceAll('_', ' ');
  const id = stepId(outer.path, shown, context.ids);
  const { when, vars, loopValues, tags, role, become } = inherited;
  // One answer for all hosts: the batch or the play ends for all of them.
  const runOnce = action === 'end_batch' || action === 'end_play';
  const task: TaskNode = {
    ...plainTask({ id, name: shown, at: reader.at(), module: 'meta', args: {}, become }),
    ...{ when, vars, loopValues, tags, role, runOnce },
    readOnly: true,
    undo: { kind: 'none', reason: undefined },
    undoOn: [],
  };
  return [{ kind: 'meta', action, task }];
}
