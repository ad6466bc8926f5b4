import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isObject } from '../../src/core/json.ts';
import { Template } from '../../src/core/value.ts';
import { PlaybookError, type Problem } from '../../src/core/errors.ts';
import {
  playIncludes,
  playTasks,
  type IncludeNode,
  type Playbook,
} from '../../src/language/document.ts';
import { formatSource, type SourceRef } from '../../src/core/source.ts';
import { builtinModules as modules } from '../../src/cli/builtin-modules.ts';
import { checkPlaybook } from '../../src/playbook/check/check.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { localFiles } from '../../src/util/local-files.ts';
import { packageRoot } from '../../src/util/package.ts';
import { TraceFile } from '../helpers/trace-file.ts';

/* Loads and checks the playbooks in samples/ and compares the tasks with all fields, or the problems, with a trace. */

const directory = join(packageRoot(), 'test', 'playbook', 'samples');
const samples = readdirSync(directory).filter((name) => name.endsWith('.yml'));
const traces = new TraceFile('loaded-playbooks');
const options = { modules, files: localFiles, rolePaths: [], playbookPaths: [] };
const plainFields = playTasksOf('plain.yml')[0];

function playTasksOf(name: string): Record<string, unknown>[] {
  const { plays } = loadPlaybook(join(directory, name), options);
  return plays.flatMap(playTasks).map((task) => ({ ...task, id: '', name: '', module: '' }));
}

function linesOf(name: string): string[] {
  try {
    const playbook = loadPlaybook(join(directory, name), options);
    const problems = checkPlaybook(playbook, modules, {
      files: localFiles,
      outside: ['x', 'y'],
      requireUndo: true,
    });
    return [...describePlaybook(playbook), ...[...playbook.warnings, ...problems].map(line)];
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return error.problems.map(line);
  }
}

function describePlaybook(playbook: Playbook): string[] {
  const { plays, fingerprint, files, ...rest } = playbook;
  return [
    `playbook ${show(rest)}`,
    ...files.map((file) => `file ${show(file)}`),
    ...fingerprint.map((task) => `fingerprint ${show(task)}`),
    ...plays.flatMap((play) => {
      const { sections, handlers, ...own } = play;
      return [
        `play ${show(own)}`,
        ...sections.map(({ name, nodes }) => `${name} ${nodes.map(nodeName).join(', ')}`),
        ...playTasks({ ...play, handlers: [] }).map((task) => `task ${show(task)}`),
        ...handlers.map((task) => `handler ${show(task)}`),
        ...playIncludes(play).flatMap(describeInclude),
      ];
    }),
  ];
}

function nodeName(node: Playbook['plays'][number]['sections'][number]['nodes'][number]): string {
  if (node.kind === 'flush') return 'flush';
  return node.kind === 'include' || node.kind === 'meta'
    ? `${node.kind} ${node.task.id}`
    : `${node.kind} ${node.id}`;
}

/** The steps of an include with a constant path, expanded as during a run. */
function describeInclude({ task, mayDefine, locate, expand }: IncludeNode): string[] {
  const lines = [`include ${task.id} may define ${show(mayDefine ?? 'anything')}`];
  const name = String(task.args['name'] ?? '');
  try {
    const loopValues = { [task.loopVar]: 1, loop: null };
    const { nodes } = expand({ source: locate(name), name: 'part', loopValues });
    return [...lines, `expanded ${show(nodes)}`];
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return [...lines, ...error.problems.map(line)];
  }
}

function line({ rule, message, at, hint, fix }: Problem): string {
  const place = at ? `${formatSource(at)}: ` : '';
  return inSamples(
    `${place}${message}${hint ? ` [${hint}]` : ''} ${show({ rule, fix })}`.replaceAll('\n', ' '),
  );
}

/**
 * JSON with sorted keys, short positions and templates in «»; of a task, only fields without their
 * default value.
 */
function show(value: unknown): string {
  const shown = JSON.stringify(value, function (this: Record<string, unknown>, key, one: unknown) {
    const template = this[key];
    if (template instanceof Template) return `«${template.text}»`;
    if (!isObject(one)) return one;
    if (typeof one['line'] === 'number') return formatSource(one as unknown as SourceRef);
    const fields = Object.entries(one).filter(([name, field]) => !isPlain(one, name, field));
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return inSamples(shown);
}

function isPlain({ kind }: Record<string, unknown>, name: string, field: unknown): boolean {
  return kind === 'task' && JSON.stringify(plainFields?.[name]) === JSON.stringify(field);
}

function inSamples(text: string): string {
  return text
    .replaceAll(`${directory}/`, '')
    .replaceAll(directory, '.')
    .replaceAll(packageRoot(), 'runner');
}

for (const name of samples) traces.add(name);
afterAll(() => {
  traces.save();
});

it.each(samples)('%s loads as recorded in its trace', (name) => {
  traces.compare(name, linesOf(name));
});

it('every trace belongs to a sample', () => {
  expect(traces.leftOver()).toEqual([]);
});
