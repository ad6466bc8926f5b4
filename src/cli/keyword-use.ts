import { isObject } from '../core/json.ts';
import type { Place } from '../language/table.ts';

/** A keyword, and where it is used. */
export type KeywordUse = [place: Place, keyword: string];

type Visit = (use: KeywordUse) => void;

const includeWords = ['include_tasks', 'import_tasks', 'include_role', 'import_role'];

/** Lists the keywords that a playbook, overlay, task file or role meta file uses, and where. */
export function keywordsUsed(document: unknown, kind: 'playbook' | 'tasks' | 'meta'): KeywordUse[] {
  const uses: KeywordUse[] = [];
  const visit: Visit = (use) => uses.push(use);
  if (kind === 'tasks') visitTasks(document, visit);
  else if (kind === 'meta') visitTop(document, 'role meta', visit);
  else if (Array.isArray(document)) for (const play of document) visitPlay(play, visit);
  else if (isObject(document))
    visitTop(document, 'extends' in document ? 'overlay' : 'playbook', visit);
  return uses;
}

function visitTop(top: unknown, place: Place, visit: Visit): void {
  for (const [key, value] of keysOf(top)) {
    visit([place, key]);
    if (key === 'inputs') for (const [, input] of keysOf(value)) visitInput(input, visit);
    if (key === 'fingerprint') visitTasks(value, visit);
    if (key === 'rollback') visitRollback(value, visit);
    if (key === 'plays') for (const play of listOf(value)) visitPlay(play, visit);
    if (key !== 'changes') continue;
    for (const change of listOf(value)) {
      visitKeys(change, 'change', visit);
      for (const [, part] of keysOf(change)) visitTasks(part, visit);
    }
  }
}

function visitInput(input: unknown, visit: Visit): void {
  for (const [key, value] of keysOf(input)) {
    visit(['input', key]);
    if (key === 'items') visitInput(value, visit);
    if (key === 'properties') for (const [, inner] of keysOf(value)) visitInput(inner, visit);
  }
}

function visitPlay(play: unknown, visit: Visit): void {
  for (const [key, value] of keysOf(play)) {
    visit(['play', key]);
    if (['pre_tasks', 'tasks', 'post_tasks', 'handlers'].includes(key)) visitTasks(value, visit);
    if (key === 'roles') for (const entry of listOf(value)) visitKeys(entry, 'role entry', visit);
    if (key === 'rollback') visitRollback(value, visit);
  }
}

function visitRollback(rollback: unknown, visit: Visit): void {
  for (const [key, value] of keysOf(rollback)) {
    visit(['rollback', key]);
    visitTasks(value, visit);
  }
}

function visitTasks(tasks: unknown, visit: Visit): void {
  for (const task of listOf(tasks)) visitTask(task, visit);
}

function visitTask(task: unknown, visit: Visit): void {
  const place = placeOf(task);
  for (const [key, value] of keysOf(task)) {
    visit([place, key]);
    if (key === 'loop_control') visitKeys(value, 'loop_control', visit);
    if (key === 'probe') visitTask(value, visit);
    if (['block', 'rescue', 'always', 'undo', 'capture', 'gate'].includes(key))
      visitTasks(isObject(value) ? value['tasks'] : value, visit);
  }
}

function placeOf(task: unknown): Place {
  if (!isObject(task)) return 'task';
  if ('block' in task) return 'block';
  if ('commit' in task) return 'commit point';
  if ('meta' in task) return 'meta';
  return includeWords.some((word) => word in task) ? 'include' : 'task';
}

function visitKeys(value: unknown, place: Place, visit: Visit): void {
  for (const [key] of keysOf(value)) visit([place, key]);
}

function keysOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
