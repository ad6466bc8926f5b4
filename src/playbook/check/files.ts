import { isAbsolute } from 'node:path';
import { TemplateError, type Problem } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';
import type { Source } from '../../core/value.ts';
import type { TaskNode } from '../../language/document.ts';
import { withPartials } from '../../template/partials.ts';
import { readText } from '../../template/read-text.ts';
import { parseTemplate } from '../../template/templates.ts';
import { placesOf } from '../../util/paths.ts';
import { checkNames, namesOfTask } from './names.ts';
import { controllerCallsOf } from './values.ts';

/** Directories in which files of a playbook are searched. */
export interface Places {
  directories: readonly string[];
  files: Files;
}

/** Reports missing files that templates read by a constant name. */
export function checkReadFiles(
  values: readonly Source[],
  { directories, files }: Places,
  at: Problem['at'],
): Problem[] {
  return values.flatMap(controllerCallsOf).flatMap(({ helper, constant }) => {
    if (helper !== 'file' || constant === undefined || isAbsolute(constant)) return [];
    const places = placesOf(constant, directories, 'files');
    if (places.some((place) => files.look(place) !== undefined)) return [];
    const message = `A template reads the file "${constant}", which does not exist.`;
    const hint = `Looked for ${places.join(', ')}.`;
    return [{ rule: 'missing-file' as const, message, at, hint }];
  });
}

/** Modules that read a file on the controller, and the directory in which it is searched. */
const fileArguments: Record<string, 'files' | 'templates'> = {
  copy: 'files',
  script: 'files',
  template: 'templates',
  unarchive: 'files',
};

/** Whether the module accepts a path: a file, or for "copy" a directory. */
function serves(module: string, path: string, files: Files): boolean {
  const is = files.look(path)?.is;
  return is === 'file' || (module === 'copy' && is === 'directory');
}

/**
 * Reports missing files with constant names, invalid templates, and undefined variables in
 * templates.
 */
export function checkFiles(
  task: TaskNode,
  { directories, files }: Places,
  outer: readonly string[],
): Problem[] {
  const places = { directories: [...(task.role ? [task.role.path] : []), ...directories], files };
  const read = checkReadFiles([task.args, ...task.vars], places, task.argsAt);
  return [...read, ...checkNamedFile(task, places, outer)];
}

function checkNamedFile(task: TaskNode, places: Places, outer: readonly string[]): Problem[] {
  const kind = fileArguments[task.module];
  const named = task.args[task.module === 'script' ? 'cmd' : 'src'];
  const name =
    task.module === 'script' ? readText(String(named ?? '').split(/\s/)[0] ?? '') : named;
  if (!kind || typeof name !== 'string' || name === '') return [];
  if (task.args['remote_src'] !== undefined) return [];
  // An earlier step could create the file.
  if (isAbsolute(name)) return [];
  const candidates = placesOf(name, places.directories, kind);
  const path = candidates.find((one) => serves(task.module, one, places.files));
  const at = task.argsAt;
  if (path === undefined) {
    const message = `There is no file "${name}" for task "${task.name}".`;
    return [{ rule: 'missing-file', message, at, hint: `Looked for ${candidates.join(', ')}.` }];
  }
  if (kind === 'files') return [];
  try {
    const { roots } = parseTemplate(wholeTemplate(path, places));
    const known = [...outer, ...namesOfTask(task)];
    const place = { file: path, line: 1, column: 1 };
    return checkNames([...roots], known, place, `template "${name}"`);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const [, line = '1'] = /line (\d+)/i.exec(error.message) ?? [];
    const place = { file: path, line: Number(line), column: 1 };
    return [{ rule: 'broken-template', message: error.message, hint: error.hint, at: place }];
  }
}

/** The template with its partials. @throws TemplateError if a partial does not exist */
function wholeTemplate(path: string, { directories, files }: Places): string {
  const parts = withPartials(files.text(path));
  let next = parts.next();
  while (!next.done) {
    const candidates = placesOf(next.value, directories, 'templates');
    const found = candidates.find((one) => serves('template', one, files));
    if (found === undefined)
      throw new TemplateError(`There is no partial "${next.value}".`, {
        hint: `Looked for ${candidates.join(', ')}.`,
      });
    next = parts.next(files.text(found));
  }
  return next.value;
}
