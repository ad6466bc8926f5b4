import { join, resolve } from 'node:path';
import type { Files } from '../core/ports.ts';
import { escapePattern } from '../util/text.ts';

/** The first file or directory of that name in a list of directories. */
export function findFile(
  files: Files,
  name: string,
  directories: readonly string[],
): string | undefined {
  return directories.map((directory) => resolve(directory, name)).find((path) => files.look(path));
}

/** `KIND/NAME.yml` of a role, or `KIND/NAME.yaml` if only that exists. */
export function yamlFile(files: Files, directory: string, kind: string, name: string): string {
  const yml = join(directory, kind, `${name}.yml`);
  const yaml = join(directory, kind, `${name}.yaml`);
  return !files.look(yml) && files.look(yaml) ? yaml : yml;
}

export function isDirectory(files: Files, path: string): boolean {
  return files.look(path)?.is === 'directory';
}

/** Matches the names that a template, or a pattern with "*", can render to. */
export function likeTemplate(name: string): RegExp {
  const pattern = name
    .split(/\{\{.*?\}\}|\*/)
    .map((text) => escapePattern(text))
    .join('.*');
  return new RegExp(`^${pattern}$`);
}

/** Files that a path with templates can refer to. */
export function filesLike(files: Files, pattern: string, directories: readonly string[]): string[] {
  // A template without other text matches every file.
  if (/^\{\{[^}]*\}\}$/.test(pattern.trim())) return [];
  let found = [...directories];
  for (const segment of pattern.replaceAll(/\{\{.*?\}\}/g, '*').split('/')) {
    const like = likeTemplate(segment);
    found = found.flatMap((directory) =>
      isDirectory(files, directory)
        ? files
            .names(directory)
            .filter((name) => like.test(name))
            .map((name) => join(directory, name))
        : [],
    );
  }
  return [...new Set(found)].filter((path) => !isDirectory(files, path));
}

/** All files in a directory and its subdirectories. */
export function* filesBelow(files: Files, directory: string): Generator<string> {
  if (!isDirectory(files, directory)) return;
  for (const name of files.names(directory)) {
    const path = join(directory, name);
    if (isDirectory(files, path)) yield* filesBelow(files, path);
    else yield path;
  }
}
